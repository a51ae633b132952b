"""The parts of a report, independent of Markdown and HTML. Pure."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

from analysis.page.chart import Chart

Level = Literal["good", "note", "bad"]


@dataclass(frozen=True, slots=True)
class Table:
    """Rows of cells under headers, and one sentence on how they were computed."""

    headers: tuple[str, ...]
    rows: Sequence[tuple[str, ...]]
    how: str = ""
    title: str = ""


@dataclass(frozen=True, slots=True)
class Remark:
    """A sentence that judges: all is well, take note, or do not trust.

    `head` says it in a few words, and `doubt` whether it is about the measurement, and so about
    whether to believe the numbers, rather than about the gateway.
    """

    level: Level
    text: str
    head: str = ""
    doubt: bool = False


@dataclass(frozen=True, slots=True)
class Text:
    """A paragraph."""

    text: str


@dataclass(frozen=True, slots=True)
class Listing:
    """Lines to be shown as they are, e.g. task ids."""

    lines: tuple[str, ...]


Block = Table | Remark | Text | Listing | Chart


@dataclass(frozen=True, slots=True)
class Section:
    """A heading and what stands under it; without blocks it is left out.

    `folded` marks a section that readers look up rather than read: the HTML shows its heading, and
    the rest at a click.
    """

    title: str
    blocks: Sequence[Block] = ()
    folded: bool = False


@dataclass(frozen=True, slots=True)
class Tile:
    """One big number of the first page."""

    label: str
    value: str
    hint: str = ""


@dataclass(frozen=True, slots=True)
class Answer:
    """A question that a new reader asks first, and its answer in a sentence or two."""

    question: str
    level: Level
    text: str


@dataclass(frozen=True, slots=True)
class Page:
    """The whole report. `banner` stands on every page of it (simulated runs)."""

    lang: str
    title: str
    subtitle: str
    banner: str | None
    tiles: list[Tile]
    sections: list[Section]
    footer: str
    answers: Sequence[Answer] = ()
