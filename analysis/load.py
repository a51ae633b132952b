"""A run's folder, read back strictly.

A torn last line (the process died while it wrote) is dropped and remarked upon; anything else
that the recorder cannot have written is an error that names the file and the line.
"""

import csv
import json
from collections.abc import Iterator
from dataclasses import dataclass
from itertools import islice
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple, get_args, get_type_hints

from recording.outcome import Outcome
from recording.record import COLUMNS, SCHEMA_VERSION, TYPES, RequestRecord, decode

if TYPE_CHECKING:
    from pandas import DataFrame, Series

_BATCH_ROWS = 20_000
_REQUIRED = frozenset(
    n for n, h in get_type_hints(RequestRecord).items() if type(None) not in get_args(h)
)
_BOOLS = {"true": True, "false": False}


class RunError(Exception):
    """A folder is no run, or cannot be read; the message is one sentence for the operator."""


class Odd(NamedTuple):
    """What was odd in a run's files: one sentence, in the report's two languages."""

    en: str
    zh: str


@dataclass(frozen=True, slots=True)
class Run:
    """One run as it was recorded.

    `requests` has the columns of `recording.record.COLUMNS`, sorted by phase (in the plan's
    order) and request_index, one row a planned request: text as `str`, int as `Int64`, float as
    `float64`, bool as `boolean`; what is not known is missing, never 0. `remarks` say what was odd
    in the files.
    """

    folder: Path
    manifest: dict[str, Any]
    requests: "DataFrame"
    events: list[dict[str, Any]]
    remarks: list[Odd]

    @property
    def run_id(self) -> str:
        """The run's name."""
        return str(self.manifest["run_id"])

    @property
    def plan(self) -> list[dict[str, Any]]:
        """The planned phases, in order (`loadshapes.plan.Phase` as dictionaries)."""
        return list(self.manifest["plan"])

    @property
    def simulated(self) -> bool:
        """Whether the gateway was our simulator."""
        return bool((self.manifest.get("gateway") or {}).get("simulated"))

    @property
    def interrupted(self) -> bool:
        """Whether the run never said that it had ended."""
        return not self.events_of("run_end")

    def events_of(self, kind: str, phase: str | None = None) -> list[dict[str, Any]]:
        """The events of one kind, of one phase when it is named."""
        return [
            event
            for event in self.events
            if event["event"] == kind and (phase is None or event.get("phase") == phase)
        ]


def load(folder: Path) -> Run:
    """The run in a folder. Raises RunError."""
    if not folder.is_dir():
        raise RunError(f"there is no run folder {folder}: give the path of one.")
    if not (folder / "manifest.json").is_file():
        raise RunError(
            f"{folder} is not a run, it has no manifest.json: give the folder that a run made."
        )
    remarks: list[Odd] = []
    try:
        manifest = _manifest(folder / "manifest.json")
        events = _events(folder / "events.jsonl", remarks)
        parts = [_part(path, remarks) for path in sorted(folder.glob("requests-*.csv"))]
    except OSError as error:
        raise RunError(
            f"{error.filename} cannot be read ({error.strerror}): let this user read it."
        ) from None
    order = [phase["name"] for phase in manifest["plan"]]
    return Run(folder, manifest, _unite(parts, order, remarks), events, remarks)


def rows(frame: "DataFrame") -> list[dict[str, Any]]:
    """The frame as dictionaries of plain Python values; what is missing is None."""
    plain = frame.astype(object)
    return [
        {str(k): v for k, v in row.items()}
        for row in plain.where(frame.notna(), None).to_dict("records")
    ]


def _manifest(path: Path) -> dict[str, Any]:
    try:
        manifest = json.loads(path.read_text(encoding="utf-8"))
    except ValueError as error:
        raise RunError(f"{path} is not JSON ({error}): restore the file.") from None
    if not isinstance(manifest, dict) or not isinstance(manifest.get("run_id"), str):
        raise RunError(f"{path} does not name its run: restore the file.")
    plan = manifest.get("plan")
    named = isinstance(plan, list) and all(isinstance(p, dict) and "name" in p for p in plan)
    if not named:
        raise RunError(f"{path} holds no plan: restore the file.")
    if manifest.get("schema_version") != SCHEMA_VERSION:
        raise RunError(
            f"{path} is of schema version {manifest.get('schema_version')}, and this Weighbridge "
            f"reads version {SCHEMA_VERSION}: use the version that made the run."
        )
    return manifest


def _events(path: Path, remarks: list[Odd]) -> list[dict[str, Any]]:
    if not path.is_file():
        remarks.append(Odd(f"{path.name} is missing.", f"缺少 {path.name}。"))
        return []
    lines = path.read_bytes().split(b"\n")
    if lines.pop():
        remarks.append(_torn(path, len(lines) + 1))
    events = []
    for number, line in enumerate(lines, 1):
        try:
            event = json.loads(line)
        except ValueError:
            event = None
        if not isinstance(event, dict) or not isinstance(event.get("event"), str):
            raise RunError(f"{path}, line {number}: not an event; restore the file.")
        events.append(event)
    return events


