"""Imports JSONL written by the article's script or our export as a run folder.

What the seed did not measure stays unknown: it has no send offsets, so a phase's wall clock is
that of its summary row; without one, neither it nor an observed rate is known.
"""

import csv
import json
import os
import re
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, TextIO

from analysis.reading.load import RunError
from recording.outcome import Outcome, of_status
from recording.record import COLUMNS, SCHEMA_VERSION, TYPES, RequestRecord, encode
from rules import local_errors

_NEEDED = ("mode", "model_requested", "request_index", "success")
_RUN_ID = re.compile(r"[A-Za-z0-9][\w.-]{0,127}")
_SIGNS: tuple[tuple[str, Outcome], ...] = (
    (r"name or service|getaddrinfo|gaierror|name resolution", Outcome.DNS),
    (r"ssl|certificate", Outcome.TLS),
    (r"refused", Outcome.CONNECTION_REFUSED),
    (r"urlopen error.*timed out", Outcome.TIMEOUT_CONNECT),
    (r"timed out|timeout", Outcome.TIMEOUT_TOTAL),
    (r"json|unicodedecode", Outcome.MALFORMED),
)
"""What urllib and json call a failure, and our name for it; anything else broke the connection."""


@dataclass(slots=True)
class _Phase:
    """One window of one file: its request rows and, when the script got so far, its summary."""

    name: str
    rows: list[dict[str, Any]] = field(default_factory=list)
    indices: set[int] = field(default_factory=set)
    summary: dict[str, Any] | None = None


def read(
    files: list[Path], results: Path, run_id: str | None = None, currency: str | None = None
) -> Path:
    """Make a run folder under `results` from the files; returns it.

    Raises RunError for a file that is not the seed's JSONL (naming the line), and when the run's
    folder exists. `run_id` defaults to the rows' own, and `currency` to not known.
    """
    phases: dict[str, _Phase] = {}
    for path in files:
        for phase in _phases(path, set(phases)):
            phases[phase.name] = phase
    if not phases:
        raise RunError(
            f"{', '.join(map(str, files))}: no request rows; "
            "give JSONL that the article's script wrote."
        )
    first = next(iter(phases.values())).rows[0]
    name = str(run_id or first.get("run_id") or files[0].stem)
    if not _RUN_ID.fullmatch(name):
        raise RunError(
            f"{name!r} cannot name a run: give --run-id (letters, digits, '.', '_' and '-')."
        )
    folder = results / name
    try:
        folder.mkdir(parents=True, mode=0o700)
    except FileExistsError:
        raise RunError(f"{folder} exists: give another --run-id.") from None
    _write(folder, name, list(phases.values()), files, currency)
    return folder


def _phases(path: Path, used_names: set[str]) -> list[_Phase]:
    """The file's windows, in order, named apart from each other and from those taken."""
    phases: dict[tuple[Any, ...], _Phase] = {}
    for number, row in _rows(path):
        key = tuple(row.get(k) for k in ("run_id", "mode", "model_requested", "target", "phase"))
        if key not in phases:
            parts = (row["mode"], row["model_requested"], row.get("target"))
            name = row.get("phase") or "/".join(str(part) for part in parts if part is not None)
            phases[key] = _Phase(_apart(str(name), used_names))
        phase = phases[key]
        if row["record_type"] == "summary":
            phase.summary = row
        elif row["request_index"] in phase.indices:
            raise RunError(
                f"{path}, line {number}: request_index {row['request_index']} occurs "
                "twice; remove one of the two."
            )
        else:
            phase.indices.add(row["request_index"])
            phase.rows.append(row)
    return [phase for phase in phases.values() if phase.rows]


def _apart(name: str, used_names: set[str]) -> str:
    """The name, numbered when the same window was imported already."""
    again, number = name, 2
    while again in used_names:
        again, number = f"{name}#{number}", number + 1
    used_names.add(again)
    return again


