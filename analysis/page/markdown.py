"""A page as Markdown. Charts are only in the HTML."""

import re

from analysis.page.blocks import Block, Listing, Page, Remark, Section, Table, Text
from analysis.page.chart import Chart
from recording.untrusted_text import printable

_NUMERIC = re.compile(r"(max |最大 )?[¥$€£]?[-+\d][\d.,/%]*( ?(s|ms))?$|-$")
_SIGNS = {"good": "✅", "note": "ℹ️", "bad": "⚠️"}
_SPECIAL = str.maketrans(
    {"|": "\\|", "<": "&lt;", "&": "&amp;", "`": "\\`", "*": "\\*", "[": "\\["}
)


def render(page: Page) -> str:
    """The whole page, ending in a newline."""
    parts = [f"# {escape(page.title)}", escape(page.subtitle)]
    if page.banner:
        parts.append(f"> **{escape(page.banner)}**")
    parts += [f"**{escape(answer.question)}** {escape(answer.text)}" for answer in page.answers]
    parts += [_section(section) for section in page.sections if section.blocks]
    if page.banner:
        parts.append(f"> **{escape(page.banner)}**")
    parts.append(escape(page.footer))
    return "\n\n".join(part for part in parts if part) + "\n"


def escape(text: str) -> str:
    """The text on one line, escaped so that Markdown shows it literally."""
    return " ".join(printable(text).split()).translate(_SPECIAL)


def flush_right(table: Table) -> list[bool]:
    """Which columns contain only numbers; never the first, which names the row."""
    return [
        place > 0 and bool(table.rows) and all(_NUMERIC.match(row[place]) for row in table.rows)
        for place in range(len(table.headers))
    ]


def _section(section: Section) -> str:
    blocks = [_block(block) for block in section.blocks]
    return "\n\n".join([f"## {escape(section.title)}", *(b for b in blocks if b)])


def _block(block: Block) -> str:
    match block:
        case Table():
            return _table(block)
        case Remark():
            return f"- {_SIGNS[block.level]} {escape(block.text)}"
        case Text():
            return escape(block.text)
        case Listing():
            return "\n".join(f"- {escape(line)}" for line in block.lines)
        case Chart():
            return ""


def _table(table: Table) -> str:
    right = flush_right(table)
    lines = [
        _line(table.headers),
        "|" + "|".join("---:" if flush else "---" for flush in right) + "|",
        *(_line(row) for row in table.rows),
    ]
    title = [f"### {escape(table.title)}", ""] if table.title else []
    how = ["", f"*{escape(table.how)}*"] if table.how else []
    return "\n".join([*title, *lines, *how])


def _line(cells: tuple[str, ...]) -> str:
    return "| " + " | ".join(escape(cell) for cell in cells) + " |"
