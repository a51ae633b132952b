"""Was the load as planned? Offered and achieved rates, send lag, latency from the due time."""

from fractions import Fraction

from analysis.numbers.phase_numbers import PhaseNumbers
from analysis.page.blocks import Block, Section, Table
from analysis.page.columns import Name, table
from analysis.page.vocabulary import (
    GENERATOR_LIMITED,
    OBSERVED_RPM,
    OBSERVED_TPM,
    PHASE,
    PLANNED,
    SENT,
    SUCCESS,
    UNANSWERED,
    VERDICT,
    WALL,
    Rank,
    Ranked,
    latency,
)
from analysis.page.words import ABSENT, integer, milliseconds, rate
from analysis.report.sections import stated_times
from analysis.report.view import View
from rules.percentiles import decimal

_LIMIT = Name("Limit", "上限")

PLACE = 180  # in the report


def section(view: View) -> Section:
    """Rates of the windows, then each phase's punctuality, then latency from the due time."""
    t = view.t
    blocks: list[Block] = []
    offered = [p for p in view.phases if p.offered_rpm is not None]
    timed = [p for p in view.phases if p.send_lag.p99_s is not None]
    lag_phases = [p for p in view.phases if p.generator_limited is not None]
    if offered:
        blocks.append(_rates(view, offered))
    if lag_phases:
        blocks.append(_lag(view, lag_phases))
    if timed:
        blocks.append(_latencies(view, timed))
    blocks += stated_times.blocks(view)
    return Section(t("Load and generator", "负载与压测端"), blocks, folded=True)


def _rates(view: View, phases: list[PhaseNumbers]) -> Table:
    t = view.t
    return table(
        t,
        phases,
        [
            PHASE,
            PLANNED,
            SENT,
            SUCCESS,
            Name("Dropped", "未发出").of(lambda p: p.dropped, integer),
            Name("Offered RPM", "计划 RPM").of(lambda p: p.offered_rpm, rate),
            Name("In-window RPM", "窗口内 RPM").of(lambda p: p.window_rpm, rate),
            OBSERVED_RPM,
            Name("In-window TPM", "窗口内 TPM").of(lambda p: p.window_tpm, rate),
            OBSERVED_TPM,
            WALL,
        ],
        title=t("Offered and achieved", "计划速率与实际速率"),
        how=t(
            "Offered = planned / window; in-window counts the successes completed inside the "
            "window; observed divides all successes by the wall clock, which includes the drain "
            "after the last send.",
            "计划 RPM = 计划请求 / 窗口；窗口内只计窗口结束前完成的成功请求；"
            "观测值以墙钟耗时（含最后发送后的收尾）为分母。",
        ),
    )


def _lag(view: View, phases: list[PhaseNumbers]) -> Table:
    t = view.t
    return table(
        t,
        phases,
        [
            PHASE,
            Name("Send P50", "发送 P50").of(lambda p: p.send_lag.p50_s, milliseconds),
            Name("Send P99", "发送 P99").of(lambda p: p.send_lag.p99_s, milliseconds),
            Name("Send max", "发送最大值").of(lambda p: p.send_lag_max_s, milliseconds),
            _LIMIT.of(lambda p: p.send_lag_limit_s, milliseconds),
            Name("Loop P99", "事件循环 P99").of(lambda p: p.loop_lag_p99_s, milliseconds),
            Name("Loop max", "事件循环最大值").of(lambda p: p.loop_lag_max_s, milliseconds),
            _LIMIT.of(lambda p: _least(p.loop_lag_limit_s, p.chunk_lag_limit_s), milliseconds),
            VERDICT.of(lambda p: _verdict(view, p.generator_limited)),
        ],
        title=t("Lag of the generator", "压测端滞后"),
        how=t(
            "Send lag = first byte written - due time; loop lag = how late the generator's event "
            "loop was for probes due every 50 ms, and so for the bytes of answers. If the P99 of "
            "either exceeds its limit, the phase measured the generator. The limit is 5% of the "
            "median latency (loop lag of streams: 5% of the median TTFT, or half of the median gap "
            "between chunks), and at least 2 ms.",
            "发送滞后 = 写出首字节时刻 − 计划时刻；事件循环滞后为每 50 ms 一次的探针被延迟的时间，"
            "应答字节的读取同样被延迟。上限为中位延迟的 5%（流式的事件循环滞后："
            "中位 TTFT 的 5%，或 chunk 间隔中位数的一半），至少 2 ms；"
            "任一 P99 超过上限，则该阶段测到的是压测端自身。",
        ),
    )


def _least(*limits_s: float | None) -> float | None:
    return min((limit for limit in limits_s if limit is not None), default=None)


def _verdict(view: View, limited: bool | None) -> str:
    if limited is None:
        return ABSENT
    return view.t(*GENERATOR_LIMITED) if limited else view.t("on time", "准时")


def _from_send(rank: Fraction) -> Name:
    return Name(f"From send P{decimal(rank)}", f"从发送起 P{decimal(rank)}")


def _from_due(rank: Fraction) -> Rank:
    name = Name(f"From due P{decimal(rank)}", f"从计划起 P{decimal(rank)}")
    return (
        latency(rank)
        .called(name)
        .of(lambda p: Ranked(p.latency_from_due.at(rank), rank, p.success))
    )


def _latencies(view: View, phases: list[PhaseNumbers]) -> Table:
    t = view.t
    return table(
        t,
        phases,
        [
            PHASE,
            *(latency(rank).called(_from_send(rank)) for rank in view.percents),
            UNANSWERED,
            *map(_from_due, view.percents),
        ],
        title=t("Latency from send and from due", "从发送时刻、从计划时刻起算的延迟"),
        how=t(
            "Latency from due is what a punctual client would have seen: late sends cannot hide "
            "queueing from it.",
            "从计划发送时刻起算，压测端迟发不会掩盖排队时间。",
        ),
    )
