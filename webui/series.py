"""What the charts show: the run over time, in bounded memory. Pure.

Every phase has cells of its own, counted from its begin, so that no point mixes two phases and none
stands where no phase ran. Cells are one second wide at first; when a run needs more than
MOST_CELLS, neighbours are merged and the width doubles.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from math import ceil
from typing import Any

from recording.histogram import Histogram
from recording.record import RequestRecord
from recording.tally import Tally

MOST_CELLS = 240
"""The most cells of a run, apart from one for each phase."""
POINT_S = 10
"""A point covers the seconds before it: this many, or one cell if that is wider, within its phase.
Counted by single seconds, one request every two seconds would be drawn as 60 and 0 per minute."""


@dataclass(slots=True)
class Cell:
    """What was completed in one interval."""

    tally: Tally = field(default_factory=Tally)
    latency: Histogram = field(default_factory=Histogram)  # successes only

    def add(self, record: RequestRecord) -> None:
        """Counts one completed request."""
        self.tally.add(record)
        if record.success and record.elapsed_sec is not None and record.cancel_after is None:
            self.latency.add(record.elapsed_sec)

    def merge(self, other: "Cell") -> None:
        """Adds the counts of another cell."""
        self.tally.merge(other.tally)
        self.latency.merge(other.latency)


@dataclass(frozen=True, slots=True)
class Span:
    """When a phase ran, in seconds since the run began; `over`: nothing more will be completed."""

    begin_s: float
    end_s: float
    over: bool


@dataclass(slots=True)
class _Phase:
    cells: list[Cell] = field(default_factory=list)
    points: list[dict[str, Any]] = field(default_factory=list)  # of cells that are over: a cache


class Series:
    """The cells of every phase of a run."""

    def __init__(self) -> None:
        self.width_s = 1
        self._phases: dict[str, _Phase] = {}

    @property
    def point_s(self) -> int:
        """How many seconds a point covers, unless its phase is younger."""
        return self._cells_per_point * self.width_s

    @property
    def _cells_per_point(self) -> int:
        return max(1, POINT_S // self.width_s)

    def add(self, record: RequestRecord, at_s: float) -> None:
        """Counts a request that was completed `at_s` after its phase began."""
        phase = self._phases.setdefault(record.phase, _Phase())
        self._reach(record.phase, at_s)
        place = self._count(at_s) - 1
        phase.cells[place].add(record)
        del phase.points[place:]

    def points(self, spans: Mapping[str, Span]) -> list[dict[str, Any]]:
        """The points of the phases that have begun, in this order; of open cells there is none.

        `second`: where the point ends, seconds since the run began. `rpm`, `failed`, `tpm`: per
        minute. `p95`: latency of successes, seconds; None without any. `cost`: all that has been
        stated so far; None if none has.
        """
        for name, span in spans.items():
            self._phases.setdefault(name, _Phase())
            self._reach(name, span.end_s - span.begin_s)
        points: list[dict[str, Any]] = []
        spent: float | None = None
        for name, span in spans.items():
            for point in self._points(self._phases[name], span.end_s - span.begin_s, span.over):
                place = {"phase": name, "second": span.begin_s + point["second"]}
                points.append(point | place | {"cost": _sum(spent, point["cost"])})
            for cell in self._phases[name].cells:
                spent = _sum(spent, cell.tally.cost)
        return points

    def _points(self, phase: _Phase, long_s: float, over: bool) -> list[dict[str, Any]]:
        complete_points = int(max(0.0, long_s) // self.width_s)
        for place in range(len(phase.points), complete_points):
            phase.points.append(self._point(phase, place, (place + 1) * self.width_s))
        del phase.points[complete_points:]
        if over and long_s > complete_points * self.width_s:
            return [*phase.points, self._point(phase, complete_points, long_s)]
        return phase.points

    def _point(self, phase: _Phase, place: int, end_s: float) -> dict[str, Any]:
        first = max(0, place + 1 - self._cells_per_point)
        covered = Cell()
        for cell in phase.cells[first : place + 1]:
            covered.merge(cell)
        spent: float | None = None
        if place and len(phase.points) >= place:
            spent = phase.points[place - 1]["cost"]
        tally, per_minute = covered.tally, 60 / (end_s - first * self.width_s)
        return {
            "second": end_s,
            "rpm": tally.succeeded * per_minute,
            "failed": tally.failed * per_minute,
            "tpm": tally.total_tokens * per_minute,
            "p95": covered.latency.percentile(95),
            "cost": _sum(spent, phase.cells[place].tally.cost),
        }

    def _count(self, at_s: float) -> int:
        """How many cells reach to this time. The end of a cell belongs to it."""
        return max(1, ceil(at_s / self.width_s))

    def _reach(self, name: str, at_s: float) -> None:
        """Makes the cells of a phase reach to this time, as few of them as may be."""
        while self._count(at_s) > MOST_CELLS:
            self._halve()
        cells = self._phases[name].cells
        missing = self._count(at_s) - len(cells)
        if missing <= 0:
            return
        cells.extend(Cell() for _ in range(missing))
        while sum(len(p.cells) for p in self._phases.values()) > MOST_CELLS + len(self._phases):
            self._halve()

    def _halve(self) -> None:
        self.width_s *= 2
        for phase in self._phases.values():
            for first, second in zip(phase.cells[::2], phase.cells[1::2], strict=False):
                first.merge(second)
            phase.cells = phase.cells[::2]
            phase.points.clear()


def _sum(one: float | None, other: float | None) -> float | None:
    return other if one is None else one if other is None else one + other
