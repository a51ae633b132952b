"""events.jsonl: what happened to the run as a whole, one JSON object a line."""

import json
import os
from datetime import UTC, datetime
from pathlib import Path
from typing import Any


class Journal:
    """Appends events to a file, flushed line by line; readable by its owner only."""

    def __init__(self, path: Path) -> None:
        descriptor = os.open(path, os.O_WRONLY | os.O_APPEND | os.O_CREAT, 0o600)
        self._file = os.fdopen(descriptor, "a", encoding="utf-8")

    def note(self, event: str, **details: Any) -> None:
        """Write one event: its wall time, its name, its details."""
        line = {"at": datetime.now(UTC).isoformat(), "event": event, **details}
        self._file.write(json.dumps(line, ensure_ascii=False) + "\n")
        self._file.flush()

    def close(self) -> None:
        """Close the file."""
        self._file.close()
