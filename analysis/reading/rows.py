"""The rows of a run, one per planned request, in the plan's order; columns are read on demand."""

from collections.abc import Callable, Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from threading import Lock
from typing import TYPE_CHECKING, Any, Protocol

from analysis.reading.columns import TEXTS
from analysis.reading.task_ids import TaskIds
from recording.record import COLUMNS, TYPES

if TYPE_CHECKING:
    import numpy as np
    import pyarrow as pa
    from numpy.typing import NDArray
    from pandas import DataFrame, Series

    Places = NDArray[np.int64]

_BATCH_ROWS = 32_768


class Source(Protocol):
    """The rows as they were read, part file after part file."""

    def column(self, name: str) -> "pa.ChunkedArray":
        """A column."""
        ...

    def batches(self, name: str) -> Iterator["pa.Array"]:
        """A column, some rows at a time."""
        ...

    def take(self, names: Sequence[str], places: "Places") -> "pa.Table":
        """Some columns of the rows at `places`, in that order."""
        ...


class Memory:
    """A small run's rows: all of them at hand."""

    def __init__(self, table: "pa.Table") -> None:
        self._table = table.unify_dictionaries().combine_chunks()

    def column(self, name: str) -> "pa.ChunkedArray":
        """A column."""
        return self._table[name]

    def batches(self, name: str) -> Iterator["pa.Array"]:
        """A column, some rows at a time."""
        return iter(self._table[name].chunks)

    def take(self, names: Sequence[str], places: "Places") -> "pa.Table":
        """Some columns of the rows at `places`, in that order."""
        return self._table.select(names).take(places)


class Rows:
    """The united rows: `order` holds the place in the source of each, `bounds` says where each
    phase's begin and end. Whole columns are kept, except texts, which take much memory. Threads
    may ask at the same time."""

    def __init__(
        self, source: Source, order: "Places", bounds: Mapping[str, tuple[int, int]]
    ) -> None:
        self.bounds = bounds
        self._source, self._order = source, order
        self._columns: dict[str, Any] = {}
        self._task_ids: TaskIds | None = None
        self._lock = Lock()

    def __len__(self) -> int:
        return len(self._order)

    def of_phases(self, names: Sequence[str]) -> "Rows":
        """The rows of some phases alone, in the same order."""
        import numpy as np

        spans, bounds, end = [np.zeros(0, dtype=np.int64)], dict[str, tuple[int, int]](), 0
        for name in names:
            first, last = self._span(name)
            spans.append(self._order[first:last])
            bounds[name] = (end, end := end + last - first)
        return Rows(self._source, np.concatenate(spans), bounds)

    def through(self, change: Callable[[Source], Source]) -> "Rows":
        """The same rows from another source, which is made from theirs."""
        return Rows(change(self._source), self._order, self.bounds)

    def frame(self, names: Sequence[str] = COLUMNS, phase: str | None = None) -> "DataFrame":
        """Some columns of all rows, or of one phase's; the dtypes are those of `Run.requests`."""
        import pandas as pd

        begin, end = self._span(phase)
        if end - begin == len(self):
            self._hold([n for n in names if n not in TEXTS])
        columns = {n: self._columns[n][begin:end] for n in names if n in self._columns}
        if missing := [n for n in names if n not in columns]:
            table = self._source.take(missing, self._order[begin:end])
            columns |= {n: _array(n, table[n]) for n in missing}
        index = pd.RangeIndex(begin, end)
        return pd.DataFrame({n: columns[n] for n in names}, index, copy=False)

    def tables(
        self, names: Sequence[str] = COLUMNS, phase: str | None = None
    ) -> Iterator["pa.Table"]:
        """Some columns of all rows, or of one phase's, as Arrow tables of at most 32,768 rows."""
        begin, end = self._span(phase)
        for first in range(begin, end, _BATCH_ROWS):
            yield self._source.take(names, self._order[first : min(end, first + _BATCH_ROWS)])

    def at(self, places: Sequence[int], names: Sequence[str]) -> "DataFrame":
        """Some columns of the rows at some places among the united ones."""
        import numpy as np
        import pandas as pd

        table = self._source.take(names, self._order[np.array(places, dtype=np.int64)])
        return pd.DataFrame({n: _array(n, table[n]) for n in names}, copy=False)

    def task_ids(self) -> TaskIds:
        """The rows' task_ids."""
        with self._lock:
            if self._task_ids is None:
                self._task_ids = TaskIds.of(self._source.batches("task_id")).take(self._order)
            return self._task_ids

    def task_prefixes(self) -> "Series[str]":
        """What each row is billed under: its task_id up to its model."""
        models = self._source.column("model_requested").unify_dictionaries().combine_chunks()
        return self.task_ids().prefixes(models.take(self._order))

    def _span(self, phase: str | None) -> tuple[int, int]:
        return (0, len(self)) if phase is None else self.bounds.get(phase, (0, 0))

    def _hold(self, names: Sequence[str]) -> None:
        """Read whole columns; two at once, for more would only hold more memory."""

        def read(name: str) -> Any:
            return _array(name, self._source.column(name), self._order)

        with self._lock, ThreadPoolExecutor(2) as pool:
            new = [name for name in names if name not in self._columns]
            self._columns |= zip(new, pool.map(read, new), strict=True)


def _array(name: str, column: "pa.ChunkedArray", order: "Places | None" = None) -> Any:
    """A column as pandas holds it; `order` picks and orders its rows."""
    import numpy as np
    import pandas as pd

    kind = TYPES[name]
    if kind is str:
        import pyarrow as pa

        texts = column.unify_dictionaries().combine_chunks()
        texts = texts if order is None else texts.take(pa.array(order))
        strings: Any = pd.StringDtype(na_value=np.nan)
        return strings.__from_arrow__(texts.cast(pa.large_string()))
    every: Any = slice(None) if order is None else order
    if kind is float:
        values = column.to_numpy()[every]
        values.flags.writeable = False
        return values
    missing = column.is_null().to_numpy()[every]
    values = column.fill_null(kind()).to_numpy()[every]
    masked = pd.arrays.BooleanArray if kind is bool else pd.arrays.IntegerArray
    return masked(values, missing)
