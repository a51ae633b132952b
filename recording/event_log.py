"""Writes events.jsonl: what happened to the run as a whole, one JSON object per line."""

import logging
import os
from datetime import UTC, datetime
from pathlib import Path

from recording.events import Event
from recording.untrusted_text import as_json

log = logging.getLogger("weighbridge")


class EventLog:
    """Appends events to a file, line by line; readable by its owner only.

    A line that a crash cut short is removed, so that the following lines can be read. If the disk
    accepts no event, a warning is logged and the run continues.
    """

    def __init__(self, path: Path) -> None:
        descriptor = os.open(path, os.O_RDWR | os.O_APPEND | os.O_CREAT, 0o600)
        self._file = os.fdopen(descriptor, "a+b", buffering=0)
        self._file.seek(0)
        self._size = self._file.read().rfind(b"\n") + 1
        self._file.truncate(self._size)

    def write(self, event: Event) -> None:
        """Write one event with the current wall time."""
        line = {"at": datetime.now(UTC).isoformat(), **event.as_dict()}
        rest = text = as_json(line, None).encode("utf-8", "replace") + b"\n"
        try:
            while rest:
                rest = rest[self._file.write(rest) :]
            self._size += len(text)
        except OSError as error:
            log.error(
                "the event %s cannot be written to events.jsonl (%s)", event.name, error.strerror
            )
            if len(rest) < len(text):
                self._file.truncate(self._size)

    def close(self) -> None:
        """Close the file."""
        self._file.close()
