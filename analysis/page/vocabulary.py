"""The names of what several tables and charts show: one name each, in both languages.

What only one table shows is named in that table. Columns take their values from a phase
(`PhaseNumbers`); `MODEL.of(...)` is the same column for a table of other items.
"""

from collections.abc import Callable
from fractions import Fraction
from typing import NamedTuple, TypeVar

from analysis.numbers.phase_numbers import PhaseNumbers
from analysis.page.columns import Column, Name, field
from analysis.page.words import (
    Words,
    integer,
    milliseconds,
    percent,
    rate,
    seconds,
    tally,
)
from rules.censoring import enough
from rules.percentiles import decimal

Value = TypeVar("Value")
PhaseColumn = Column[PhaseNumbers, Value]
Time = PhaseColumn[float | None]
Rank = PhaseColumn["Ranked"]


class Cost(NamedTuple):
    """An amount, and how many requests of unknown cost it does not include."""

    amount: float | None
    unknown: int = 0


class Ranked(NamedTuple):
    """A percentile of a time, seconds, over `among` values (None: it is not known how many)."""

    time_s: float | None
    percent: Fraction | int
    among: int | None = None

    @property
    def few(self) -> bool:
        """Whether there are too few times for this percentile, so that it is only the slowest."""
        return self.among is not None and self.among < enough(self.percent)


def _phase(
    en: str, zh: str, number: Callable[[PhaseNumbers], Value], show: Callable[[Value], str] = str
) -> PhaseColumn[Value]:
    return Name(en, zh).of(number, show)


def _money(t: Words, cost: Cost) -> str:
    return t.money(*cost)


def _ranked(unit: Callable[[float | None], str]) -> Callable[[Words, Ranked], str]:
    """Formats a percentile; with too few times it is marked as their maximum."""

    def show(t: Words, rank: Ranked) -> str:
        text = unit(rank.time_s)
        return t(f"max {text}", f"最大 {text}") if rank.few and rank.time_s is not None else text

    return show


# ---- whose requests

PHASE = _phase("Phase", "阶段", lambda p: p.phase)
ANSWERS = Name("Answers", "答案数")
EFFECT = Name("Effect", "效应量")
P_VALUE = Name("p", "p")
STATED_PROMPT_TOKENS = Name("Prompt tokens", "prompt token")
MODEL = _phase("Model", "模型", lambda p: p.model_and_route)
SCENARIO = _phase("Scenario", "场景", lambda p: p.scenario)


def scenario(t: Words, name: str) -> str:
    """A row's scenario as a cell; names that are ordinary words are translated."""
    return t(name, {"plain": "非流式", "stream": "流式"}.get(name, name))


def _statuses(phase: PhaseNumbers) -> dict[str, int]:
    """Requests by HTTP status; those that were not sent, apart from those without an answer."""
    without = phase.status_counts.get("None", 0) - phase.dropped
    counts = {status: n for status, n in phase.status_counts.items() if status != "None"}
    return (
        counts
        | ({"None": without} if without > 0 else {})
        | ({"dropped": phase.dropped} if phase.dropped else {})
    )


CONCURRENCY = _phase("Concurrency", "并发", lambda p: p.target, integer)

# ---- what became of them

REQUESTS = _phase("Requests", "请求", lambda p: p.planned, integer)
PLANNED = _phase("Planned", "计划请求", lambda p: p.planned, integer)
SENT = _phase("Sent", "已发送", lambda p: p.sent, integer)
SUCCESS = _phase("Success", "成功", lambda p: p.success, integer)
SUCCESS_RATE = _phase("Success rate", "成功率", lambda p: p.success_rate, percent)
OUTCOMES = _phase("Outcomes", "结果分布", lambda p: p.outcomes, tally)
STATUSES = _phase("HTTP status", "状态分布", _statuses, tally)
UNANSWERED = _phase("No answer", "无应答", lambda p: p.unanswered, integer)
OUTCOME = Name("Outcome", "结果")
HTTP, RPM, TASK_ID, TPM = map(field, ("HTTP", "RPM", "task_id", "TPM"))

# ---- rates

OBSERVED_RPM = _phase("Observed RPM", "观测 RPM", lambda p: p.observed_rpm, rate)
OBSERVED_TPM = _phase("Observed TPM", "观测 TPM", lambda p: p.observed_tpm, rate)
OUTPUT = _phase("Output tokens/s", "输出 token/秒", lambda p: p.output_per_s, rate)
GOODPUT = _phase("Goodput /s", "有效吞吐（/秒）", lambda p: p.goodput_rps, rate)
ATTAINMENT = _phase("Attainment", "达标率", lambda p: p.attainment, percent)
WALL = _phase("Wall clock", "墙钟耗时", lambda p: p.wall_s, seconds)

# ---- times


