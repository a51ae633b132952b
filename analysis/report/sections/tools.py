"""Tool calls, as in section 6 of the article."""

from collections.abc import Callable

from analysis.numbers.phase_numbers import PhaseNumbers
from analysis.page.blocks import Section
from analysis.page.columns import Name, table
from analysis.page.vocabulary import API_COST, MODEL, REQUESTS
from analysis.report.sections.detail import detail
from analysis.report.view import Row, View

PLACE = 130  # in the report


def section(view: View) -> Section:
    """One row per model: what came back, and whether it was right."""
    t = view.t
    rows: dict[str, list[Row]] = {}
    for row in view.rows("tools"):
        rows.setdefault(row["phase"], []).append(row)

    def answered(phase: PhaseNumbers) -> int:
        return sum(1 for row in rows.get(phase.phase, []) if row["http_status"] == 200)

    def right(fact: str) -> Callable[[PhaseNumbers], int]:
        return lambda phase: sum(
            1 for row in rows.get(phase.phase, []) if detail(row).get(fact) is True
        )

    calls = table(
        t,
        view.of_modes("tools"),
        [
            MODEL,
            REQUESTS,
            Name("HTTP success", "HTTP 成功").of(answered),
            Name("tool_calls returned", "返回 tool_calls").of(right("tool_calls")),
            Name("Right function", "函数正确").of(right("function")),
            Name("Arguments are JSON", "参数为 JSON").of(right("arguments_json")),
            Name("Arguments right", "参数正确").of(right("arguments_right")),
            API_COST,
        ],
        how=t(
            "Each reply is judged in turn: HTTP 200, tool_calls present, the right function, "
            "arguments that parse as JSON, and the right arguments.",
            "逐条判定：HTTP 200、返回 tool_calls、函数正确、参数可解析为 JSON、参数正确。",
        ),
    )
    return Section(t("Tool calls", "Tool Call"), [calls] if calls.rows else [])
