"""Interactive load: the rates reached while a person set the number of users."""

from analysis.page.blocks import Section
from analysis.page.columns import Name, table
from analysis.page.vocabulary import (
    API_COST,
    LATENCY_P50,
    LATENCY_P95,
    LATENCY_P99,
    MODEL,
    OBSERVED_RPM,
    OBSERVED_TPM,
    OUTCOMES,
    SENT,
    SUCCESS,
    UNANSWERED,
)
from analysis.page.words import integer
from analysis.report import plots
from analysis.report.sections import slo
from analysis.report.view import View

PLACE = 90  # in the report


def section(view: View) -> Section:
    """One table with a row per model, and the charts of a window."""
    t, phases = view.t, view.of_modes("interactive")
    title = t("Interactive load", "交互式负载")
    if not phases:
        return Section(title, [])
    rates = table(
        t,
        phases,
        [
            MODEL,
            SENT.of(lambda p: p.planned),
            SUCCESS,
            OUTCOMES,
            Name("Most in flight", "最大在途").of(
                lambda p: view.requests(p, "in_flight")["in_flight"].max(), integer
            ),
            OBSERVED_RPM,
            OBSERVED_TPM,
            LATENCY_P50,
            LATENCY_P95,
            LATENCY_P99,
            UNANSWERED,
            API_COST,
            *slo.goodput(view),
        ],
        title=t("Interactive results", "交互式结果"),
        how=t(
            "A person set the number of users and ended the run; each user sent its next request "
            "when its last one was answered, so the rates are those that this load reached, not a "
            "target. Most in flight is for one generator process.",
            "用户数由人工设置，运行由人工结束；每个用户在上一个请求完成后发送下一个，"
            "因此速率是该负载达到的结果，而非目标。最大在途为单个压测进程的值。",
        ),
    )
    return Section(title, [rates, *plots.windows(view, phases)])
