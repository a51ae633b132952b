"""Was the load what was planned? Offered and achieved rates, send lag, latency from due."""

from typing import Any

from analysis.page.blocks import Block, Section, Table
from analysis.page.words import ABSENT, integer, milliseconds, rate, seconds
from analysis.report.sections import stated_times
from analysis.report.view import View

PLACE = 180  # in the report


def section(view: View) -> Section:
    """Rates of the windows, then each phase's punctuality, then latency from the due time."""
    t = view.t
    blocks: list[Block] = []
    offered = [p for p in view.phases if p["offered_rpm"] is not None]
    timed = [p for p in view.phases if p["send_lag_p99_s"] is not None]
    judged = [p for p in view.phases if p["generator_limited"] is not None]
    if offered:
        blocks.append(_rates(view, offered))
    if judged:
        blocks.append(_lag(view, judged))
    if timed:
        blocks.append(_from_due(view, timed))
    blocks += stated_times.blocks(view)
    return Section(t("Load and generator", "负载与压测端"), blocks)


def _rates(view: View, phases: list[dict[str, Any]]) -> Table:
    t = view.t
    return Table(
        title=t("Offered and achieved", "计划速率与实际速率"),
        headers=(
            t("Phase", "阶段"),
            t("Planned", "计划请求"),
            t("Sent", "已发送"),
            t("Success", "成功"),
            t("Dropped", "未发出"),
            t("Offered RPM", "计划 RPM"),
            t("In-window RPM", "窗口内 RPM"),
            t("Observed RPM", "观测 RPM"),
            t("In-window TPM", "窗口内 TPM"),
            t("Observed TPM", "观测 TPM"),
            t("Wall clock", "墙钟耗时"),
        ),
        rows=[
            (
                phase["phase"],
                *(integer(phase[name]) for name in ("planned", "sent", "success", "dropped")),
                rate(phase["offered_rpm"]),
                rate(phase["window_rpm"]),
                rate(phase["observed_rpm"]),
                rate(phase["window_tpm"]),
                rate(phase["observed_tpm"]),
                seconds(phase["wall_s"]),
            )
            for phase in phases
        ],
        how=t(
            "Offered = planned / window; in-window counts the successes completed inside the "
            "window; observed divides all successes by the wall clock, which includes the drain "
            "after the last send.",
            "计划 RPM = 计划请求 / 窗口；窗口内只计窗口结束前完成的成功请求；"
            "观测值以墙钟耗时（含最后发送后的收尾）为分母。",
        ),
    )


def _lag(view: View, phases: list[dict[str, Any]]) -> Table:
    t = view.t
    return Table(
        title=t("Lag of the generator", "压测端滞后"),
        headers=(
            t("Phase", "阶段"),
            t("Send P50", "发送 P50"),
            t("Send P99", "发送 P99"),
            t("Send max", "发送最大"),
            t("Limit", "上限"),
            t("Loop P99", "事件循环 P99"),
            t("Loop max", "事件循环最大"),
            t("Limit", "上限"),
            t("Verdict", "判定"),
        ),
        rows=[
            (
                phase["phase"],
                milliseconds(phase["send_lag_p50_s"]),
                milliseconds(phase["send_lag_p99_s"]),
                milliseconds(phase["send_lag_max_s"]),
                milliseconds(phase["send_lag_limit_s"]),
                milliseconds(phase["loop_lag_p99_s"]),
                milliseconds(phase["loop_lag_max_s"]),
                milliseconds(_least(phase["loop_lag_limit_s"], phase["chunk_lag_limit_s"])),
                _verdict(view, phase["generator_limited"]),
            )
            for phase in phases
        ],
        how=t(
            "Send lag = first byte written - due time; loop lag = how late the generator's event "
            "loop was for probes due every 50 ms, as it was for the bytes of answers. Where the "
            "P99 of either exceeds 5% of the median latency (loop lag of streams: 5% of the "
            "median TTFT, or half of the median gap between chunks), but never less than 2 ms, "
            "the phase measured the generator.",
            "发送滞后 = 写出首字节时刻 − 计划时刻；事件循环滞后为每 50 ms 一次的探针被延迟的时间，"
            "应答字节的读取同样被延迟。任一 P99 超过中位延迟的 5%（流式的事件循环滞后："
            "中位 TTFT 的 5% 或 chunk 间隔中位数的一半），且不低于 2 ms，"
            "则该阶段测到的是压测端自身。",
        ),
    )


def _least(*limits_s: float | None) -> float | None:
    return min((limit for limit in limits_s if limit is not None), default=None)


def _verdict(view: View, limited: bool | None) -> str:
    if limited is None:
        return ABSENT
    return view.t("generator-limited", "受压测端限制") if limited else view.t("on time", "按时")


def _from_due(view: View, phases: list[dict[str, Any]]) -> Table:
    t = view.t
    latency, due = t("From send", "自发送"), t("From due", "自计划")
    return Table(
        title=t("Latency from send and from due", "自发送与自计划时刻的延迟"),
        headers=(
            t("Phase", "阶段"),
            *(f"{latency} {rank}" for rank in view.ranks),
            t("No answer", "无应答"),
            *(f"{due} {rank}" for rank in view.ranks),
        ),
        rows=[
            (
                phase["phase"],
                *map(seconds, view.ranked(phase, "latency")),
                integer(phase["unanswered"]),
                *map(seconds, view.ranked(phase, "latency_from_due")),
            )
            for phase in phases
        ],
        how=t(
            "Latency from due is what a punctual client would have seen: late sends cannot hide "
            "queueing in it.",
            "自计划时刻的延迟即准时客户端所见：发送滞后无法掩盖排队。",
        ),
    )
