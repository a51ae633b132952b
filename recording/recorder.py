"""Handles Locust's request event: writes each row and ships it to the master."""

import logging
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from recording.csv_sink import CsvSink, part_path
from recording.folder import from_here
from recording.record import RequestRecord, decode, encode

log = logging.getLogger("weighbridge")


def unwritable(sink_path: Path, error: OSError) -> str:
    """Why a run ends when its rows cannot be written, in one sentence."""
    return (
        f"{from_here(sink_path)} cannot be written ({error.strerror}), so no more is sent: make "
        "room, then go on with --resume"
    )


@dataclass(frozen=True, slots=True)
class Parcel:
    """Rows of a worker, encoded as in its part file, that the master does not have yet."""

    run_id: str
    rows: list[list[str]]


class Recorder:
    """Writes this process's rows to its part file; on a worker, also keeps them for shipping.

    Locust's `request` event brings the record in `context["record"]`. `watch` sees every record.
    `failed` is called with one sentence each time a row cannot be written.
    """

    def __init__(self, *, ships: bool, watch: Callable[[RequestRecord], None]) -> None:
        self.run_id = ""
        self._ships = ships
        self._watch = watch
        self._sink: CsvSink | None = None
        self._outbox: list[list[str]] = []
        self.failed: Callable[[str], None] = log.error

    def open(self, run_id: str, folder: Path, worker: str) -> None:
        """Open the part file of a run. Raises OSError if it cannot be written."""
        self.close()
        self.run_id = run_id
        self._outbox = []
        self._sink = CsvSink(part_path(folder, worker))

    def keep(self, record: RequestRecord) -> None:
        """Write one record if it belongs to the open run: a run holds only its own rows."""
        if self._sink is None:
            return
        if record.run_id != self.run_id:
            log.warning("a row of run %s came after its end and is not kept", record.run_id)
            return
        cells = encode(record)
        if self._ships:
            self._outbox.append(cells)
        try:
            self._sink.add_cells(cells)
        except OSError as error:
            self.failed(unwritable(self._sink.path, error))
        self._watch(record)

    def on_request(self, context: Mapping[str, Any] | None = None, **_: Any) -> None:
        """Locust's request event."""
        record = (context or {}).get("record")
        if record is not None:
            self.keep(record)

    def parcel(self) -> Parcel:
        """The rows that have not been shipped yet, for a message to the master."""
        rows, self._outbox = self._outbox, []
        return Parcel(self.run_id, rows)

    def close(self) -> None:
        """Close the part file."""
        if self._sink is not None:
            self._sink.close()
            if self._sink.unwritten:
                log.error("%d rows are not in %s", self._sink.unwritten, self._sink.path)
            self._sink = None


class Inbound:
    """On the master: writes what each worker ships to that worker's copy in the run folder.

    Rows of another run (an orphan of a dead master) are refused and counted.
    """

    def __init__(self, run_id: str, folder: Path, watch: Callable[[RequestRecord], None]) -> None:
        self.foreign = 0
        self._run_id = run_id
        self._folder = folder
        self._watch = watch
        self._sinks: dict[str, CsvSink] = {}

    def accept(self, worker: str, parcel: Parcel) -> None:
        """Write one parcel of a worker. Raises OSError, but only after watching every row."""
        failed: OSError | None = None
        if parcel.run_id != self._run_id:
            self.foreign += len(parcel.rows)
            return
        for cells in parcel.rows:
            record = decode(cells)
            if record.run_id != self._run_id:
                self.foreign += 1
                continue
            try:
                sink = self._sinks.get(worker)
                if sink is None:
                    sink = CsvSink(part_path(self._folder, worker, copy=True))
                    self._sinks[worker] = sink
                sink.add_cells(cells)
            except OSError as error:
                failed = error
            self._watch(record)
        if failed is not None:
            raise failed

    def close(self) -> None:
        """Close every copy."""
        for sink in self._sinks.values():
            sink.close()
            if sink.unwritten:
                log.error("%d rows are not in %s", sink.unwritten, sink.path)
        self._sinks.clear()
