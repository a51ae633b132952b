"""Token timing of streams: the first token, the speed of the rest, gaps, stalls, the tail."""

from fractions import Fraction

from analysis.numbers.phase_numbers import PhaseNumbers
from analysis.page.blocks import Section, Table
from analysis.page.columns import Name, table
from analysis.page.vocabulary import OUTPUT, PHASE, UNANSWERED, Time, tpot, ttft
from analysis.page.words import ABSENT, integer, milliseconds, rate, seconds
from analysis.report.sections.slo import goodput
from analysis.report.view import View
from rules.percentiles import decimal
from rules.stream_timing import STALL_LIMIT_S

PLACE = 170  # in the report


def section(view: View) -> Section:
    """Three tables with a row per phase that streamed, none wider than its page: the first token,
    the speed of the rest, and the gaps.
    """
    phases = [phase for phase in view.phases if phase.streams]
    tables = [make(view, phases) for make in (_first, _speed, _gaps)] if phases else []
    return Section(view.t("Streams", "流式时延"), [*tables])


def _first(view: View, phases: list[PhaseNumbers]) -> Table:
    t = view.t
    return table(
        t,
        phases,
        [
            PHASE,
            Name("Streams", "流式请求").of(lambda p: p.streams, integer),
            *map(ttft, view.percents),
            UNANSWERED,
            Name("First visible P50", "首个可见 P50").of(lambda p: p.first_visible.p50_s, seconds),
        ],
        title=t("First token", "首个 token"),
        how=t(
            "TTFT runs from send to the first token, reasoning or visible.",
            "TTFT 为从发送到首个 token（推理或可见）的时间。",
        ),
    )


def _speed(view: View, phases: list[PhaseNumbers]) -> Table:
    t = view.t
    return table(
        t,
        phases,
        [
            PHASE,
            *map(tpot, view.percents),
            Name("TPOT unknown", "TPOT 未知").of(lambda p: p.tpot_unknown_count, integer),
            OUTPUT,
            Name("Per request P50", "单次请求 P50").of(lambda p: p.request_output_p50_per_s, rate),
            Name("Slowest 5 %", "最慢 5%").of(lambda p: p.request_output_p5_per_s, rate),
            *goodput(view),
        ],
        title=t("Speed", "输出速度"),
        how=t(
            "TPOT = (last token - first token) / (tokens - 1), for streamed tokens. It is unknown "
            "if the chunks do not resolve tokens (one arrival, or more than four tokens per "
            "arrival); its percentiles count unknown as slowest. Output tokens/s: completion "
            "tokens of all successes / wall clock; per request: its own tokens / its latency.",
            "TPOT =（末 token − 首 token）/"
            "（token 数 − 1），仅计流式传输的 token。若 chunk 无法分辨各 token 的时刻"
            "（只到达一次，或每次到达超过 4 个 token），TPOT 为未知，在百分位中按最慢计。"
            "输出 token/秒：全部成功请求的 completion token / 墙钟耗时；"
            "以及单个请求各自除以其延迟。",
        ),
    )


def _gaps(view: View, phases: list[PhaseNumbers]) -> Table:
    t = view.t
    limit = stall_limit_s(view)
    return table(
        t,
        phases,
        [
            PHASE,
            Name("Tokens per chunk", "每 chunk token").of(lambda p: p.tokens_per_chunk, _amount),
            *map(_gap, view.percents),
            Name("Longest gap", "最长间隔").of(lambda p: p.inter_chunk_max_s, milliseconds),
            Name(f"Gaps above {limit:g} s", f"超过 {limit:g} 秒的间隔").of(
                lambda p: p.stalls, integer
            ),
            Name("Streams with one", "出现卡顿的流").of(lambda p: p.stalled_streams, integer),
            Name("Tail P50", "尾部 P50").of(lambda p: p.tail.p50_s, milliseconds),
            Name("Tail P95", "尾部 P95").of(lambda p: p.tail.p95_s, milliseconds),
        ],
        title=t("Gaps, stalls, tails", "间隔、卡顿与尾部"),
        how=t(
            "A gap lies between two chunks that carry text; its percentiles cover all gaps of the "
            "phase's streams together, like ITL in other tools, to within 2.4 %. The tail runs "
            "from the last token to the last byte: usage, cost, [DONE].",
            "间隔指两个携带文本的 chunk 之间的时间；百分位取自该阶段所有流的全部间隔（即其他工具的 "
            "ITL），误差不超过 2.4%。尾部为末 token 到末字节：用量、费用、[DONE]。",
        ),
    )


def _gap(rank: Fraction) -> Time:
    label = decimal(rank)
    return Name(f"Gap P{label}", f"间隔 P{label}").of(lambda p: p.itl.at(rank), milliseconds)


def stall_limit_s(view: View) -> float:
    """The run's `--stall-limit`, seconds."""
    limit_s = view.run.options.get("stall_limit")
    return float(limit_s) if isinstance(limit_s, int | float) and limit_s > 0 else STALL_LIMIT_S


def _amount(value: float | None) -> str:
    return ABSENT if value is None else f"{value:.1f}"
