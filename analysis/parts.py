"""The part files of a run, read strictly.

A torn last line (the process died while it wrote) is dropped and remarked upon; anything else
that the recorder cannot have written is an error that names the file and the line. Each stretch
of a file is read by Arrow where that is certain to give what the recorder's own `decode` would,
and else by `decode` itself, a row at a time, which also finds the line at fault.
"""

import csv
from collections import deque
from collections.abc import Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from io import BytesIO
from pathlib import Path
from typing import TYPE_CHECKING

from analysis.columns import Declined, read, schema
from recording.record import COLUMNS, SCHEMA_VERSION, RequestRecord, decode

if TYPE_CHECKING:
    import pyarrow as pa

STRETCH_BYTES = 4 << 20
_RECORD_BYTES = 32 << 20
"""More than any record can hold: the csv module takes at most 131,072 characters a cell."""
_THREADS, _AHEAD = 2, 4


class RunError(Exception):
    """A folder is no run, or cannot be read; the message is one sentence for the operator."""


def tables(path: Path, remarks: list[str]) -> Iterator["pa.Table"]:
    """The rows of a part file in its order (`columns.schema`), a stretch at a time.

    Adds to `remarks` what was odd. Raises RunError and OSError.
    """

    def table(line: int, text: bytes) -> "pa.Table":
        try:
            return read(text)
        except Declined:
            return read_slowly(path, line, text)

    waiting: deque[Future[pa.Table]] = deque()
    with ThreadPoolExecutor(_THREADS) as pool:
        for line, text in _stretches(path, remarks):
            waiting.append(pool.submit(table, line, text))
            if len(waiting) > _AHEAD:
                yield waiting.popleft().result()
        while waiting:
            yield waiting.popleft().result()


def read_slowly(path: Path, line: int, text: bytes) -> "pa.Table":
    """The rows of whole CSV records by the recorder's `decode`; `text` begins on `line`.

    Raises RunError with the line at fault.
    """
    import pyarrow as pa

    rows = []
    for begin, record in _records(line, text):
        try:
            row = decode(next(csv.reader([record.decode()], strict=True)))
            if any(isinstance(v, int) and v.bit_length() > 63 for v in _values(row)):
                raise ValueError("a number is beyond 64 bits")
        except (ValueError, csv.Error) as error:
            raise RunError(f"{path}, line {begin}: {error}.") from None
        rows.append(_values(row))
    whole = schema()
    return pa.Table.from_arrays(
        [
            pa.array(cells, whole.field(n).type)
            for n, cells in zip(COLUMNS, zip(*rows, strict=True), strict=True)
        ],
        schema=whole,
    )


def _values(row: RequestRecord) -> list[object]:
    return [getattr(row, name) for name in COLUMNS]


def _stretches(path: Path, remarks: list[str]) -> Iterator[tuple[int, bytes]]:
    """Whole CSV records after the header, and the line on which they begin."""
    line, rest = 1, b""
    with path.open("rb") as file:
        while block := file.read(STRETCH_BYTES):
            rest += block
            end = _end(rest)
            if end and line == 1:
                _, header = next(_records(1, rest))
                _check_header(path, header)
                rest, end, line = rest[len(header) :], end - len(header), 1 + header.count(b"\n")
            if end:
                yield line, rest[:end]
                line += rest.count(b"\n", 0, end)
                rest = rest[end:]
            elif len(rest) > _RECORD_BYTES:
                raise RunError(f"{path}, line {line}: a quote is never closed.")
    if rest:
        if any(_whole(text) for text in BytesIO(rest).readlines()[1:]):
            raise RunError(f"{path}, line {line}: a quote is never closed.")
        remarks.append(f"{path.name}: the torn last line {line} was dropped.")
    if line == 1:
        remarks.append(f"{path.name} is empty.")


def _end(text: bytes) -> int:
    """Where the last whole record ends: after a newline before which every quote is closed."""
    end, quotes = len(text), text.count(b'"')
    while end:
        newline = text.rfind(b"\n", 0, end)
        quotes -= text.count(b'"', newline + 1, end)
        if newline < 0 or not quotes % 2:
            return newline + 1
        end = newline
    return 0


def _records(line: int, text: bytes) -> Iterator[tuple[int, bytes]]:
    """Each whole CSV record and the line it begins on; it ends where its quotes are closed."""
    begin, parts, quoted = line, list[bytes](), False
    for number, part in enumerate(BytesIO(text), line):
        parts.append(part)
        quoted ^= bool(part.count(b'"') % 2)
        if not quoted:
            yield begin, b"".join(parts)
            begin, parts = number + 1, []


def _whole(line: bytes) -> bool:
    """Whether a line is a record by itself: then the quote before it is a fault, not a torn end."""
    try:
        decode(next(csv.reader([line.decode()], strict=True)))
    except (ValueError, csv.Error, StopIteration):
        return False
    return True


def _check_header(path: Path, text: bytes) -> None:
    found = next(csv.reader([text.decode(errors="replace")]), [])
    if found != list(COLUMNS):
        missing = [name for name in COLUMNS if name not in found]
        unknown = [name for name in found if name not in COLUMNS]
        raise RunError(
            f"{path}, line 1: not the columns of schema version {SCHEMA_VERSION} "
            f"(missing: {', '.join(missing) or 'none'}; unknown: {', '.join(unknown) or 'none'})."
        )
