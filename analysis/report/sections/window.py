"""RPM and TPM windows, as the article's section 3."""

from typing import Any

from analysis.page.blocks import Section, Table
from analysis.page.words import integer, rate, seconds, tally
from analysis.report import plots
from analysis.report.sections import slo
from analysis.report.view import View


def section(view: View) -> Section:
    """The RPM table and the TPM table; a steady or soak window reads as an RPM one."""
    t = view.t
    kinds = {phase["name"]: phase.get("kind") for phase in view.run.plan}
    paced, tpm = view.of("rpm", "soak", "replay"), view.of("tpm")
    held = [phase for phase in paced if kinds.get(phase["phase"]) == "steady"]
    rpm = [phase for phase in paced if phase not in held]
    tables = []
    if rpm:
        tables.append(_rpm(view, rpm, t("RPM results", "RPM 结果"), t("Target RPM", "目标 RPM")))
    if held:
        tables.append(_rpm(view, held, t("Held concurrency", "保持并发"), t("Concurrency", "并发")))
    if tpm:
        tables.append(_tpm(view, tpm))
    lengths = sorted({p["duration_s"] for p in paced + tpm if p["duration_s"] is not None})
    length = "/".join(f"{s:g}" for s in lengths)
    return Section(
        t(f"RPM/TPM: scheduled windows of {length} s", f"RPM/TPM：{length} 秒调度窗口结果"),
        [*tables, *plots.windows(view, paced + tpm)],
    )


def _rpm(view: View, phases: list[dict[str, Any]], title: str, target: str) -> Table:
    t = view.t
    return Table(
        title=title,
        headers=(
            t("Model", "模型"),
            target,
            *_counted(view),
            *_measured(view),
        ),
        rows=[
            (
                phase["model_requested"],
                integer(phase["target"]),
                *_counts(phase),
                rate(phase["observed_rpm"]),
                rate(phase["observed_tpm"]),
                *_latency(view, phase),
            )
            for phase in phases
        ],
        how=t(
            "Observed RPM = successes / wall clock × 60, and TPM likewise with the successes' "
            "total_tokens; the wall clock runs to the last completion. Output tokens/s = the "
            "successes' completion tokens / wall clock. Percentiles are nearest ranks over the "
            "successes, from send to last byte.",
            "观测 RPM = 成功请求数 / 墙钟耗时 × 60，TPM 以成功请求的 total_tokens 同样计算；"
            "墙钟计至最后一个请求完成。输出 token/秒 = 成功请求的 completion token / 墙钟耗时。"
            "百分位为成功请求从发送到末字节的最近秩百分位。",
        ),
    )


def _tpm(view: View, phases: list[dict[str, Any]]) -> Table:
    t = view.t
    measured = _measured(view)
    return Table(
        title=t("TPM results", "TPM 结果"),
        headers=(
            t("Model", "模型"),
            t("Target TPM", "调度目标 TPM"),
            *_counted(view),
            *measured[:2],
            "total_tokens",
            *measured[2:],
        ),
        rows=[
            (
                phase["model_requested"],
                integer(phase["target"]),
                *_counts(phase),
                rate(phase["observed_rpm"]),
                rate(phase["observed_tpm"]),
                integer(phase["total_tokens"]),
                *_latency(view, phase),
            )
            for phase in phases
        ],
        how=t(
            "Observed TPM = the successes' total_tokens as the API returned them / wall clock × "
            "60.",
            "观测 TPM = 成功请求由 API 返回的 total_tokens 之和 / 墙钟耗时 × 60。",
        ),
    )


def _counted(view: View) -> tuple[str, ...]:
    t = view.t
    return (t("Planned", "计划请求"), t("Success", "成功"), t("Status", "状态分布"))


def _counts(phase: dict[str, Any]) -> tuple[str, ...]:
    return (
        integer(phase["planned"]),
        integer(phase["success"]),
        tally(phase["status_counts"]),
    )


def _measured(view: View) -> tuple[str, ...]:
    t = view.t
    return (
        t("Observed RPM", "观测 RPM"),
        t("Observed TPM", "观测 TPM"),
        *(t(f"{rank} latency", f"{rank} 延迟") for rank in view.ranks),
        t("API cost", "API 返回费用"),
        t("No answer", "无应答"),
        t("Output tokens/s", "输出 token/秒"),
        *slo.headers(view),
    )


def _latency(view: View, phase: dict[str, Any]) -> tuple[str, ...]:
    return (
        *map(seconds, view.ranked(phase, "latency")),
        view.t.money(phase["cost_sum"], phase["cost_unknown_success_count"]),
        integer(phase["unanswered"]),
        rate(phase["output_per_s"]),
        *slo.cells(view, phase),
    )
