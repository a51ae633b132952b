"""The comparison in a run with two routes, and the phases of the gateway's route alone."""

from collections.abc import Sequence
from dataclasses import dataclass
from math import isfinite
from typing import TYPE_CHECKING

from analysis.numbers import warmup
from analysis.numbers.model_numbers import RouteNumbers
from analysis.numbers.phase_numbers import PhaseNumbers
from analysis.page.words import Words, integer
from analysis.pairs.recorded import pairs_of
from analysis.pairs.verdict import NEEDED, Comparison, Verdict, judge_pairs
from analysis.reading.load import Run
from recording.arms import SUFFIX
from recording.manifest_content import PlannedPhase

if TYPE_CHECKING:
    from pandas import DataFrame

_OF_ANSWERS = "identity"
"""The mode whose pairs compare answers, not times."""


@dataclass(frozen=True, slots=True)
class TwoRoutes:
    """`rows` are those of the pairs, `comparison` holds the verdicts on them."""

    rows: "DataFrame"
    comparison: Comparison

    @classmethod
    def of(cls, run: Run) -> "TwoRoutes | None":
        """The comparison of a run's two routes; None if it had only one."""
        names = [
            str(phase["name"])
            for phase in run.plan
            if phase.get("pairs") and phase["mode"] != _OF_ANSWERS
        ]
        if not names:
            return None
        rows = run.rows.frame(list(dict.fromkeys([*NEEDED, *warmup.NEEDED, "duration_s"])))
        if warm_s := warmup.warmup_s(run):
            rows, _ = warmup.trimmed(rows, warm_s)
        rows = pairs_of(rows[rows["phase"].isin(names)])
        seed = run.options.get("seed")
        return cls(rows, judge_pairs(rows, seed if isinstance(seed, int) else 0))

    def numbers(self) -> list[RouteNumbers]:
        """The verdicts as in summary.json."""
        return [
            RouteNumbers(
                phase=verdict.phase,
                model=verdict.model,
                metric=verdict.metric,
                said=verdict.conclusion.value,
                pairs=verdict.pairs,
                low=_bounded(verdict.low),
                high=_bounded(verdict.high),
                p_adjusted=verdict.adjusted,
                visible=_bounded(verdict.visible),
            )
            for verdict in self.comparison.verdicts
        ]

    def verdict(self, phase: str, metric: str) -> Verdict | None:
        """The verdict on one metric (`ttft`, `ttft_p95`) of a phase; None if there is none."""
        verdicts = (v for v in self.comparison.verdicts if (v.phase, v.metric) == (phase, metric))
        return next(verdicts, None)


def _bounded(value: float | None) -> float | None:
    return None if value is None or not isfinite(value) else float(value)


def loads(t: Words, plan: Sequence[PlannedPhase]) -> dict[str, str]:
    """Each phase's load in words, e.g. `at 10 requests/s`."""
    return {str(phase["name"]): _load(t, phase) for phase in plan if phase.get("pairs")}


def _load(t: Words, phase: PlannedPhase) -> str:
    count, duration_s = phase.get("count"), phase.get("duration_s")
    if phase.get("kind") == "arrivals" and count and duration_s:
        per_s = f"{count / duration_s:.4g}"
        return t(f"at {per_s} requests/s", f"每秒 {per_s} 个请求时")
    users = integer(phase.get("users"))
    return t(f"at {users} at once", f"{users} 并发时")


def of_gateway(phases: Sequence[PhaseNumbers]) -> list[PhaseNumbers]:
    """The phases without those of the reference."""
    return [phase for phase in phases if not phase.phase.endswith(SUFFIX)]
