"""Capacity: the most likely bracket from the trials, and the curve from level to latency."""

from collections.abc import Callable
from dataclasses import replace
from math import ceil
from types import SimpleNamespace
from typing import Any

from analysis.numbers.model_numbers import CapacityNumbers
from analysis.numbers.phase_numbers import PhaseNumbers
from analysis.numbers.warmup import trimmed, warmup_s
from analysis.page.blocks import Block, Remark, Section, Table
from analysis.page.chart import Chart, Series
from analysis.page.columns import Name, table
from analysis.page.vocabulary import (
    API_COST,
    ATTAINMENT,
    GOODPUT,
    LATENCY_P95,
    LATENCY_P95_S,
    MET,
    OBSERVED_RPM,
    OUTCOMES,
    SUCCESS_RATE,
    SUCCESSES,
    UNANSWERED,
    PhaseColumn,
)
from analysis.page.words import ABSENT, integer, percent
from analysis.reading.load import rows
from analysis.report.view import View
from recording.counted import counted
from recording.events import (
    BudgetSpent,
    Failed,
    PaymentRequired,
    PhaseEnd,
    Stopped,
    StopRule,
    WorkerLost,
)
from rules.bracket import Bracket, Trial, bracket
from rules.objectives import Attained, answers, fewest, judge
from rules.slo import Slo

PLACE = 40  # in the report
_LOOKED_AT = (
    "outcome", "success", "stream", "worker", "elapsed_sec", "ttft_s", "last_token_s", "chunks",
    "arrivals", "completion_tokens", "reasoning_tokens", "reasoning_content_present", "api_cost",
    "scheduled_offset_s", "sent_offset_s", "send_lag_s", "in_flight", "http_status", "cancel_after",
)  # fmt: skip
_READ = (*_LOOKED_AT, "phase", "done_offset_s", "duration_s")
_CUT = (BudgetSpent, PaymentRequired, Stopped, Failed, WorkerLost)
"""Events that end a trial for a reason that is not the gateway's: its rows are no answer."""

SOUND = 0.9
"""A bracket with a lower confidence is reported as doubtful."""
OURS = ("generator", "users", "few")
"""Causes that are a limit of the load generator."""

_SHOWN: list[PhaseColumn[Any]] = [
    OBSERVED_RPM, LATENCY_P95, UNANSWERED, SUCCESS_RATE, GOODPUT, ATTAINMENT, OUTCOMES, API_COST,
]  # fmt: skip
"""The columns shown for each window."""

Trials = list[tuple[PhaseNumbers, Attained | None]]


def section(view: View) -> Section:
    """For each model: the bracket, the curve, and every trial."""
    t, slo = view.t, view.slo
    title = t("Capacity", "容量")
    phases = view.of_modes("capacity")
    if slo is None or not phases:
        return Section(title)
    blocks: list[Block] = []
    tables: list[Block] = []
    for model, trials in _searches(view, slo).items():
        capacity = bracket_of(trials)
        blocks += [
            _remark(view, model, trials, capacity),
            *_few(view, slo, model, trials, capacity),
        ]
        blocks += _doubtful(view, model, trials, capacity)
        tables += [*_charts(view, model, trials), _table(view, model, trials)]
    return Section(title, [*blocks, *tables])


def findings(view: View) -> list[Remark]:
    """The bracket of every model in one sentence, for the first page."""
    if view.slo is None or not view.of_modes("capacity"):
        return []
    t, searches = view.t, _searches(view, view.slo)
    remarks = [
        _remark(view, model, trials, bracket_of(trials)) for model, trials in searches.items()
    ]
    return [replace(one, head=t.first_sentence(one.text)) for one in remarks]


def numbers(view: View) -> list[CapacityNumbers]:
    """The bracket of every model."""
    slo = view.slo
    if slo is None:
        return []
    results = []
    for model, trials in _searches(view, slo).items():
        capacity = bracket_of(trials)
        broke = _broke(trials, capacity)
        results.append(
            CapacityNumbers(
                model_requested=model,
                unit="concurrency" if _closed(view, trials[0][0]) else "rpm",
                met=capacity.low,
                missed=capacity.high,
                confidence=capacity.stated_confidence,
                windows=len(trials),
                answered=len(_counting(trials)),
                causes=sorted({answer.cause for answer in broke if answer.cause}),
                missed_objectives=sorted({name for answer in broke for name in answer.missed}),
                limited_by_us=_ours(trials, capacity),
            )
        )
    return results


