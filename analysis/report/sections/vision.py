"""Image input, as the article's section 6: the same picture at each output budget."""

from typing import Any

from analysis.page.blocks import Section, Table
from analysis.page.words import ABSENT, integer, percent, tally
from analysis.report.sections.detail import detail
from analysis.report.sections.reasoning import content
from analysis.report.view import View

PLACE = 150  # in the report
READABLE = 0.8
"""The share of the picture's text that the probe asks for (tasks/probes/vision.py)."""


def section(view: View) -> Section:
    """One row a model and output budget."""
    t = view.t
    rows = view.rows("vision")
    table = Table(
        headers=(
            t("Model", "模型"),
            t("Samples", "样本"),
            "max_tokens",
            "HTTP",
            "content",
            "reasoning_content",
            t("API cost", "API 返回费用"),
            t("Text found", "识别文字"),
            t("Note", "备注"),
        ),
        rows=[
            _row(view, phase, [row for row in rows if row["phase"] == phase["phase"]])
            for phase in view.of("vision")
        ],
        how=t(
            "The picture's known text is looked for in the reply: text found is the largest share "
            "of its characters that any sample returned.",
            "在回复中查找图片内已知文字：识别文字为各样本返回字符占比的最大值。",
        ),
    )
    return Section(t("Multimodal smoke", "多模态 Smoke"), [table] if table.rows else [])


def _row(view: View, phase: dict[str, Any], rows: list[dict[str, Any]]) -> tuple[str, ...]:
    t = view.t
    share = text_share(rows)
    if not phase["success"]:
        note = t(f"failed: {tally(phase['outcomes'])}", f"失败：{tally(phase['outcomes'])}")
    elif share is not None and share >= READABLE:
        note = t("readable text returned", "返回可读 OCR 内容")
    else:
        note = t("image input accepted", "图片输入链路可调用")
    kinds = {content(t, row) for row in rows}
    reasoning = any(row["reasoning_content_present"] for row in rows)
    return (
        phase["model_requested"],
        integer(phase["planned"]),
        integer(phase["target"]),
        tally(phase["status_counts"]),
        t.join(sorted(kinds)) or ABSENT,
        t("yes", "有") if reasoning else t("no", "无"),
        t.money(phase["cost_sum"], phase["cost_unknown_success_count"]),
        percent(share, 0),
        note,
    )


def text_share(rows: list[dict[str, Any]]) -> float | None:
    """The largest share of the picture's text that a reply held."""
    shares = [detail(row).get("text_share") for row in rows]
    known = [float(share) for share in shares if isinstance(share, (int, float))]
    return max(known, default=None)