def latency(rank: Fraction | int) -> Rank:
    """The column of a percentile of the latency, over the successes."""
    label = f"P{decimal(rank)}"
    return Column(
        Name(f"{label} latency", f"{label} 延迟"),
        lambda p: Ranked(p.latency.at(rank), rank, p.success),
        _ranked(seconds),
    )


def ttft(rank: Fraction | int) -> Rank:
    """The column of a percentile of the time to the first token, over the streams with one."""
    return Column(
        field(f"TTFT P{decimal(rank)}"),
        lambda p: Ranked(p.ttft.at(rank), rank, p.streams),
        _ranked(seconds),
    )


def tpot(rank: Fraction | int) -> Rank:
    """The column of a percentile of the time per output token, over the same streams."""
    return Column(
        field(f"TPOT P{decimal(rank)}"),
        lambda p: Ranked(p.tpot.at(rank), rank, p.streams),
        _ranked(milliseconds),
    )


LATENCY_P50, LATENCY_P95, LATENCY_P99 = latency(50), latency(95), latency(99)
TTFT_P50 = ttft(50)

# ---- tokens and money

INPUT_TOKENS = Name("Input tokens", "输入 token")
HIT_RATE = Name("Hit rate", "命中率")
CONTENT, REASONING_CONTENT, CACHED_TOKENS = map(
    field, ("content", "reasoning_content", "cached_tokens")
)
PROMPT, COMPLETION, CACHED = map(field, ("prompt", "completion", "cached"))
TOTAL_TOKENS = _phase("total_tokens", "total_tokens", lambda p: p.total_tokens, integer)
API_COST: PhaseColumn[Cost] = Column(
    Name("API cost", "API 返回费用"),
    lambda p: Cost(p.cost_sum, p.cost_unknown_success_count),
    _money,
)
COST_PER_SUCCESS: PhaseColumn[Cost] = Column(
    Name("Cost per success", "单次成功成本"), lambda p: Cost(p.cost_per_success), _money
)


def money(name: Name, amount: Callable[[Value], float | None]) -> Column[Value, Cost]:
    """A column of amounts in the run's currency."""
    return Column(name, lambda item: Cost(amount(item)), _money)


# ---- other names in several tables

BILL_BY_CASE = Name("The bill, case by case", "逐项核对账单")
COST = Name("Cost", "费用")
CONCLUSION = Name("Conclusion", "结论")
FOUND = Name("Found", "实测")
GATEWAY = Name("Gateway", "网关")
INTERVAL = Name("95% interval", "95% 区间")
ESTIMATE = Name("estimate", "估计值")
DIFFERENCE_MS = Name("difference, ms", "差值（毫秒）")
AT_ONCE = Name("concurrency", "并发")
METRIC = Name("Metric", "指标")
MODE = Name("Mode", "模式")
NOTE = Name("Note", "备注")
PAIRS = Name("Pairs", "配对")
RESULT = Name("Result", "结论")
RUN = Name("Run", "运行")
SHARE = Name("Share", "占比")
SOURCE = Name("Source", "来源")
STARTED = Name("Started", "开始时间")
VERDICT = Name("Verdict", "判定")
WHAT = Name("What", "项目")
CHARGED = Name("Charged", "计费")
FAULT = Name("Fault", "故障")
TRIES = Name("Asked the provider, at least", "至少调用上游次数")

# ---- words in cells

GENERATOR_LIMITED = Name("generator-limited", "受压测端限制")
MET = Name("met", "达到")
NONE = Name("none", "无")
NOT_SHOWN = Name("no difference shown", "未见显著差异")
AGREE, DISAGREE = Name("agree", "一致"), Name("do not agree", "不一致")
NO_FAULT = Name("no fault", "无故障")


def failed(t: Words, how: str) -> str:
    """A cell that says how a request failed; `how` is its outcome."""
    return t(f"failed: {how}", f"失败：{how}")


# ---- axes and legends of charts

INTO_PHASE_S = Name("s into the phase", "阶段内时间（秒）")
LATENCY_S = Name("latency, s", "延迟（秒）")
LATENCY_P95_S = Name("P95 latency, s", "P95 延迟（秒）")
SENT_S = Name("sent, s into the phase", "发送时刻（阶段内秒）")
SUCCESS_PERCENT = Name("success, %", "成功率（%）")
SUCCESSES = Name("success", "成功")

BEHIND = Name("by the log of the upstreams behind the gateway", "依据网关后方上游的日志")
TOO_FEW_REPLIES = Name("too few replies", "可用的应答太少")
SIMULATED_RUN = Name("SIMULATED: made on the simulator.", "SIMULATED 模拟运行：数据来自模拟器。")
SIMULATED_RUNS = Name(
    "SIMULATED: at least one of these runs was made on Weighbridge's own simulator.",
    "SIMULATED 模拟运行：其中至少一次运行来自 Weighbridge 自带模拟器。",
)