def _searches(view: View, slo: Slo) -> dict[str, Trials]:
    """Every trial, by model."""
    by_model: dict[str, Trials] = {}
    for phase in view.of_modes("capacity"):
        trial = (phase, _attained(view, slo, phase))
        by_model.setdefault(phase.model_requested, []).append(trial)
    return by_model


def _counting(trials: Trials) -> list[tuple[PhaseNumbers, Attained]]:
    """The trials that count as answers, by the rule of the search."""
    answered = [(phase, answer) for phase, answer in trials if answer is not None]
    levels = [(_level(phase), answer) for phase, answer in answered]
    return [pair for pair, counts in zip(answered, answers(levels), strict=True) if counts]


def _broke(trials: Trials, capacity: Bracket) -> list[Attained]:
    """The answers that missed the objectives at the bracket's upper end."""
    return [
        answer
        for phase, answer in _counting(trials)
        if not answer.met and phase.target == capacity.high
    ]


def _ours(trials: Trials, capacity: Bracket) -> bool:
    """Whether the limit was the load generator's.

    A closed loop has no due times to be late for: there, the lag of the event loop tells, because
    every latency includes it.
    """
    return any(
        answer.cause in OURS
        or (answer.cause == "latency" and phase.send_lag.p99_s is None and phase.generator_limited)
        for phase, answer in _counting(trials)
        if not answer.met and phase.target == capacity.high
    )


def bracket_of(trials: Trials) -> Bracket:
    """The most likely bracket, from the trials that count as answers."""
    return bracket(
        [Trial(_level(p), a.met, a.sure, a.likely, a.reliability) for p, a in _counting(trials)]
    )


def _attained(view: View, slo: Slo, phase: PhaseNumbers) -> Attained | None:
    """The trial's answer, as the search judged it; None: it was cut short."""
    run, name = view.run, phase.phase
    cut = any(run.events_of(event, name) for event in _CUT)
    if cut or not run.events_of(PhaseEnd, name):
        return None
    frame, _ = trimmed(view.requests(phase, *_READ), warmup_s(run))
    records = rows(frame[list(_LOOKED_AT)])
    users = next((p.get("users") for p in run.plan if p["name"] == name), None) or len(records)
    objectives = slo.of(phase.mode, phase.model_requested)
    halted = bool(run.events_of(StopRule, name))
    requests = [SimpleNamespace(**row) for row in records]
    return judge(requests, phase.planned, users, objectives, halted)


def _level(phase: PhaseNumbers) -> int:
    """The load that a trial offered: RPM, or requests in flight."""
    if phase.target is None:
        raise ValueError(f"{phase.phase} names no level")
    return phase.target


def _closed(view: View, phase: PhaseNumbers) -> bool:
    """Whether a level is a concurrency rather than a rate."""
    kinds = {p["name"]: p.get("kind") for p in view.run.plan}
    return kinds.get(phase.phase) == "steady"


def _unit(view: View, phase: PhaseNumbers) -> tuple[str, str]:
    """The unit of a level, in both languages."""
    return ("concurrent", "并发") if _closed(view, phase) else ("RPM", "RPM")


