"""Interactive load: what was reached while a person set the number of users."""

from analysis.page.blocks import Section, Table
from analysis.page.words import integer, rate, seconds, tally
from analysis.report import plots
from analysis.report.sections import slo
from analysis.report.view import View

PLACE = 90  # in the report


def section(view: View) -> Section:
    """One table, a row a model, and the plots of a window."""
    t, phases = view.t, view.of("interactive")
    title = t("Interactive load", "交互式负载")
    if not phases:
        return Section(title, [])
    table = Table(
        title=t("Interactive results", "交互式结果"),
        headers=(
            t("Model", "模型"),
            t("Sent", "已发送"),
            t("Success", "成功"),
            t("Outcomes", "结果分布"),
            t("Most in flight", "最大在途"),
            t("Observed RPM", "观测 RPM"),
            t("Observed TPM", "观测 TPM"),
            t("P50 latency", "P50 延迟"),
            t("P95 latency", "P95 延迟"),
            t("P99 latency", "P99 延迟"),
            t("No answer", "无应答"),
            t("API cost", "API 返回费用"),
            *slo.headers(view),
        ),
        rows=[
            (
                phase["model_requested"],
                integer(phase["planned"]),
                integer(phase["success"]),
                tally(phase["outcomes"]),
                integer(view.requests(phase, "in_flight")["in_flight"].max()),
                rate(phase["observed_rpm"]),
                rate(phase["observed_tpm"]),
                seconds(phase["latency_p50_s"]),
                seconds(phase["latency_p95_s"]),
                seconds(phase["latency_p99_s"]),
                integer(phase["unanswered"]),
                t.money(phase["cost_sum"], phase["cost_unknown_success_count"]),
                *slo.cells(view, phase),
            )
            for phase in phases
        ],
        how=t(
            "A person set the number of users and ended the run; each user sent its next request "
            "when its last one was answered, so the rates are what that load reached, no target. "
            "Most in flight is of one generator process.",
            "用户数由人工设置，运行由人工结束；每个用户在上一个请求完成后发送下一个，"
            "因此速率是该负载达到的结果，而非目标。最大在途为单个压测进程的值。",
        ),
    )
    return Section(title, [table, *plots.windows(view, phases)])
