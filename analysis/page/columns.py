"""Columns of tables: a name in both languages, the number shown, and its format.

A column that several tables have is named once, in vocabulary.py; a table is a list of columns:

    table(t, phases, [MODEL, SUCCESS, LATENCY_P95])
    table(t, audits, [MODEL.of(lambda audit: audit.model), SUCCESS.of(lambda audit: audit.good)])
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any, Generic, NamedTuple, TypeVar

from analysis.page.blocks import Table
from analysis.page.words import Words

Item = TypeVar("Item")
Other = TypeVar("Other")
Value = TypeVar("Value")


class Name(NamedTuple):
    """What something is called: `t(*name)`."""

    en: str
    zh: str

    def of(
        self, number: Callable[[Item], Value], show: Callable[[Value], str] = str
    ) -> "Column[Item, Value]":
        """A column of that name."""
        return Column(self, number, lambda _, value: show(value))


@dataclass(frozen=True, slots=True)
class Column(Generic[Item, Value]):
    """A column: `number` is what it shows of an item, `show` how that is written."""

    name: Name
    number: Callable[[Item], Value]
    show: Callable[[Words, Value], str]

    def cell(self, t: Words, item: Item) -> str:
        """The cell in the row of an item."""
        return self.show(t, self.number(item))

    def of(self, number: Callable[[Other], Value]) -> "Column[Other, Value]":
        """The same column in a table of other items."""
        return Column(self.name, number, self.show)

    def on(self, part: Callable[[Other], Item]) -> "Column[Other, Value]":
        """The same column in a table of items of which this one shows a part."""
        return Column(self.name, lambda item: self.number(part(item)), self.show)

    def called(self, name: Name) -> "Column[Item, Value]":
        """The same number under another name."""
        return Column(name, self.number, self.show)


def field(name: str) -> Name:
    """A name that is a field's own, in both languages."""
    return Name(name, name)


def table(
    t: Words,
    items: Sequence[Item],
    columns: Sequence[Column[Item, Any]],
    how: str = "",
    title: str = "",
) -> Table:
    """A table with one row per item."""
    return Table(
        headers=tuple(t(*column.name) for column in columns),
        rows=[tuple(column.cell(t, item) for column in columns) for item in items],
        how=how,
        title=title,
    )
