"""What an interrupted run left behind: its options, and which requests need not be sent again."""

import csv
import json
from collections.abc import Iterator
from dataclasses import dataclass, field
from io import StringIO
from pathlib import Path
from typing import Any

from recording.outcome import Outcome
from recording.record import COLUMNS, RequestRecord, decode

_UNFINISHED = (Outcome.DROPPED.value, Outcome.CANCELLED.value)


@dataclass(frozen=True, slots=True)
class Remains:
    """`finished`: by phase, the indices that got an answer or failed; `attempts`: runs so far.

    `ended`: the phases that the stop rule ended or left out; `watched`: the rows of the phases
    whose program looks at them; `spent`: money and tokens, as far as rows state them.
    """

    manifest: dict[str, Any]
    finished: dict[str, set[int]]
    ended: set[str]
    attempts: int
    watched: dict[str, list[RequestRecord]] = field(default_factory=dict)
    spent: dict[str, float] = field(default_factory=dict)

    def records_of(self, phase: str) -> list[RequestRecord]:
        """The rows of a watched phase, by index."""
        return sorted(self.watched.get(phase, ()), key=lambda record: record.request_index)


def read(folder: Path) -> Remains:
    """Read a run folder. OSError or ValueError when it is not one.

    A torn last row counts as unfinished: nobody knows whether it was answered in full.
    """
    try:
        return _read(folder)
    except (AttributeError, KeyError, TypeError) as error:
        raise ValueError(f"its files are not a run's ({type(error).__name__}: {error})") from None


def _read(folder: Path) -> Remains:
    manifest = json.loads((folder / "manifest.json").read_text(encoding="utf-8"))
    lines = (folder / "events.jsonl").read_bytes().split(b"\n")[:-1]  # the last may be torn
    events = [json.loads(line) for line in lines]
    finished: dict[str, set[int]] = {}
    phase, index, outcome, cost, total = (
        COLUMNS.index(n) for n in ("phase", "request_index", "outcome", "api_cost", "total_tokens")
    )
    observed = {p["name"] for p in manifest["plan"] if p.get("watched")}
    watched: dict[str, list[RequestRecord]] = {}
    spent = {"money": 0.0, "tokens": 0.0}
    for path in sorted(folder.glob("requests-*.csv")):
        for cells in _whole_rows(path):
            if cells[index].isdigit():
                known = finished.setdefault(cells[phase], set())
                if cells[outcome] in _UNFINISHED or int(cells[index]) in known:
                    continue  # a worker's row may be here twice
                known.add(int(cells[index]))
                spent["money"] += float(cells[cost] or 0)
                spent["tokens"] += float(cells[total] or 0)
                if cells[phase] in observed:
                    watched.setdefault(cells[phase], []).append(decode(cells))
    names = [event["event"] for event in events]
    ended = {e["phase"] for e in events if e["event"] in ("stop_rule", "phase_skipped")}
    return Remains(manifest, finished, ended, names.count("run_start"), watched, spent)


def _whole_rows(path: Path) -> Iterator[list[str]]:
    """The rows of a part file; a torn last one is none, though it may hold every cell."""
    whole = path.read_bytes()
    text = whole[: whole.rfind(b"\n") + 1].decode("utf-8", "replace")
    try:
        for cells in csv.reader(StringIO(text, newline="")):
            if len(cells) == len(COLUMNS):
                yield cells
    except csv.Error as error:
        raise ValueError(f"{path.name}: {error}") from None
