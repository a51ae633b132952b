"""Reads a part file row by row, as strictly as the recorder wrote it. Pure except for the reading.

A process that died while writing leaves a torn last record. Any other record that the recorder
cannot have written is a fault, reported with its line.
"""

import csv
from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path

from recording import formats
from recording.errors import InputError
from recording.json_files import check_is_file
from recording.record import COLUMNS, RequestRecord, decode


class PartError(InputError):
    """A part file holds something the recorder cannot have written; the message names file and
    line.
    """


def records(lines: Iterable[bytes]) -> Iterator[tuple[int, bytes]]:
    """Each whole CSV record and its first line; a record ends at a line break outside quotes.

    A torn one at the end is left out.
    """
    begin, parts, quoted = 0, list[bytes](), False
    for line in lines:
        parts.append(line)
        quoted ^= bool(line.count(b'"') % 2)
        if not quoted and line.endswith(b"\n"):
            record = b"".join(parts)
            yield begin, record
            begin, parts = begin + len(record), []


def is_whole_record(line: bytes, columns: Sequence[str] = COLUMNS) -> bool:
    """Whether a single line is a whole record: then an open quote before it is a fault, not a torn
    end.
    """
    try:
        decode(next(csv.reader([line.decode()], strict=True)), columns)
    except (ValueError, csv.Error, StopIteration):
        return False
    return True


def rows(path: Path, made_by: str = "") -> Iterator[RequestRecord]:
    """The rows of a part file, without its torn end. Raises PartError and OSError.

    `made_by`: the Weighbridge to use for columns that this one does not know.
    """
    columns, line, end = None, 1, 0
    try:
        check_is_file(path)
    except InputError as error:
        raise PartError(f"{path.name} {error}") from None
    with path.open("rb") as file:
        for begin, record in records(file):
            end = begin + len(record)
            try:
                cells = next(csv.reader([record.decode()], strict=True))
                if columns is None:
                    columns = formats.columns(cells, made_by)
                else:
                    yield decode(cells, columns)
            except (ValueError, csv.Error) as error:
                raise PartError(f"{path.name}, line {line}: {error}") from None
            line += record.count(b"\n")
        file.seek(end)
        next(file, None)
        if columns is not None and any(is_whole_record(rest, columns) for rest in file):
            raise PartError(f"{path.name}, line {line}: a quote is never closed; restore the file")
