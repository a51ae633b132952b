"""What an interrupted run left behind: its options, and which requests need not be sent again."""

import csv
import json
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, field
from io import StringIO
from pathlib import Path
from typing import Any

from recording.outcome import ENDED_BY_US, FREE, Outcome
from recording.purse import MONEY, TOKENS
from recording.record import COLUMNS, RequestRecord, decode

_USED = {MONEY: COLUMNS.index("api_cost"), TOKENS: COLUMNS.index("total_tokens")}
_MODEL, _OUTCOME = COLUMNS.index("model_requested"), COLUMNS.index("outcome")


@dataclass(frozen=True, slots=True)
class Remains:
    """`finished`: by phase, the indices that got an answer or failed; `attempts`: runs so far.

    `ended`: the phases that the stop rule ended or left out; `watched`: the rows of the phases
    whose program looks at them; `spent`: money and tokens, what no row states at its worst.
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
    phase, index, outcome = COLUMNS.index("phase"), COLUMNS.index("request_index"), _OUTCOME
    observed = {p["name"] for p in manifest["plan"] if p.get("watched")}
    watched: dict[str, list[RequestRecord]] = {}
    bill, cancelled = _Bill(), set[tuple[str, ...]]()
    for path in sorted(folder.glob("requests-*.csv")):
        for cells in _whole_rows(path):
            if cells[index].isdigit():
                known = finished.setdefault(cells[phase], set())
                if cells[outcome] in ENDED_BY_US:
                    if cells[outcome] != Outcome.DROPPED and tuple(cells) not in cancelled:
                        cancelled.add(tuple(cells))
                        bill.add(cells)
                    continue
                if int(cells[index]) in known:
                    continue  # a worker's row may be here twice
                known.add(int(cells[index]))
                bill.add(cells)
                if cells[phase] in observed:
                    watched.setdefault(cells[phase], []).append(decode(cells))
    names = [event["event"] for event in events]
    ended = {e["phase"] for e in events if e["event"] in ("stop_rule", "phase_skipped")}
    spent = bill.spent()
    for event in events:
        if event["event"] == "accounts":  # they know the worst case of each, and of lost workers
            spent = {u: max(sum_, event.get(u, {}).get("spent", 0.0)) for u, sum_ in spent.items()}
    return Remains(manifest, finished, ended, names.count("run_start"), watched, spent)


class _Bill:
    """What rows used, by unit; one that does not say may have used the most of its model's."""

    def __init__(self) -> None:
        self._known = dict.fromkeys(_USED, 0.0)
        self._most: dict[tuple[str, str], float] = {}
        self._unknown: Counter[tuple[str, str]] = Counter()

    def add(self, cells: list[str]) -> None:
        for unit, place in _USED.items():
            key = (unit, cells[_MODEL])
            used = float(cells[place] or -1)
            if used >= 0:
                self._known[unit] += used
                self._most[key] = max(self._most.get(key, 0.0), used)
            elif cells[_OUTCOME] not in FREE:
                self._unknown[key] += 1

    def spent(self) -> dict[str, float]:
        """The sums."""
        spent = dict(self._known)
        for (unit, model), count in self._unknown.items():
            spent[unit] += count * self._most.get((unit, model), 0.0)
        return spent


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
