"""RPM and TPM windows, as the article's section 3."""

from typing import Any

from analysis.page.blocks import Column, Section, Table, tabulated
from analysis.page.words import integer, rate, seconds, tally
from analysis.report import plots
from analysis.report.sections.phase_columns import PhaseColumn, goodput, number, ranked
from analysis.report.view import View

PLACE = 70  # in the report


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
    return tabulated(
        phases,
        [*_window(view, target), *_latency(view)],
        title=title,
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
    return tabulated(
        phases,
        [
            *_window(view, t("Target TPM", "调度目标 TPM")),
            number("total_tokens", "total_tokens", integer),
            *_latency(view),
        ],
        title=t("TPM results", "TPM 结果"),
        how=t(
            "Observed TPM = the successes' total_tokens as the API returned them / wall clock × "
            "60.",
            "观测 TPM = 成功请求由 API 返回的 total_tokens 之和 / 墙钟耗时 × 60。",
        ),
    )


def _window(view: View, target: str) -> list[PhaseColumn]:
    """Whose window it was, what became of its requests, and the rates."""
    t = view.t
    return [
        number(t("Model", "模型"), "model_requested"),
        number(target, "target", integer),
        number(t("Planned", "计划请求"), "planned", integer),
        number(t("Success", "成功"), "success", integer),
        number(t("Status", "状态分布"), "status_counts", tally),
        number(t("Observed RPM", "观测 RPM"), "observed_rpm", rate),
        number(t("Observed TPM", "观测 TPM"), "observed_tpm", rate),
    ]


def _latency(view: View) -> list[PhaseColumn]:
    t = view.t
    return [
        *ranked(view, ("{} latency", "{} 延迟"), "latency", seconds),
        Column(
            t("API cost", "API 返回费用"),
            lambda phase: t.money(phase["cost_sum"], phase["cost_unknown_success_count"]),
        ),
        number(t("No answer", "无应答"), "unanswered", integer),
        number(t("Output tokens/s", "输出 token/秒"), "output_per_s", rate),
        *goodput(view),
    ]
