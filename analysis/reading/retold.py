"""Rows with some texts replaced; everything else is as it was read."""

from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import pyarrow as pa

    from analysis.reading.rows import Places, Source

Telling = Callable[[str], str | None]
"""A text in another's place; None: none at all."""


class Retold:
    """Another source (`analysis.reading.rows.Source`) with the texts of some columns retold."""

    def __init__(self, source: "Source", tellings: Mapping[str, Telling]) -> None:
        self._source, self._tellings = source, tellings

    def whole(self, name: str) -> "pa.ChunkedArray":
        """A column."""
        import pyarrow as pa

        column = self._source.whole(name)
        if name not in self._tellings:
            return column
        return pa.chunked_array([self._told(name, c) for c in column.chunks], type=column.type)

    def batches(self, name: str) -> "Iterator[pa.Array]":
        """A column, some rows at a time."""
        for batch in self._source.batches(name):
            yield self._told(name, batch)

    def take(self, names: Sequence[str], places: "Places") -> "pa.Table":
        """Some columns of the rows at `places`, in that order."""
        import pyarrow as pa

        table = self._source.take(names, places)
        for place, name in enumerate(table.column_names):
            if name in self._tellings:
                chunks = [self._told(name, chunk) for chunk in table[name].chunks]
                told = pa.chunked_array(chunks, type=table[name].type)
                table = table.set_column(place, table.field(place), told)
        return table

    def _told(self, name: str, texts: "pa.Array") -> "pa.Array":
        """The texts, each distinct one replaced once."""
        import pyarrow as pa

        if (telling := self._tellings.get(name)) is None:
            return texts
        told: dict[str | None, str | None] = {None: None}
        for text in texts.unique().to_pylist():
            told[text] = None if text is None else telling(text)
        found = pa.array([told[text] for text in texts.to_pylist()], pa.large_string())
        if pa.types.is_dictionary(texts.type):
            return found.dictionary_encode().cast(texts.type)
        return found.cast(texts.type)
