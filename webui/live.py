"""The run as the Gateway tab shows it while it is live, counted record by record. Pure."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Protocol

from loadshapes.phase import Phase
from loadshapes.plan import Plan
from recording.events import Event, PhaseEnd
from recording.histogram import Histogram
from recording.outcome import Outcome
from recording.record import RequestRecord
from recording.tally import Tally
from recording.untrusted_text import printable
from rules.punctuality import FEWEST, LagLimits
from webui import words
from webui.series import Series, Span


class Watched(Protocol):
    """What this needs of a run: its plan, when each phase began, and its counts so far."""

    @property
    def plan(self) -> Plan: ...

    @property
    def began(self) -> dict[str, float]: ...

    @property
    def tallies(self) -> dict[str, Tally]: ...


@dataclass(slots=True)
class Times:
    """The durations of one phase."""

    latency: Histogram = field(default_factory=Histogram)  # of successes, as the next two
    ttft: Histogram = field(default_factory=Histogram)
    chunk: Histogram = field(default_factory=Histogram)  # of each success its median gap
    lag: Histogram = field(default_factory=Histogram)
    loop_lag_s: float | None = None  # P99 of the event loop; known when the phase is over
    local_limits: int = 0


class LiveRun:
    """Gets every record of one run; `rows` and `points` are what the tab shows."""

    def __init__(self, run: Watched, currency: str, texts: Mapping[str, str] | None = None) -> None:
        self._texts = words.texts("en") if texts is None else texts
        self.currency = currency
        self._run = run
        self._times: dict[str, Times] = {}
        self._series = Series()

    def add(self, record: RequestRecord, now: float) -> None:
        """Adds one record, at a time of the master's clock."""
        if record.outcome == Outcome.DROPPED:
            return
        times = self._times.setdefault(record.phase, Times())
        began = self._run.began.get(record.phase)
        times.local_limits += record.outcome == Outcome.LOCAL_LIMIT
        if record.success and record.cancel_after is None:  # as in the report
            measured = (
                (times.latency, record.elapsed_sec),
                (times.ttft, record.ttft_s),
                (times.chunk, record.inter_chunk_p50_s),
            )
            for histogram, time_s in measured:
                if time_s is not None:
                    histogram.add(time_s)
        if record.send_lag_s is not None:
            times.lag.add(max(0.0, record.send_lag_s))
        at_s = record.done_offset_s
        if at_s is None:
            at_s = 0.0 if began is None else now - began
        self._series.add(record, max(0.0, at_s))

    def note(self, event: Event) -> None:
        """Adds one event: the end of a phase says how late its generators were."""
        if isinstance(event, PhaseEnd) and event.phase is not None and event.generator is not None:
            times = self._times.setdefault(event.phase, Times())
            times.loop_lag_s = event.generator.loop_lag_p99_s

    @property
    def answer_s(self) -> float | None:
        """The median latency of the phase with the latest record; None if nothing was answered."""
        known = [times.latency.percentile(50) for times in self._times.values()]
        return next((value for value in reversed(known) if value is not None), None)

    def points(self, now: float, running: str | None) -> list[dict[str, Any]]:
        """The charts' points (`Series.points`); `running` names the current phase."""
        began, spans = self._begun(), {}
        for name, begin in began.items():
            last_s = self._run.tallies[name].last_done_s
            end_s = max(last_s, now - begin) if name == running else last_s
            begin_s = begin - min(began.values())
            spans[name] = Span(begin_s, begin_s + max(0.0, end_s), over=name != running)
        return [
            point | {"phase": printable(point["phase"])} for point in self._series.points(spans)
        ]

    def marks(self) -> list[dict[str, Any]]:
        """Where in the charts each phase begins, seconds since the first one did."""
        began = self._begun()
        return [
            {"phase": printable(name), "second": begin - min(began.values())}
            for name, begin in began.items()
        ]

    @property
    def point_s(self) -> int:
        """How many seconds a point covers, at most."""
        return self._series.point_s

    def _begun(self) -> dict[str, float]:
        began = self._run.began
        return {p.name: began[p.name] for p in self._run.plan.phases if p.name in began}

    def rows(self, now: float, running: str | None, in_flight: int) -> list[dict[str, Any]]:
        """One row per phase that has begun; `running` names the current one."""
        began = self._begun()
        return [
            self._row(phase, now, in_flight if phase.name == running else None)
            for phase in self._run.plan.phases
            if phase.name in began
        ]

    def _row(self, phase: Phase, now: float, in_flight: int | None) -> dict[str, Any]:
        tally = self._run.tallies[phase.name]
        times = self._times.get(phase.name, Times())
        wall_s = tally.last_done_s
        if in_flight is not None:  # still running
            wall_s = max(wall_s, now - self._run.began[phase.name])
        share = 60 / wall_s if wall_s > 0 else None
        cost: float | str = self._texts["unknown"] if tally.done else ""
        if tally.cost is not None:
            cost = round(tally.cost, 6)
        return {
            "phase": printable(phase.name),
            "model": printable(phase.model),
            "planned": self._texts["until_stopped"] if phase.kind == "manual" else _planned(phase),
            "sent": tally.done + (in_flight or 0),
            "flight": in_flight or 0,
            "ok": tally.succeeded,
            "outcomes": ", ".join(f"{n} {name}" for name, n in tally.outcomes.most_common()),
            "rpm": share and round(tally.succeeded * share, 1),
            "tpm": share and round(tally.total_tokens * share),
            **_percentiles("p", times.latency),
            **_percentiles("ttft", times.ttft),
            "lag": self._lag(times, tally),
            "cost": cost,
        }

    def _lag(self, times: Times, tally: Tally) -> str:
        """How late requests were sent, and what that and the event loop mean by the report's rule.

        Requests that waited for the budget were not held up by the generator.
        """
        lag_s = times.lag.percentile(99)
        loop_s = times.loop_lag_s if tally.done >= FEWEST else None
        limits = LagLimits.of(*(t.percentile(50) for t in (times.latency, times.ttft, times.chunk)))
        late = True if times.local_limits else limits.exceeded(lag_s, loop_s)
        times_ms = [] if lag_s is None else [f"{lag_s * 1000:.1f} ms"]
        if loop_s is not None and limits.exceeded(None, loop_s):
            times_ms.append(f"{self._texts['event_loop']} {loop_s * 1000:,.1f} ms")
        parts = [self._texts["comma"].join(times_ms)] if times_ms else []
        if tally.waited_for_budget and limits.exceeded(lag_s, None):
            parts.append(self._texts["held"])
        elif late is not None:
            parts.append(self._texts["late" if late else "on_time"])
        return self._texts["colon"].join(parts)


def _planned(phase: Phase) -> int | str:
    return f"{phase.duration_s:g} s" if phase.count is None else phase.count


def _percentiles(prefix: str, times: Histogram) -> dict[str, float | None]:
    percentiles = {f"{prefix}{percent}": times.percentile(percent) for percent in (50, 95, 99)}
    return {name: None if value is None else round(value, 4) for name, value in percentiles.items()}
