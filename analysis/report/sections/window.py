"""RPM and TPM windows, as in section 3 of the article."""

from typing import Any

from analysis.numbers.phase_numbers import PhaseNumbers
from analysis.page.blocks import Section, Table
from analysis.page.columns import Name, table
from analysis.page.vocabulary import (
    API_COST,
    CONCURRENCY,
    MODEL,
    OBSERVED_RPM,
    OBSERVED_TPM,
    OUTPUT,
    PLANNED,
    STATUSES,
    SUCCESS,
    TOTAL_TOKENS,
    UNANSWERED,
    PhaseColumn,
    latency,
)
from analysis.report import plots
from analysis.report.sections.slo import goodput
from analysis.report.view import View

PLACE = 70  # in the report
_RPM = CONCURRENCY.called(Name("Target RPM", "目标 RPM"))
_TPM = CONCURRENCY.called(Name("Target TPM", "调度目标 TPM"))


def section(view: View) -> Section:
    """A table of the RPM, soak and replay windows, one of those with held concurrency, and TPM."""
    t = view.t
    kinds = {phase["name"]: phase.get("kind") for phase in view.run.plan}
    paced, tpm = view.of_modes("rpm", "soak", "replay"), view.of_modes("tpm")
    steady = [phase for phase in paced if kinds.get(phase.phase) == "steady"]
    rpm = [phase for phase in paced if phase not in steady]
    tables = []
    if rpm:
        tables.append(_rpm(view, rpm, t("RPM results", "RPM 结果"), _RPM))
    if steady:
        tables.append(_rpm(view, steady, t("Held concurrency", "保持并发"), CONCURRENCY))
    if tpm:
        tables.append(_tpm(view, tpm))
    lengths = sorted({p.duration_s for p in paced + tpm if p.duration_s is not None})
    length = "/".join(f"{s:g}" for s in lengths)
    return Section(
        t(f"RPM/TPM: scheduled windows of {length} s", f"RPM/TPM：{length} 秒调度窗口结果"),
        [*tables, *plots.windows(view, paced + tpm)],
    )


def _rpm(view: View, phases: list[PhaseNumbers], title: str, target: PhaseColumn[Any]) -> Table:
    t = view.t
    return table(
        t,
        phases,
        [*_window(target), *_latency(view)],
        title=title,
        how=t(
            "Observed RPM = successes / wall clock × 60, and TPM likewise with the successes' "
            "total_tokens; the wall clock runs to the last completion. Output tokens/s = the "
            "successes' completion tokens / wall clock. Percentiles are nearest ranks over the "
            "successes, from send to last byte.",
            "观测 RPM = 成功请求数 / 墙钟耗时 × 60，TPM 以成功请求的 total_tokens 同样计算；"
            "墙钟耗时计至最后一个请求完成。输出 token/秒 = 成功请求的 completion token / 墙钟耗时。"
            "百分位为成功请求从发送到末字节的最近秩百分位。",
        ),
    )


def _tpm(view: View, phases: list[PhaseNumbers]) -> Table:
    t = view.t
    return table(
        t,
        phases,
        [
            *_window(_TPM),
            TOTAL_TOKENS,
            *_latency(view),
        ],
        title=t("TPM results", "TPM 结果"),
        how=t(
            "Observed TPM = the successes' total_tokens as the API returned them / wall clock × "
            "60.",
            "观测 TPM = 成功请求由 API 返回的 total_tokens 之和 / 墙钟耗时 × 60。",
        ),
    )


def _window(target: PhaseColumn[Any]) -> list[PhaseColumn[Any]]:
    """The columns for the model, the target, what became of the requests, and the rates."""
    return [MODEL, target, PLANNED, SUCCESS, STATUSES, OBSERVED_RPM, OBSERVED_TPM]


def _latency(view: View) -> list[PhaseColumn[Any]]:
    return [*map(latency, view.percents), API_COST, UNANSWERED, OUTPUT, *goodput(view)]
