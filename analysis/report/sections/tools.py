"""Tool calls, as the article's section 6."""

from typing import Any

from analysis.page.blocks import Section, Table
from analysis.page.words import integer
from analysis.report.sections.detail import detail
from analysis.report.view import View

PLACE = 130  # in the report


def section(view: View) -> Section:
    """One row a model: what came back, and whether it was right."""
    t = view.t
    rows = view.rows("tools")
    table = Table(
        headers=(
            t("Model", "模型"),
            t("Requests", "请求数"),
            t("HTTP success", "HTTP 成功"),
            t("tool_calls returned", "返回 tool_calls"),
            t("Right function", "函数正确"),
            t("Arguments are JSON", "参数为 JSON"),
            t("Arguments right", "参数正确"),
            t("API cost", "API 返回费用"),
        ),
        rows=[
            (
                phase["model_requested"],
                integer(phase["planned"]),
                str(sum(1 for row in mine if row["http_status"] == 200)),
                *(
                    _count(mine, fact)
                    for fact in ("tool_calls", "function", "arguments_json", "arguments_right")
                ),
                t.money(phase["cost_sum"], phase["cost_unknown_success_count"]),
            )
            for phase in view.of("tools")
            for mine in [[row for row in rows if row["phase"] == phase["phase"]]]
        ],
        how=t(
            "Each reply is judged in turn: HTTP 200, tool_calls present, the right function, "
            "arguments that parse as JSON, arguments that are right.",
            "逐条判定：HTTP 200、返回 tool_calls、函数正确、参数可解析为 JSON、参数正确。",
        ),
    )
    return Section(t("Tool calls", "Tool Call"), [table] if table.rows else [])


def _count(rows: list[dict[str, Any]], fact: str) -> str:
    return str(sum(1 for row in rows if detail(row).get(fact) is True))