def _rows(path: Path) -> list[tuple[int, dict[str, Any]]]:
    """Each line's number and its object, checked."""
    try:
        lines = path.read_text(encoding="utf-8").splitlines()
    except UnicodeDecodeError:
        raise RunError(
            f"{path} is not UTF-8 text: give JSONL that the article's script wrote."
        ) from None
    rows = []
    for number, line in enumerate(lines, 1):
        if not line.strip():
            continue
        try:
            row = json.loads(line)
        except ValueError:
            row = None
        if isinstance(row, dict) and "schema_version" in row:
            row = {"record_type": "request", **row}  # our own export, with every column
        if not isinstance(row, dict) or row.get("record_type") not in ("request", "summary"):
            raise RunError(
                f"{path}, line {number}: not a row of the article's script; correct or remove it."
            )
        needed = _NEEDED if row["record_type"] == "request" else _NEEDED[:2]
        missing = [name for name in needed if row.get(name) is None]
        if missing:
            raise RunError(f"{path}, line {number}: no {', '.join(missing)}.")
        try:
            rows.append((number, row | _columns(row)))
        except (TypeError, ValueError) as error:
            raise RunError(f"{path}, line {number}: {error}.") from None
    return rows


def _columns(row: dict[str, Any]) -> dict[str, Any]:
    """The row's values that are columns of ours, each of its column's type."""
    return {n: _typed(n, row[n]) for n in COLUMNS if row.get(n) is not None}


def _typed(name: str, value: Any) -> Any:
    kind = TYPES[name]
    if kind is float and isinstance(value, (int, float)) and not isinstance(value, bool):
        return float(value)
    if kind is str and not isinstance(value, str):
        return json.dumps(value, ensure_ascii=False)
    if type(value) is not kind:
        raise ValueError(f"{name} is {value!r}, not {kind.__name__}")
    return value


def _record(row: dict[str, Any], run_id: str, phase: str) -> RequestRecord:
    known = _columns(row)
    cost = known.get("api_cost")
    defaults = {
        "timestamp": "",
        "scenario": "chat",
        "target": None,
        "duration_s": None,
        "stream": known.get("ttft_s") is not None,
        "outcome": _outcome(known),
        "cost_source": "unknown" if cost is None else "body",
    }
    ours = {"run_id": run_id, "worker": "import", "phase": phase, "schema_version": SCHEMA_VERSION}
    return RequestRecord(**(defaults | known | ours))


def _outcome(row: dict[str, Any]) -> Outcome:
    """Our name for how the seed's request ended."""
    if row["success"]:
        return Outcome.OK
    status = row.get("http_status")
    if status is not None and status != 200:
        return of_status(status)
    words = f"{row.get('error_type')} {row.get('error_message')}".lower()
    if (known := local_errors.of_words(words)) is not None:
        return known
    return next((o for sign, o in _SIGNS if re.search(sign, words)), Outcome.CONNECTION_RESET)


def _write(
    folder: Path, run_id: str, phases: list[_Phase], files: list[Path], currency: str | None
) -> None:
    with _private(folder / "requests-import.csv") as file:
        writer = csv.writer(file)
        writer.writerow(COLUMNS)
        for phase in phases:
            writer.writerows(encode(_record(row, run_id, phase.name)) for row in phase.rows)
    times = [
        str(row["timestamp"]) for phase in phases for row in phase.rows if row.get("timestamp")
    ]
    begun, ended = min(times, default=None), max(times, default=None)
    events: list[dict[str, Any]] = [{"at": begun, "event": "run_start"}]
    if all(phase.summary for phase in phases):
        events.append({"at": ended, "event": "run_end"})
    manifest = {
        "schema_version": SCHEMA_VERSION,
        "run_id": run_id,
        "started_at": begun,
        "imported_from": [path.name for path in files],
        "gateway": {"base_url": None, "simulated": False},
        "currency": currency,
        "options": {},
        "plan": [_planned(phase) for phase in phases],
        "mode": "import",
    }
    lines = "".join(json.dumps(event) + "\n" for event in events)
    with _private(folder / "events.jsonl") as file:
        file.write(lines)
    text = json.dumps(manifest, ensure_ascii=False, indent=2) + "\n"
    with _private(folder / "manifest.json") as file:
        file.write(text)


def _private(path: Path) -> TextIO:
    """A new UTF-8 text file, readable by its owner only: like a recorder's, it holds replies."""
    descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    return os.fdopen(descriptor, "w", encoding="utf-8", newline="")


def _planned(phase: _Phase) -> dict[str, Any]:
    """The phase as far as the file describes it; `wall_s` is the seed's own wall clock."""
    first, summary = phase.rows[0], phase.summary or {}
    return {
        "name": phase.name,
        "mode": first["mode"],
        "scenario": first.get("scenario", "chat"),
        "model": first["model_requested"],
        "kind": "arrivals",
        "count": summary.get("planned_requests") or len(phase.rows),
        "duration_s": first.get("duration_s"),
        "target": first.get("target"),
        "wall_s": summary.get("wall_sec"),
    }
