"""A page as one HTML file: no scripts, no requests, everything escaped, with a strict CSP."""

import base64
import hashlib
from collections import Counter
from collections.abc import Iterator, Sequence
from itertools import groupby
from pathlib import Path

from jinja2 import Environment, FileSystemLoader, StrictUndefined
from markupsafe import Markup

from analysis.page.blocks import Block, Page, Remark, Section, Table
from analysis.page.chart import Chart, svg
from analysis.page.markdown import flush_right
from recording.untrusted_text import printable

_HERE = Path(__file__).parent
_SIGNS = {"good": "✓", "note": "i", "bad": "!"}
_MOST_REMARKS = 8
_LONG_ROWS = 400
"""If the tables have more rows than this, folded sections are not printed: a run with 200 phases
took 100 sheets of paper."""
_KINDS = ((Table, "table", "张表"), (Chart, "chart", "幅图"), (Remark, "remark", "条说明"))


def render(page: Page) -> str:
    """The text of the whole file."""
    style = (_HERE / "report.css").read_text(encoding="utf-8")
    if page.banner:
        style += '\n@page { @top-center { content: "SIMULATED"; } }\n'
    return _template.render(
        page=page,
        long=_rows(page) > _LONG_ROWS,
        sections=[section for section in page.sections if section.blocks],
        style=Markup(style),
        digest=base64.b64encode(hashlib.sha256(style.encode()).digest()).decode(),
    )


def _more(remarks: Sequence[Remark], lang: str) -> str:
    """The label of the remarks that are folded under the first ones, with how many are grave."""
    grave = sum(remark.level == "bad" for remark in remarks)
    if lang == "en":
        return f"{len(remarks)} more" + (f", {grave} of them grave" if grave else "")
    return f"另有 {len(remarks)} 条" + (f"，其中 {grave} 条严重" if grave else "")


def _rows(page: Page) -> int:
    blocks = [block for section in page.sections for block in section.blocks]
    return sum(len(block.rows) for block in blocks if isinstance(block, Table))


def _inside(section: Section, lang: str) -> str:
    """What is folded under a heading: `2 tables, 3 charts`."""
    counts = Counter(type(block) for block in section.blocks)
    counted = [
        f"{n} {en}{'' if n == 1 else 's'}" if lang == "en" else f"{n} {zh}"
        for kind, en, zh in _KINDS
        if (n := counts[kind])
    ]
    return (", " if lang == "en" else "、").join(counted)


def _finalize(value: object) -> object:
    """A value with its invisible characters made visible; `autoescape` then escapes its markup."""
    return value if isinstance(value, Markup) else printable(value)


def _groups(blocks: Sequence[Block]) -> Iterator[tuple[str, list[Block]]]:
    """Neighbouring blocks of one kind together: remarks in one list, charts side by side."""
    for kind, some in groupby(blocks, key=type):
        yield kind.__name__, list(some)


_environment = Environment(
    loader=FileSystemLoader(_HERE),
    autoescape=True,
    finalize=_finalize,
    undefined=StrictUndefined,
    keep_trailing_newline=True,
)
_environment.globals.update(
    flush_right=flush_right,
    groups=_groups,
    svg=lambda chart: Markup(svg(chart)),
    signs=_SIGNS,
    more=_more,
    inside=_inside,
    most_remarks=_MOST_REMARKS,
    line_end=Markup("\n"),
)
_template = _environment.get_template("page.html")
