"""Where rows go: an append-only CSV part file, each row written whole or not at all."""

import csv
import os
from collections import deque
from collections.abc import Sequence
from errno import EEXIST
from pathlib import Path

from recording.record import COLUMNS, RequestRecord, encode


class _Line:
    """A target for csv.writer that returns the line instead of writing it."""

    def write(self, line: str) -> str:
        return line


_csv = csv.writer(_Line())


class CsvSink:
    """One part file of a run: RFC 4180, UTF-8, header first, one row per request.

    Every row is handed to the operating system before `add` returns, so a killed process loses no
    finished request. The file is readable by its owner only: it holds replies. An existing file
    with the same columns is appended to. Raises OSError, which names the file, when it cannot be
    written or has other columns. A row that a full disk cut short is removed, kept in memory, and
    written before the next one.
    """

    def __init__(self, path: Path) -> None:
        self.path = path
        descriptor = os.open(path, os.O_WRONLY | os.O_APPEND | os.O_CREAT, 0o600)
        self._file = os.fdopen(descriptor, "ab", buffering=0)
        self._size = os.fstat(descriptor).st_size
        self._waiting: deque[bytes] = deque()
        try:
            if self._size == 0:
                self.add_cells(COLUMNS)
            elif _first_line(path) != _csv.writerow(COLUMNS).encode():
                raise FileExistsError(EEXIST, "it exists and has the columns of another version")
        except OSError:
            self._file.close()
            raise

    def add(self, record: RequestRecord) -> None:
        """Write one record."""
        self.add_cells(encode(record))

    def add_cells(self, cells: Sequence[str]) -> None:
        """Write one row that a worker has already encoded."""
        line: str = _csv.writerow(cells)  # what _Line.write returns
        self._waiting.append(line.encode())
        while self._waiting:
            self._write(self._waiting[0])
            self._waiting.popleft()

    @property
    def unwritten(self) -> int:
        """How many rows are waiting for room on the disk."""
        return len(self._waiting)

    def close(self) -> None:
        """Try to write the waiting rows once more, and close the file; adding a row afterwards is
        an error.
        """
        try:
            while self._waiting and not self._file.closed:
                self._write(self._waiting[0])
                self._waiting.popleft()
        except OSError:
            pass  # `unwritten` tells
        self._file.close()

    def _write(self, line: bytes) -> None:
        rest = line
        try:
            while rest:
                rest = rest[self._file.write(rest) :]
        except OSError as error:
            if len(rest) < len(line):
                self._file.truncate(self._size)
            raise OSError(error.errno, error.strerror, str(self.path)) from error
        self._size += len(line)


def _first_line(path: Path) -> bytes:
    with path.open("rb") as file:
        return file.readline()


def part_path(folder: Path, worker: str, *, copy: bool = False) -> Path:
    """The part file of a worker in a run folder; `copy`: the one that the master writes for it."""
    return folder / f"requests-{worker}{'@master' if copy else ''}.csv"
