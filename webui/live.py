"""The run as the Gateway tab shows it while it is live, counted record by record. Pure."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Protocol

from loadshapes.phase import Phase
from loadshapes.plan import Plan
from recording.histogram import Histogram
from recording.outcome import Outcome
from recording.record import RequestRecord
from recording.tally import Tally
from recording.untrusted_text import shown
from rules.punctuality import LAG_SHARE, limit_s
from webui import words
from webui.series import Series


class Watched(Protocol):
    """What this needs of a run: its plan, when each phase began, and what it is doing now."""

    @property
    def plan(self) -> Plan: ...

    @property
    def began(self) -> dict[str, float]: ...

    @property
    def tallies(self) -> dict[str, Tally]: ...

    def budget_left(self) -> dict[str, float]: ...


@dataclass(slots=True)
class Times:
    """The durations of one phase."""

    latency: Histogram = field(default_factory=Histogram)  # successes only, as in the report
    ttft: Histogram = field(default_factory=Histogram)
    lag: Histogram = field(default_factory=Histogram)


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
        if record.success and record.elapsed_sec is not None and record.cancel_after is None:
            times.latency.add(record.elapsed_sec)
        if record.ttft_s is not None:
            times.ttft.add(record.ttft_s)
        if record.send_lag_s is not None:
            times.lag.add(max(0.0, record.send_lag_s))
        if began is not None and record.done_offset_s is not None:
            now = began + record.done_offset_s
        self._series.add(record, now)

    @property
    def answer_s(self) -> float | None:
        """The median latency of the phase with the latest record; None if nothing was answered."""
        known = [times.latency.percentile(50) for times in self._times.values()]
        return next((value for value in reversed(known) if value is not None), None)

    def points(self, now: float | None) -> list[dict[str, Any]]:
        """The charts' points; `now` is None when the run is over."""
        return self._series.points(now)

    def rows(self, now: float, running: str | None, in_flight: int) -> list[dict[str, Any]]:
        """One row per phase that has begun; `running` names the current one."""
        begun = [p for p in self._run.plan.phases if p.name in self._run.began]
        return [
            self._row(place, phase, now, in_flight if phase.name == running else None)
            for place, phase in enumerate(begun)
        ]

    def _row(self, place: int, phase: Phase, now: float, in_flight: int | None) -> dict[str, Any]:
        tally = self._run.tallies[phase.name]
        times = self._times.get(phase.name, Times())
        wall_s = tally.last_done_s
        if in_flight is not None:  # still running
            wall_s = max(wall_s, now - self._run.began[phase.name])
        share = 60 / wall_s if wall_s > 0 else 0.0
        cost: float | str = self._texts["unknown"] if tally.done else ""
        if tally.cost is not None:
            cost = round(tally.cost, 6)
        return {
            "name": f"{place:06}",  # Locust's table sorts by it, which gives the plan's order
            "phase": shown(phase.name),
            "model": shown(phase.model),
            "planned": self._texts["until_stopped"] if phase.kind == "manual" else _planned(phase),
            "sent": tally.done + (in_flight or 0),
            "flight": in_flight or 0,
            "ok": tally.succeeded,
            "outcomes": ", ".join(f"{n} {name}" for name, n in tally.outcomes.most_common()),
            "rpm": round(tally.succeeded * share, 1),
            "tpm": round(tally.total_tokens * share),
            **_percentiles("p", times.latency),
            **_percentiles("ttft", times.ttft),
            "lag": self._lag(times, tally.held),
            "cost": cost,
            "left": "" if in_flight is None else self._left(),
        }

    def _left(self) -> str:
        """What the run may still use, given what has been recorded."""
        left = self._run.budget_left()
        shown = [f"{left['money']:.6g} {self.currency}".rstrip()] if "money" in left else []
        shown += [f"{left['tokens']:,.0f} tokens"] if "tokens" in left else []
        return ", ".join(shown)

    def _lag(self, times: Times, held: bool) -> str:
        """How late requests were sent, and what that means by the report's rule."""
        lag_s, latency_s = times.lag.percentile(99), times.latency.percentile(50)
        if lag_s is None:
            return ""
        shown = f"{lag_s * 1000:.1f} ms"
        bearable_s = limit_s(LAG_SHARE, latency_s)
        if bearable_s is None:
            return shown
        late = "held" if held else "late"
        return f"{shown}: {self._texts[late if lag_s > bearable_s else 'on_time']}"


def _planned(phase: Phase) -> int | str:
    return f"{phase.duration_s:g} s" if phase.count is None else phase.count


def _percentiles(prefix: str, times: Histogram) -> dict[str, float | None]:
    percentiles = {f"{prefix}{percent}": times.percentile(percent) for percent in (50, 95, 99)}
    return {name: None if value is None else round(value, 4) for name, value in percentiles.items()}
