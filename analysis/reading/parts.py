"""Reads the part files of a run strictly.

A torn last line (the process died while it wrote) is dropped and remarked upon; anything else
that the recorder cannot have written is an error that names the file and the line. Each stretch
of a file is read by Arrow where that is certain to give what the recorder's own `decode` would,
and else by `decode` itself, a row at a time, which also finds the line at fault.
"""

import csv
from collections import deque
from collections.abc import Iterator, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from io import BytesIO
from pathlib import Path
from typing import TYPE_CHECKING

from analysis.reading.columns import Declined, read, schema
from recording import formats
from recording.bilingual import Bilingual
from recording.errors import OperatorError
from recording.part_file import is_whole_record, records
from recording.record import COLUMNS, RequestRecord, decode

if TYPE_CHECKING:
    import pyarrow as pa

STRETCH_BYTES = 4 << 20
_RECORD_BYTES = 32 << 20
"""More than any record can hold: the csv module takes at most 131,072 characters a cell."""
_THREADS, _AHEAD = 2, 4


def torn(path: Path, line: int) -> Bilingual:
    """A process died while it wrote its last line."""
    return Bilingual(
        f"{path.name}: the torn last line {line} was dropped.",
        f"{path.name}：已丢弃写到一半的末行（第 {line} 行）。",
    )


class RunError(OperatorError):
    """A folder is no run, or cannot be read; the message is one sentence for the operator."""


def tables(path: Path, remarks: list[Bilingual], made_by: str = "") -> Iterator["pa.Table"]:
    """The rows of a part file in its order (`columns.schema`), a stretch at a time.

    Adds to `remarks` what was odd; `made_by` is the Weighbridge that reads a file of columns we
    do not know. Raises RunError and OSError.
    """

    def table(begin: int, text: bytes, columns: Sequence[str]) -> "pa.Table":
        try:
            return read(text, columns)
        except Declined:
            return read_slowly(path, begin, text, columns)

    waiting: deque[Future[pa.Table]] = deque()
    with ThreadPoolExecutor(_THREADS) as pool:
        for stretch in _stretches(path, remarks, made_by):
            waiting.append(pool.submit(table, *stretch))
            if len(waiting) > _AHEAD:
                yield waiting.popleft().result()
        while waiting:
            yield waiting.popleft().result()


def read_slowly(
    path: Path, begin: int, text: bytes, columns: Sequence[str] = COLUMNS
) -> "pa.Table":
    """The rows of whole CSV records by the recorder's `decode`; `text` begins at byte `begin`.

    Raises RunError with the line at fault.
    """
    rows = []
    for place, record in records(BytesIO(text)):
        try:
            row = decode(next(csv.reader([record.decode()], strict=True)), columns)
            if any(isinstance(v, int) and not -(2**63) <= v < 2**63 for v in _values(row)):
                raise ValueError("a number is beyond 64 bits")
        except (ValueError, csv.Error) as error:
            raise RunError(f"{path}, line {_line(path, begin + place)}: {error}.") from None
        rows.append(row)
    return table_of(rows)


def table_of(rows: Sequence[RequestRecord]) -> "pa.Table":
    """Records as a table of `columns.schema`; at least one."""
    import pyarrow as pa

    types = schema()
    columns = zip(types, zip(*map(_values, rows), strict=True), strict=True)
    return pa.Table.from_arrays(
        [pa.array(cells, field.type, from_pandas=True) for field, cells in columns], schema=types
    )


def _line(path: Path, place: int) -> int:
    """The number of the line that begins at a byte of the file."""
    with path.open("rb") as file:
        stretches, rest = divmod(place, STRETCH_BYTES)
        return 1 + sum(
            file.read(size).count(b"\n") for size in (*[STRETCH_BYTES] * stretches, rest)
        )


def _values(row: RequestRecord) -> list[object]:
    return [getattr(row, name) for name in COLUMNS]


def _stretches(
    path: Path, remarks: list[Bilingual], made_by: str
) -> Iterator[tuple[int, bytes, Sequence[str]]]:
    """Whole CSV records after the header, the byte at which they begin, and the file's columns."""
    begin, size = 0, STRETCH_BYTES
    columns: Sequence[str] = COLUMNS
    with path.open("rb") as file:
        while text := file.read(size):
            end = _end(text)
            if end and not begin:
                _, header = next(records(BytesIO(text)))
                columns = _columns(path, header, made_by)
                end = len(header)
            elif end:
                yield begin, text[:end], columns
            elif len(text) < size:
                break
            elif size > _RECORD_BYTES:
                raise _never_closed(path, begin)
            size = STRETCH_BYTES if end else 2 * size
            begin += end
            file.seek(begin)
    if text:
        if any(is_whole_record(line, columns) for line in BytesIO(text).readlines()[1:]):
            raise _never_closed(path, begin)
        line = _line(path, begin)
        remarks.append(torn(path, line))
    if not begin:
        remarks.append(Bilingual(f"{path.name} is empty.", f"{path.name} 为空。"))


def _never_closed(path: Path, begin: int) -> RunError:
    return RunError(
        f"{path}, line {_line(path, begin)}: a quote is never closed; restore the file."
    )


def _end(text: bytes) -> int:
    """Where the last whole record ends: after a newline before which every quote is closed."""
    import numpy as np

    end, quotes = len(text), np.count_nonzero(np.frombuffer(text, np.uint8) == ord('"'))
    while end:
        newline = text.rfind(b"\n", 0, end)
        quotes -= text.count(b'"', newline + 1, end)
        if newline < 0 or not quotes % 2:
            return newline + 1
        end = newline
    return 0


def _columns(path: Path, text: bytes, made_by: str) -> Sequence[str]:
    try:
        names = next(csv.reader([text.decode(errors="replace")]), [])
        return formats.columns(names, made_by)
    except (csv.Error, formats.FormatError) as error:
        raise RunError(f"{path}, line 1: {error}.") from None
