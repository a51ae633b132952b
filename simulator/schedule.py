"""Scheduled faults: which port has which fault from when to when, as `[[schedule]]` says.

The clock starts with the first request to a model, at any port, so there is no hurry.
`--log FILE` then writes the windows to FILE.schedule.jsonl, with wall-clock times.
"""

import asyncio
import time
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, fields
from typing import Any

from simulator.faults import FAULTS
from simulator.profile import ProfileError

DEAD = "dead"
"""Nobody listens: existing connections are reset, new ones are refused."""


@dataclass(frozen=True, slots=True)
class Window:
    """A fault of one port, for a limited time."""

    from_s: float  # its beginning, in seconds after the first request to a model
    to_s: float  # its end (exclusive), likewise
    fault: str  # a fault of `--fault`, or `dead`: nothing listens on the port
    port: int = 1  # 1 is `--port`, 2 the first `--also-port`, and so on
    share: float = 1.0  # share of the requests at that time that meet it
    seconds: float | None = None  # of slow_headers, stall, Retry-After; by default the options'


class Schedule:
    """The windows of a process, and when their clock started."""

    def __init__(self, windows: Sequence[Window] = ()) -> None:
        self.windows = windows
        self.begun = asyncio.Event()
        self.began_unix_s = 0.0
        self._began = 0.0

    def begin(self) -> None:
        """Starts the clock at the first request; later calls change nothing."""
        if self.windows and not self.begun.is_set():
            self._began, self.began_unix_s = time.monotonic(), time.time()
            self.begun.set()

    def now(self, place: int) -> Window | None:
        """The current window of a port (numbered from 0); the first if there are several."""
        if not self.begun.is_set():
            return None
        at_s = time.monotonic() - self._began
        return next(
            (
                window
                for window in self.windows
                if window.port == place + 1 and window.from_s <= at_s < window.to_s
            ),
            None,
        )

    def wait_s(self, moment_s: float) -> float:
        """Seconds until `moment_s` after the start; 0 if it has passed."""
        return max(0.0, self._began + moment_s - time.monotonic())

    def as_logged(self, ports: Sequence[int]) -> list[dict[str, Any]]:
        """The windows with real ports and wall-clock times, as written beside the log."""
        return [
            {
                "port": ports[window.port - 1],
                "fault": window.fault,
                "share": window.share,
                "from_unix_s": round(self.began_unix_s + window.from_s, 6),
                "to_unix_s": round(self.began_unix_s + window.to_s, 6),
            }
            for window in self.windows
        ]


def parse(tables: Sequence[Mapping[str, Any]], ports: int) -> tuple[Window, ...]:
    """The windows of a profile's `[[schedule]]`. Raises ProfileError."""
    return tuple(_window(table, number, ports) for number, table in enumerate(tables, 1))


def _window(table: Mapping[str, Any], number: int, ports: int) -> Window:
    where = f"schedule {number}"
    known = {item.name for item in fields(Window)}
    if unknown := sorted(set(table) - known):
        raise ProfileError(
            f"{where}: unknown key {unknown[0]!r}; known: {', '.join(sorted(known))}"
        )
    try:
        window = Window(**table)
    except TypeError:
        raise ProfileError(f"{where}: from_s, to_s and fault are required") from None
    numbers = {name: value for name, value in asdict(window).items() if name != "fault"}
    for name, value in numbers.items():
        plain = isinstance(value, int | float) and not isinstance(value, bool) and value >= 0
        if not plain and not (name == "seconds" and value is None):
            raise ProfileError(f"{where}: {name} must be a number, 0 or more, not {value!r}")
    if window.fault not in FAULTS and window.fault != DEAD:
        raise ProfileError(f"{where}: unknown fault {window.fault!r}; known: {_known()}")
    if window.from_s >= window.to_s:
        raise ProfileError(f"{where}: to_s must be after from_s")
    if not 0 < window.share <= 1 or (window.fault == DEAD and window.share != 1):
        raise ProfileError(f"{where}: share must be above 0 and at most 1 (of `dead`: 1)")
    if window.port not in range(1, ports + 1):
        raise ProfileError(
            f"{where}: port {window.port} does not exist: there are {ports} ports (--also-port)"
        )
    return window


def _known() -> str:
    return ", ".join(sorted([*FAULTS, DEAD]))
