"""Reads the log of the provider behind a gateway: the simulator's, with its schedule of faults.

One row is one attempt of the gateway. A dead upstream logs nothing, so its windows are known only
from the schedule.
"""

import csv
import json
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from decimal import Decimal
from pathlib import Path
from typing import Any

from analysis.reading.load import RunError
from analysis.reconcile.logs.entry import number, whole_number
from recording.errors import InputError
from recording.json_files import check_is_file, json_of, read_bytes

DEAD = "dead"
_LONGEST_CELL = 1 << 24
_NEEDED = ("task_id", "status", "fault", "arrival_unix_s", "last_byte_unix_s", "port", "billed")
_NO_ANSWER = frozenset({
    "error_body_200", "reset", "reset_mid_body", "truncated_stream", "stream_error", "malformed",
    "hang", DEAD, "client_gone", "stopped", "empty",
})  # fmt: skip
"""Faults of attempts that had status 200 and no whole answer."""
CUT = frozenset({"truncated_stream", "reset_mid_body", "stream_error", DEAD})
"""Faults that end an answer in its middle."""


@dataclass(frozen=True, slots=True)
class Attempt:
    """One request that reached an upstream. Times are Unix seconds, None: not known or none."""

    ids: tuple[str, ...]
    port: int | None
    arrived_unix_s: float
    ended_unix_s: float | None
    status: int | None
    fault: str | None
    stream: bool
    chunks: int
    tokens: int | None
    billed: Decimal
    retry_after_s: float | None
    gone_unix_s: float | None = None  # when it was noticed that the client had left
    until_unix_s: float | None = None  # when the last token was written

    @property
    def answered(self) -> bool:
        """Whether it was answered as a whole."""
        return self.status == 200 and self.fault not in _NO_ANSWER

    @property
    def cut(self) -> bool:
        """Whether it ended in the middle of an answer."""
        return self.stream and self.fault in CUT and self.chunks > 1


@dataclass(frozen=True, slots=True)
class Window:
    """A fault of one upstream, from when to when by its clock; None: now and then."""

    fault: str
    port: int | None
    from_unix_s: float | None = None
    to_unix_s: float | None = None
    share: float = 1.0

    def holds(self, moment_s: float) -> bool:
        """Whether a moment lies within it."""
        begin, end = self.from_unix_s, self.to_unix_s
        return begin is not None and end is not None and begin <= moment_s < end

    def met(self, attempt: Attempt) -> bool:
        """Whether an attempt met this fault; one in flight when its upstream died did, too."""
        if attempt.fault != self.fault or attempt.port != self.port:
            return False
        if self.fault == DEAD and self.to_unix_s is not None:
            return attempt.arrived_unix_s < self.to_unix_s
        return self.from_unix_s is None or self.holds(attempt.arrived_unix_s)


@dataclass(frozen=True, slots=True)
class UpstreamLog:
    """All attempts in the order in which they arrived, and every fault that there was."""

    attempts: Sequence[Attempt]
    windows: Sequence[Window]


def read(paths: Sequence[Path]) -> UpstreamLog:
    """Read the logs of all upstreams. Raises RunError and OSError."""
    attempts = sorted(
        (attempt for path in paths for attempt in _attempts(path)),
        key=lambda attempt: attempt.arrived_unix_s,
    )
    planned = [window for path in paths for window in _schedule(path)]
    loose = {
        (attempt.fault, attempt.port): Window(attempt.fault, attempt.port)
        for attempt in attempts
        if attempt.fault not in (None, "client_gone", "stopped")
        and not any(window.met(attempt) for window in planned)
    }
    return UpstreamLog(attempts, [*planned, *loose.values()])


def _attempts(path: Path) -> Iterator[Attempt]:
    csv.field_size_limit(_LONGEST_CELL)
    try:
        check_is_file(path)
        with path.open(encoding="utf-8", newline="") as file:
            table = csv.DictReader(file)
            if missing := [name for name in _NEEDED if name not in (table.fieldnames or ())]:
                raise RunError(
                    f"{path} has no column {missing[0]}: give the --log of the simulator behind."
                )
            for row in table:
                yield _attempt(row, f"{path}, line {table.line_num}")
    except InputError as error:
        raise RunError(f"{path} {error}: give the simulator's --log.") from None
    except (UnicodeDecodeError, csv.Error) as error:
        raise RunError(f"{path} must be the simulator's --log, a CSV in UTF-8: {error}.") from None


def _attempt(row: dict[str, Any], where: str) -> Attempt:
    arrived = _seconds(row["arrival_unix_s"])
    if arrived is None:
        raise RunError(f"{where}: arrival_unix_s must be a time, restore the file.")
    tokens = whole_number(row.get("produced_tokens") or row.get("completion_tokens"))
    return Attempt(
        tuple(name for name in (row["task_id"], row.get("trace_id")) if name),
        whole_number(row["port"]),
        arrived,
        _seconds(row["last_byte_unix_s"]),
        whole_number(row["status"]),
        row["fault"] or None,
        row.get("stream") == "1",
        whole_number(row.get("chunks")) or 0,
        tokens,
        number(row["billed"]) or Decimal(0),
        _seconds(row.get("retry_after_s")),
        _seconds(row.get("client_gone_unix_s")),
        _seconds(row.get("produced_until_unix_s")),
    )


def _seconds(text: object) -> float | None:
    seconds = number(text)
    return None if seconds is None else float(seconds)


def _schedule(path: Path) -> Iterator[Window]:
    beside = path.with_name(path.name + ".schedule.jsonl")
    if not beside.exists():
        return
    try:
        for text in read_bytes(beside).splitlines():
            line = json_of(text)
            yield Window(
                str(line["fault"]), int(line["port"]), float(line["from_unix_s"]),
                float(line["to_unix_s"]), float(line["share"]),
            )  # fmt: skip
    except (InputError, KeyError, TypeError, ValueError, json.JSONDecodeError):
        raise RunError(f"{beside} must be the simulator's schedule: restore it.") from None
