"""Where rows go: an append-only CSV part file, flushed row by row."""

import csv
import os
from collections.abc import Sequence
from pathlib import Path

from recording.record import COLUMNS, RequestRecord, encode


class CsvSink:
    """One part file of a run: RFC 4180, UTF-8, header first, a row a request.

    Every row is handed to the operating system before `add` returns, so a killed process loses
    no finished request. The file is readable by its owner only: it holds replies. An existing
    file is appended to. Raises OSError when it cannot be written.
    """

    def __init__(self, path: Path) -> None:
        self.path = path
        descriptor = os.open(path, os.O_WRONLY | os.O_APPEND | os.O_CREAT, 0o600)
        self._file = os.fdopen(descriptor, "a", encoding="utf-8", newline="")
        self._writer = csv.writer(self._file)
        if os.fstat(descriptor).st_size == 0:
            self.add_cells(COLUMNS)

    def add(self, record: RequestRecord) -> None:
        """Write one record."""
        self.add_cells(encode(record))

    def add_cells(self, cells: Sequence[str]) -> None:
        """Write one row that is encoded already (it came from a worker)."""
        self._writer.writerow(cells)
        self._file.flush()

    def close(self) -> None:
        """Close the file; adding to it afterwards is an error."""
        self._file.close()


def part_path(folder: Path, worker: str, *, copy: bool = False) -> Path:
    """The part file of a worker in a run folder; `copy`: the one that the master writes for it."""
    return folder / f"requests-{worker}{'@master' if copy else ''}.csv"