def _remark(view: View, model: str, trials: Trials, capacity: Bracket) -> Remark:
    t = view.t
    unit = t(*_unit(view, trials[0][0]))
    if capacity.stated_confidence is None:
        sure = t(
            f"{counted(len(trials), 'window')}, too short for a confidence",
            f"{len(trials)} 个窗口，窗口过短，无法给出置信度",
        )
    else:
        sure = t(
            f"confidence {percent(capacity.stated_confidence, 0)}, "
            f"{counted(len(trials), 'window')}",
            f"置信度 {percent(capacity.stated_confidence, 0)}，{len(trials)} 个窗口",
        )
    broke = _broke(trials, capacity)
    why = t.join(dict.fromkeys(_why(view, answer) for answer in broke))
    ours = _ours(trials, capacity)
    if capacity.low is None and capacity.high is None:
        text = t(f"{model}: no window answered.", f"{model}：没有可用窗口。")
        return Remark("bad", text)
    if capacity.high is None:
        text = t(
            f"{model} meets its objectives up to {capacity.low} {unit}, the highest level tried "
            f"({sure}); its limit was not reached.",
            f"{model} 在所试最高负载档位 {capacity.low} {unit} 仍达到目标（{sure}）；"
            "上限还没有测到。",
        )
        return Remark("note", text)
    if capacity.low is None:
        text = t(
            f"{model} misses its objectives even at {capacity.high} {unit}, the lowest level tried "
            f"({sure}): {why}.",
            f"{model} 在所试最低负载档位 {capacity.high} {unit} 即未达到目标（{sure}）：{why}。",
        )
        return Remark("bad", text)
    limit = t(
        " That is the generator's limit, not the gateway's.", "该上限来自压测端，而非网关。"
    ) if ours else ""  # fmt: skip
    text = t(
        f"{model} meets its objectives at {capacity.low} {unit} and not at {capacity.high} {unit} "
        f"({sure}). It broke by {why}.{limit}",
        f"{model} 在 {capacity.low} {unit} 达到目标，在 {capacity.high} {unit} 未达到（{sure}）。"
        f"未达到的原因：{why}。{limit}",
    )
    return Remark("bad" if ours else "note" if capacity.stated_confidence is None else "good", text)


def _few(view: View, slo: Slo, model: str, trials: Trials, capacity: Bracket) -> list[Remark]:
    """That the windows at the bracket have too few requests to distinguish a limit from chance."""
    t = view.t
    ends = [p for p, a in trials if a is not None and p.target in (capacity.low, capacity.high)]
    if capacity.high is None or not ends:
        return []
    least = min(ends, key=lambda phase: phase.planned)
    planned = least.planned
    needed = {
        condition.metric: fewest(condition)
        for condition in slo.of("capacity", model).statements
        if planned < fewest(condition)
    }
    if not needed or not planned or least.duration_s is None:
        return []
    window_s = max(needed.values()) / planned * least.duration_s
    names, enough_s = t.join(needed), ceil(warmup_s(view.run) + window_s)
    text = t(
        f"{model}: with {planned} requests in a window, a single bad one misses {names}, so chance "
        f"decides. Use --duration {enough_s} or longer.",
        f"{model}：每个窗口仅 {planned} 个请求，一个不合格即未达到 {names}，结果由偶然决定。"
        f"建议 --duration 取 {enough_s} 秒或更长。",
    )
    return [Remark("note", text)]


def _doubtful(view: View, model: str, trials: Trials, capacity: Bracket) -> list[Remark]:
    """That the windows tell too little for a confidence of 90 %, or for any confidence."""
    t, counting = view.t, _counting(trials)
    if not counting or (
        capacity.stated_confidence is not None and capacity.stated_confidence >= SOUND
    ):
        return []
    if capacity.stated_confidence is None:
        text = t(
            f"{model}: a queue makes latency rise and fall in waves, and each window contains only "
            "a few of them. Such windows make a level look better than it is, and more of them do "
            "not help: the capacity may well be lower. Make --duration at least twice as long.",
            f"{model}：排队使延迟成波动起伏，而每个窗口只包含少数几次波动。这样的窗口往往比实际情况好看，"
            "增加窗口数量并无帮助，实际容量很可能更低：请将 --duration 加长一倍或更多。",
        )
        return [Remark("note", text)]
    text = t(
        f"{model}: each window has few independent requests (those in a queue are correlated), "
        "so the bracket is doubtful: use a longer --duration or more --trials.",
        f"{model}：每个窗口内相互独立的请求较少（排队使相邻请求相似），区间并不可靠："
        "请加长 --duration 或增加 --trials。",
    )
    return [Remark("note", text)]