def _torn(path: Path, line: int) -> Odd:
    """A process died while it wrote its last line."""
    return Odd(
        f"{path.name}: the torn last line {line} was dropped.",
        f"{path.name}：已丢弃写到一半的末行（第 {line} 行）。",
    )


def _texts(path: Path, remarks: list[Odd]) -> Iterator[tuple[int, bytes]]:
    """Each whole CSV record and the line it begins on; it ends where its quotes are closed."""
    begin, parts, quoted = 1, list[bytes](), False
    with path.open("rb") as file:
        for number, line in enumerate(file, 1):
            parts.append(line)
            quoted ^= bool(line.count(b'"') % 2)
            if not quoted and line.endswith(b"\n"):
                yield begin, b"".join(parts)
                begin, parts = number + 1, []
    if parts:
        if any(_whole(line) for line in parts[1:]):
            raise RunError(f"{path}, line {begin}: a quote is never closed; restore the file.")
        remarks.append(_torn(path, begin))


def _whole(line: bytes) -> bool:
    """Whether a line is a record by itself: then the quote before it is a fault, not a torn end."""
    try:
        decode(next(csv.reader([line.decode()], strict=True)))
    except (ValueError, csv.Error, StopIteration):
        return False
    return True


def _part(path: Path, remarks: list[Odd]) -> "DataFrame":
    """The rows of one part file."""
    import pandas as pd

    texts = _texts(path, remarks)
    header = next(texts, None)
    if header is None:
        remarks.append(Odd(f"{path.name} is empty.", f"{path.name} 为空。"))
    else:
        _check_header(path, header[1])
    batches = [_frame([])]
    while batch := list(islice(texts, _BATCH_ROWS)):
        try:
            batches.append(
                _frame(list(csv.reader([text.decode() for _, text in batch], strict=True)))
            )
        except (ValueError, OverflowError, KeyError, csv.Error):
            raise RunError(_blame(path, batch)) from None
    return pd.concat(batches, ignore_index=True)


def _check_header(path: Path, text: bytes) -> None:
    found = next(csv.reader([text.decode(errors="replace")]), [])
    if found != list(COLUMNS):
        missing = [name for name in COLUMNS if name not in found]
        unknown = [name for name in found if name not in COLUMNS]
        raise RunError(
            f"{path}, line 1: not the columns of schema version {SCHEMA_VERSION} "
            f"(missing: {', '.join(missing) or 'none'}; unknown: {', '.join(unknown) or 'none'}); "
            "restore it."
        )


def _blame(path: Path, batch: list[tuple[int, bytes]]) -> str:
    """Which line of a batch is at fault, and why, by the recorder's own strict `decode`."""
    for begin, text in batch:
        try:
            decode(next(csv.reader([text.decode()], strict=True)))
        except (ValueError, csv.Error) as error:
            return f"{path}, line {begin}: {error}."
    return f"{path}, lines {batch[0][0]} to {batch[-1][0]}: a number is beyond 64 bits."


def _frame(cells: list[list[str]]) -> "DataFrame":
    """Typed columns from rows of cells, as strict as `decode` but a column at a time."""
    import pandas as pd

    if any(len(row) != len(COLUMNS) for row in cells):
        raise ValueError("a row of another length")
    columns = zip(*cells, strict=True) if cells else ((),) * len(COLUMNS)
    return pd.DataFrame({n: _column(n, c) for n, c in zip(COLUMNS, columns, strict=True)})


def _column(name: str, cells: tuple[str, ...]) -> "Series[Any]":
    import pandas as pd

    kind, required = TYPES[name], name in _REQUIRED
    values: list[Any]
    if kind is str:
        values = [c[1:] if c[:1] == "'" else c if c or required else None for c in cells]
        return pd.Series(values, dtype="str")
    if kind is bool:
        values = [_BOOLS[c] if c or required else None for c in cells]
        return pd.Series(values, dtype="boolean")
    values = [kind(c) if c or required else None for c in cells]
    return pd.Series(values, dtype="Int64" if kind is int else "float64")


def _unite(parts: list["DataFrame"], order: list[str], remarks: list[Odd]) -> "DataFrame":
    """One row a planned request, though a worker's own file and the master's copy both hold it.

    A finished row outweighs a cancelled one, and that a dropped one: the master writes off what
    a lost worker had planned, and the worker's own file may know better.
    """
    import pandas as pd

    every = pd.concat(parts, ignore_index=True) if parts else _frame([])
    weight = every["outcome"].map({Outcome.CANCELLED: 1, Outcome.DROPPED: 2}).fillna(0)
    place = every["phase"].map({name: i for i, name in enumerate(order)}).fillna(len(order))
    every = every.assign(weight=weight, place=place).sort_values(
        ["place", "phase", "request_index", "weight"], kind="stable"
    )
    key = ["phase", "request_index"]
    finished = every[every["weight"] == 0].drop_duplicates([*key, "worker", "timestamp"])
    twice = int(finished.duplicated(key).sum())
    if twice:
        text = f"{twice} requests were sent twice; the copy read first is counted."
        remarks.append(Odd(text, f"{twice} 个请求被发送两次，以先读到的记录计数。"))
    return every.drop_duplicates(key).drop(columns=["weight", "place"]).reset_index(drop=True)
