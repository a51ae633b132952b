"""Columns of tables: a name in both languages, the value shown, and its format.

A column that several tables have is named once, in vocabulary.py. A table is a list of columns:

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
    """A name in English and Chinese; `t(*name)` gives that of the report's language."""

    en: str
    zh: str

    def of(
        self, number: Callable[[Item], Value], show: Callable[[Value], str] = str
    ) -> "Column[Item, Value]":
        """A column with this name: `number` takes its value from an item, `show` formats it."""
        return Column(self, number, lambda _, value: show(value))


@dataclass(frozen=True, slots=True)
class Column(Generic[Item, Value]):
    """A column: `number` takes the value from an item, and `show` formats it."""

    name: Name
    number: Callable[[Item], Value]
    show: Callable[[Words, Value], str]

    def cell(self, t: Words, item: Item) -> str:
        """The column's cell in the row of an item."""
        return self.show(t, self.number(item))

    def of(self, number: Callable[[Other], Value]) -> "Column[Other, Value]":
        """The same column for a table of other items, from which `number` takes the value."""
        return Column(self.name, number, self.show)

    def on(self, part: Callable[[Other], Item]) -> "Column[Other, Value]":
        """The same column for a table of other items, of which `part` is an item of this one."""
        return Column(self.name, lambda item: self.number(part(item)), self.show)

    def called(self, name: Name) -> "Column[Item, Value]":
        """The same column under another name."""
        return Column(name, self.number, self.show)


def field(name: str) -> Name:
    """The name of a field, which is the same in both languages."""
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
