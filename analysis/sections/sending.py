"""Was the load what was planned? Offered and achieved rates, send lag, latency from due."""

from typing import Any

from analysis.page import Block, Section, Table
from analysis.sections import View
from analysis.words import ABSENT, integer, milliseconds, rate, seconds


def section(view: View) -> Section:
    """Rates of the windows, then each phase's punctuality, then latency from the due time."""
    t = view.t
    blocks: list[Block] = []
    offered = [p for p in view.phases if p["offered_rpm"] is not None]
    timed = [p for p in view.phases if p["send_lag_p99_s"] is not None]
    if offered:
        blocks.append(_rates(view, offered))
    if timed:
        blocks += [_lag(view, timed), _from_due(view, timed)]
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
        title=t("Send lag", "发送滞后"),
        headers=(
            t("Phase", "阶段"),
            "P50",
            "P99",
            t("Max", "最大"),
            t("Limit", "上限"),
            t("Loop lag max", "事件循环最大停顿"),
            t("Verdict", "判定"),
        ),
        rows=[
            (
                phase["phase"],
                milliseconds(phase["send_lag_p50_s"]),
                milliseconds(phase["send_lag_p99_s"]),
                milliseconds(phase["send_lag_max_s"]),
                milliseconds(phase["send_lag_limit_s"]),
                milliseconds(_loop_lag(view, phase["phase"])),
                _verdict(view, phase["generator_limited"]),
            )
            for phase in phases
        ],
        how=t(
            "Send lag = first byte written - due time. Where its P99 exceeds 5% of the median "
            "latency, or the generator's event loop stalled, the phase measured the generator.",
            "发送滞后 = 写出首字节时刻 − 计划时刻。若 P99 超过中位延迟的 5%，"
            "或压测端事件循环停顿，则该阶段测到的是压测端自身。",
        ),
    )


def _loop_lag(view: View, phase: str) -> float | None:
    found = [
        (event.get("generator") or {}).get("loop_lag_max_s")
        for event in view.run.events_of("phase_end", phase)
    ]
    return max((float(lag) for lag in found if lag is not None), default=None)


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
            *(f"{latency} P{p}" for p in (50, 95, 99)),
            *(f"{due} P{p}" for p in (50, 95, 99)),
        ),
        rows=[
            (
                phase["phase"],
                *(seconds(phase[f"latency_p{p}_s"]) for p in (50, 95, 99)),
                *(seconds(phase[f"latency_from_due_p{p}_s"]) for p in (50, 95, 99)),
            )
            for phase in phases
        ],
        how=t(
            "Latency from due is what a punctual client would have seen: late sends cannot hide "
            "queueing in it.",
            "自计划时刻的延迟即准时客户端所见：发送滞后无法掩盖排队。",
        ),
    )
