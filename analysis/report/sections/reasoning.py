"""Thinking models, as the article's section 6: which fields carry the answer."""

from typing import Any

from analysis.page.blocks import Section, Table
from analysis.page.words import ABSENT, Words, integer
from analysis.report.view import View

PLACE = 140  # in the report


def section(view: View) -> Section:
    """One row a request: content, reasoning, finish reason, tokens, cost."""
    t = view.t
    table = Table(
        headers=(
            t("Model", "模型"),
            t("Scenario", "场景"),
            "HTTP",
            "content",
            "reasoning_content",
            "finish_reason",
            "reasoning_tokens",
            t("API cost", "API 返回费用"),
        ),
        rows=[
            (
                row["model_requested"],
                row["scenario"],
                integer(row["http_status"]),
                content(t, row),
                t.yes(row["reasoning_content_present"]),
                row["finish_reason"] or ABSENT,
                integer(row["reasoning_tokens"]),
                t.money(row["api_cost"]),
            )
            for row in view.rows("reasoning")
        ],
        how=t(
            "One request a row; reasoning_content is yes when the reply carries reasoning text "
            "under either of its names (reasoning_content, reasoning).",
            "每行一次请求；回复以 reasoning_content 或 reasoning 任一字段携带推理文本即记为“是”。",
        ),
    )
    return Section(t("Thinking / reasoning", "Thinking / Reasoning"), [table] if table.rows else [])


def content(t: Words, row: dict[str, Any]) -> str:
    """What the visible reply is, in the article's words; or how the request failed."""
    if not row["success"]:
        return t(f"failed: {row['outcome']}", f"失败：{row['outcome']}")
    if (row["content"] or "").strip():
        return t("text", "文本输出")
    mostly_reasoning = t("mostly reasoning", "reasoning 输出为主")
    return mostly_reasoning if row["reasoning_content_present"] else t("none", "无")
