"""Rows with the texts of some columns replaced; everything else is as it was read."""

from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import pyarrow as pa

    from analysis.reading.rows import Places, Source

Replacement = Callable[[str], str | None]
"""The text that takes another's place; None: the cell becomes empty."""


class ReplacedTexts:
    """The rows of a source (`analysis.reading.rows.Source`) with a replacement for every text of
    some columns.
    """

    def __init__(self, source: "Source", replacements: Mapping[str, Replacement]) -> None:
        self._source, self._replacements = source, replacements

    def column(self, name: str) -> "pa.ChunkedArray":
        """A column."""
        import pyarrow as pa

        column = self._source.column(name)
        if name not in self._replacements:
            return column
        return pa.chunked_array([self._replaced(name, c) for c in column.chunks], type=column.type)

    def batches(self, name: str) -> "Iterator[pa.Array]":
        """A column, some rows at a time."""
        for batch in self._source.batches(name):
            yield self._replaced(name, batch)

    def take(self, names: Sequence[str], places: "Places") -> "pa.Table":
        """Some columns of the rows at `places`, in that order."""
        import pyarrow as pa

        table = self._source.take(names, places)
        for place, name in enumerate(table.column_names):
            if name in self._replacements:
                chunks = [self._replaced(name, chunk) for chunk in table[name].chunks]
                column = pa.chunked_array(chunks, type=table[name].type)
                table = table.set_column(place, table.field(place), column)
        return table

    def _replaced(self, name: str, texts: "pa.Array") -> "pa.Array":
        """The texts, each distinct one replaced once."""
        import pyarrow as pa

        if (replacement := self._replacements.get(name)) is None:
            return texts
        replaced: dict[str | None, str | None] = {None: None}
        for text in texts.unique().to_pylist():
            replaced[text] = None if text is None else replacement(text)
        cells = pa.array([replaced[text] for text in texts.to_pylist()], pa.large_string())
        if pa.types.is_dictionary(texts.type):
            return cells.dictionary_encode().cast(texts.type)
        return cells.cast(texts.type)
