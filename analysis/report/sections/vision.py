"""Image input, as in section 6 of the article: the same picture at each output budget."""

from analysis.numbers.phase_numbers import PhaseNumbers
from analysis.page.blocks import Section
from analysis.page.columns import Name, field, table
from analysis.page.vocabulary import API_COST, CONTENT, HTTP, MODEL, NOTE, REASONING_CONTENT, failed
from analysis.page.words import ABSENT, Words, integer, percent, tally
from analysis.report.sections.detail import detail
from analysis.report.sections.reasoning import content
from analysis.report.view import Row, View

PLACE = 150  # in the report
TITLE = Name("Multimodal smoke", "多模态 Smoke")
READABLE = 0.8
"""The share of the picture's text that the probe requires (tasks/probes/vision.py)."""


def section(view: View) -> Section:
    """One row per model and output budget."""
    t = view.t

    def rows(phase: PhaseNumbers) -> list[Row]:
        return [row for row in view.rows("vision") if row["phase"] == phase.phase]

    pictures = table(
        t,
        view.of_modes("vision"),
        [
            MODEL,
            Name("Samples", "样本").of(lambda p: p.planned, integer),
            field("max_tokens").of(lambda p: p.target, integer),
            HTTP.of(lambda p: p.status_counts, tally),
            CONTENT.of(lambda p: t.join(sorted({content(t, row) for row in rows(p)})) or ABSENT),
            REASONING_CONTENT.of(lambda p: _reasoning(t, rows(p))),
            API_COST,
            Name("Text found", "识别文字").of(lambda p: percent(text_share(rows(p)), 0)),
            NOTE.of(lambda p: _note(t, p, text_share(rows(p)))),
        ],
        how=t(
            "The reply is searched for the picture's known text: text found is the largest share "
            "of its characters that any sample returned.",
            "在回复中查找图片内已知文字：识别文字为各样本返回字符占比的最大值。",
        ),
    )
    return Section(t(*TITLE), [pictures] if pictures.rows else [])


def _reasoning(t: Words, rows: list[Row]) -> str:
    present = any(row["reasoning_content_present"] for row in rows)
    return t("yes", "有") if present else t("no", "无")


def _note(t: Words, phase: PhaseNumbers, share: float | None) -> str:
    if not phase.success:
        return failed(t, tally(phase.outcomes))
    if share is not None and share >= READABLE:
        return t("readable text returned", "返回可读 OCR 内容")
    return t("image input accepted", "图片输入链路可调用")


def text_share(rows: list[Row]) -> float | None:
    """The largest share of the picture's text that a reply contains; None: none was judged."""
    shares = [detail(row).get("text_share") for row in rows]
    known = [float(share) for share in shares if isinstance(share, (int, float))]
    return max(known, default=None)