def _why(view: View, answer: Attained) -> str:
    t = view.t
    causes = {
        "": t("nothing", "无"),
        "429": t("refusals (429)", "拒绝（429）"),
        "errors": t("errors", "错误"),
        "latency": t("latency", "延迟"),
        "cost": t("cost", "费用"),
        "users": t(
            "too few users in the generator (--max-workers)", "压测用户不足（--max-workers）"
        ),
        "generator": t("the generator, which was late", "压测端发送滞后"),
        "few": t("too few requests in a window to show it", "窗口内请求数不足以证明达到目标"),
    }
    missed = t.join(answer.missed)
    return causes[answer.cause] + (t(f" ({missed})", f"（{missed}）") if missed else "")


def _table(view: View, model: str, trials: Trials) -> Table:
    t = view.t
    return table(
        t,
        [*enumerate(trials, 1)],
        [
            Name("Try", "次序").of(lambda entry: entry[0]),
            Name("Level", "负载档位").of(lambda entry: entry[1][0].target, integer),
            Name("Answer", "结果").of(lambda entry: _answer(view, entry[1][1])),
            Name("Why", "原因").of(lambda entry: _missed(view, entry[1][1])),
            *(column.on(_phase_of) for column in _SHOWN),
        ],
        title=model,
        how=t(
            "Each try is a window at one level, judged by the objectives. The bracket is the most "
            "likely place of the boundary; each answer is weighted by its effective number of "
            "independent requests (sure: chance exactly at the edge would produce it in less than "
            "1% of windows). A window with a late generator does not count, except for the third "
            "at its level. The confidence is the bracket's share of the likelihood of all places; "
            "none is stated if the windows hold only a few waves of a queue.",
            "每次尝试为某一负载档位上的一个窗口，按目标判定。"
            "每次判定按其相互独立的请求数加权（彼此相似的请求只计一次；"
            "“确定”指处于目标边缘时偶然出现的概率低于 1%），"
            "压测端滞后的窗口不作为判定，同一档位第三次滞后除外。"
            "区间取似然最大的分界位置，置信度为其似然占全部位置之比；"
            "窗口只含少数几次排队波动时，不给出置信度。",
        ),
    )


def _phase_of(entry: tuple[int, tuple[PhaseNumbers, Attained | None]]) -> PhaseNumbers:
    return entry[1][0]


def _missed(view: View, answer: Attained | None) -> str:
    return _why(view, answer) if answer is not None and not answer.met else ABSENT


def _answer(view: View, answer: Attained | None) -> str:
    t = view.t
    if answer is None:
        return t("cut short", "被中止")
    text = t(*MET) if answer.met else t("missed", "未达到")
    return text + (t(", surely", "（确定）") if answer.sure else "")


def _charts(view: View, model: str, trials: Trials) -> list[Chart]:
    """Level against P95, and against success and attainment."""
    t = view.t
    levels = sorted({float(_level(phase)) for phase, _ in trials})
    if len(levels) < 2:
        return []
    name = t(*_unit(view, trials[0][0]))

    def points(
        number: Callable[[PhaseNumbers], float | None], scale: float = 1.0
    ) -> list[tuple[float, float]]:
        known = [(_level(phase), number(phase)) for phase, _ in trials]
        return sorted((float(x), y * scale) for x, y in known if y is not None)

    ticks = tuple(levels[:: max(1, len(levels) // 8)])
    return [
        Chart(
            t(f"P95 latency by level: {model}", f"各负载档位的 P95 延迟：{model}"),
            name,
            t(*LATENCY_P95_S),
            [Series("", points(lambda phase: phase.latency.p95_s), "marked")],
            log_x=True,
            x_ticks=ticks,
        ),
        Chart(
            t(f"Success and attainment by level: {model}", f"各负载档位的成功率与达标率：{model}"),
            name,
            t("share of planned requests, %", "占计划请求（%）"),
            [
                Series(t(*SUCCESSES), points(lambda p: p.success_rate, 100), "marked", 0),
                Series(
                    t("attainment", "达标"),
                    points(lambda p: p.attainment, 100),
                    "marked",
                    1,
                ),
            ],
            log_x=True,
            x_ticks=ticks,
            y_top=100.0,
        ),
        Chart(
            t(f"Goodput by level: {model}", f"各负载档位的有效吞吐：{model}"),
            name,
            t("good requests per second", "每秒合格请求"),
            [Series("", points(lambda phase: phase.goodput_rps), "marked")],
            log_x=True,
            x_ticks=ticks,
        ),
    ]
