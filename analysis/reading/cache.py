"""A Parquet copy of a big run's rows beside its part files: parsed once, then read by column.

The file belongs to the part files' names, sizes and times of change. Where those differ, or it
cannot be read, it is made again; it is only a copy, and may be removed at any time.
"""

import json
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from threading import RLock
from typing import TYPE_CHECKING

from analysis.reading.atomic_file import reserving
from analysis.reading.columns import FEW_VALUED, schema
from analysis.reading.parts import RunError, tables
from recording.bilingual import Bilingual
from recording.record import SCHEMA_VERSION

if TYPE_CHECKING:
    import pyarrow as pa
    import pyarrow.parquet as pq

    from analysis.reading.rows import Places

NAME = ".requests.parquet"
FROM_BYTES = 64 << 20
"""Part files smaller than this together are read faster than a cache is worth."""
_VERSION = 1
_GROUP_ROWS = 32_768
_OF = b"weighbridge:parts"
_REMARKS = b"weighbridge:remarks"


class Cache:
    """The rows of the part files, by column or by place (`analysis.reading.rows.Source`)."""

    def __init__(self, path: Path, file: "pq.ParquetFile") -> None:
        import numpy as np

        groups = range(file.metadata.num_row_groups)
        sizes = [file.metadata.row_group(i).num_rows for i in groups]
        self._path, self._file, self._lock = path, file, RLock()
        self._begins = np.cumsum([0, *sizes], dtype=np.int64)
        self._recent: dict[int, pa.Table] = {}
        self._names: Sequence[str] = ()

    def column(self, name: str) -> "pa.ChunkedArray":
        """A column."""
        return self._read(lambda: self._file.read([name], use_threads=False))[name]

    def batches(self, name: str) -> "Iterator[pa.Array]":
        """A column, some rows at a time."""
        for number in range(len(self._begins) - 1):
            yield self._group(number, [name])[name].combine_chunks()

    def take(self, names: Sequence[str], places: "Places") -> "pa.Table":
        """Some columns of the rows at `places`, in that order.

        The row groups it needed are kept for the next call: rows that follow one another in the
        plan stand near one another in the part files.
        """
        import numpy as np
        import pyarrow as pa

        group = np.searchsorted(self._begins, places, side="right") - 1
        needed, which = np.unique(group, return_inverse=True)
        with self._lock:
            if tuple(names) != tuple(self._names):
                self._recent, self._names = {}, names
            self._recent = {
                i: self._recent.get(i) or self._group(i, names) for i in needed.tolist()
            }
            recent = [*self._recent.values()]
        shift = np.cumsum([0, *map(len, recent)], dtype=np.int64)[:-1] - self._begins[needed]
        rows = pa.concat_tables([schema().empty_table().select(names), *recent])
        return rows.unify_dictionaries().combine_chunks().take(places + shift[which])

    def _group(self, number: int, names: Sequence[str]) -> "pa.Table":
        return self._read(lambda: self._file.read_row_group(number, names, use_threads=False))

    def _read(self, read: "Callable[[], pa.Table]") -> "pa.Table":
        import pyarrow as pa

        try:
            with self._lock:  # a Parquet file has one place to read at
                return read()
        except (OSError, pa.ArrowException):
            raise RunError(f"{self._path} is damaged: remove it and try again.") from None


def opened(
    folder: Path, parts: Sequence[Path], remarks: list[Bilingual], made_by: str = ""
) -> Cache | None:
    """The cache of a folder, made where it is missing, stale or not readable.

    Adds to `remarks` what was odd in the part files. None when the run is small, or the cache
    cannot be written. Raises RunError and OSError for the part files.
    """
    states = [(path.name, path.stat()) for path in parts]  # before reading: a file may yet grow
    if sum(state.st_size for _, state in states) < FROM_BYTES:
        return None
    marks = [[name, state.st_size, state.st_mtime_ns] for name, state in states]
    key = json.dumps([_VERSION, SCHEMA_VERSION, marks]).encode()
    path = folder / NAME
    cache = _current(path, key, remarks)
    if cache is None:
        try:
            with reserving(path) as new:
                _write(new, parts, key, made_by)
        except OSError:
            return None
        cache = _current(path, key, remarks)
    return cache


def _current(path: Path, key: bytes, remarks: list[Bilingual]) -> Cache | None:
    import pyarrow as pa
    import pyarrow.parquet as pq

    try:
        file = pq.ParquetFile(path, page_checksum_verification=True)
        known = file.metadata.metadata or {}
        if known.get(_OF) != key or not file.schema_arrow.equals(schema()):
            return None
        remarks += [Bilingual(*remark) for remark in json.loads(known[_REMARKS])]
        return Cache(path, file)
    except (OSError, pa.ArrowException, KeyError, ValueError):
        return None


def _write(path: Path, parts: Sequence[Path], key: bytes, made_by: str) -> None:
    import pyarrow.parquet as pq

    remarks: list[Bilingual] = []
    with pq.ParquetWriter(
        path,
        schema(),
        compression="lz4",
        use_dictionary=sorted(FEW_VALUED),
        write_batch_size=_GROUP_ROWS,
        write_statistics=False,
        write_page_checksum=True,
    ) as file:
        for table in _grouped(t for part in parts for t in tables(part, remarks, made_by)):
            file.write_table(table, row_group_size=len(table))
        file.add_key_value_metadata({_OF: key, _REMARKS: json.dumps(remarks).encode()})


def _grouped(parts: "Iterator[pa.Table]") -> "Iterator[pa.Table]":
    """The tables joined to row groups of a useful size."""
    import pyarrow as pa

    group: list[pa.Table] = []
    for table in parts:
        group.append(table)
        if sum(map(len, group)) >= _GROUP_ROWS:
            yield pa.concat_tables(group).unify_dictionaries()
            group = []
    if group:
        yield pa.concat_tables(group).unify_dictionaries()
