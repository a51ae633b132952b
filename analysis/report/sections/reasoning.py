"""Thinking models, as in section 6 of the article: which fields carry the answer."""

from typing import Any

from analysis.page.blocks import Section
from analysis.page.columns import field, table
from analysis.page.vocabulary import (
    API_COST,
    CONTENT,
    HTTP,
    MODEL,
    NONE,
    REASONING_CONTENT,
    SCENARIO,
    Cost,
    failed,
    scenario,
)
from analysis.page.words import ABSENT, Words, integer
from analysis.report.view import View

PLACE = 140  # in the report


def section(view: View) -> Section:
    """One row per request: content, reasoning, finish reason, tokens, cost."""
    t, rows = view.t, view.rows("reasoning")
    requests = table(
        t,
        rows,
        [
            MODEL.of(lambda row: row["model_requested"]),
            SCENARIO.of(lambda row: scenario(t, row["scenario"])),
            HTTP.of(lambda row: row["http_status"], integer),
            CONTENT.of(lambda row: content(t, row)),
            REASONING_CONTENT.of(lambda row: t.yes(row["reasoning_content_present"])),
            field("finish_reason").of(lambda row: row["finish_reason"] or ABSENT),
            field("reasoning_tokens").of(lambda row: row["reasoning_tokens"], integer),
            API_COST.of(lambda row: Cost(row["api_cost"])),
        ],
        how=t(
            "One request per row; reasoning_content is yes when the reply carries reasoning text "
            "under either of its names (reasoning_content, reasoning).",
            "每行一次请求；回复以 reasoning_content 或 reasoning 任一字段携带推理文本即记为“是”。",
        ),
    )
    return Section(t("Thinking / reasoning", "Thinking / Reasoning"), [requests] if rows else [])


def content(t: Words, row: dict[str, Any]) -> str:
    """The kind of visible reply, in the article's words, or how the request failed."""
    if not row["success"]:
        return failed(t, row["outcome"])
    if (row["content"] or "").strip():
        return t("text", "文本输出")
    mostly_reasoning = t("mostly reasoning", "reasoning 输出为主")
    return mostly_reasoning if row["reasoning_content_present"] else t(*NONE)
