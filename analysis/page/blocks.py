"""The parts of a report, independent of Markdown and HTML. Pure."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

from analysis.page.chart import Chart

Level = Literal["good", "note", "bad"]


@dataclass(frozen=True, slots=True)
class Table:
    """Rows of cells under headers; `how` says how they were computed. Each row fits `headers`."""

    headers: tuple[str, ...]
    rows: Sequence[tuple[str, ...]]
    how: str = ""
    title: str = ""


@dataclass(frozen=True, slots=True)
class Remark:
    """A sentence that judges: all is well, take note, or something is wrong.

    `head` is the same in a few words (empty: none). `doubt` marks a remark about the measurement,
    so about whether to believe the numbers, rather than about the gateway.
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
    """Lines to show as they are, e.g. task ids."""

    lines: tuple[str, ...]


Block = Table | Remark | Text | Listing | Chart


@dataclass(frozen=True, slots=True)
class Section:
    """A heading and its content; a section without blocks is left out of the page.

    `folded` marks a section that readers look up rather than read: the HTML shows only its heading
    until it is clicked.
    """

    title: str
    blocks: Sequence[Block] = ()
    folded: bool = False


@dataclass(frozen=True, slots=True)
class Tile:
    """One large number of the first page, with a hint below it."""

    label: str
    value: str
    hint: str = ""


@dataclass(frozen=True, slots=True)
class Answer:
    """A question that a new reader asks first, and its answer in one or two sentences."""

    question: str
    level: Level
    text: str


@dataclass(frozen=True, slots=True)
class Page:
    """The whole report. `banner` is shown on every printed page (for simulated runs)."""

    lang: str
    title: str
    subtitle: str
    banner: str | None
    tiles: list[Tile]
    sections: list[Section]
    footer: str
    answers: Sequence[Answer] = ()
