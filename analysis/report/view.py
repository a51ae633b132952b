"""The input of every section and verdict of a report: a run, its numbers, a language."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from fractions import Fraction
from typing import TYPE_CHECKING, Any

from analysis.features import cells
from analysis.features.cells import Features
from analysis.numbers import agreement, providers
from analysis.numbers.agreement import Difference
from analysis.numbers.goodput import slo_of
from analysis.numbers.outliers import NEEDED, Misfits, outliers
from analysis.numbers.phase_numbers import Percentiles, PhaseNumbers
from analysis.page.blocks import Section
from analysis.page.words import Words
from analysis.reading.load import Run, rows
from analysis.report.two_routes import TwoRoutes
from recording.record import COLUMNS
from rules import percentiles
from rules.slo import Slo

if TYPE_CHECKING:
    from pandas import DataFrame

Row = dict[str, Any]
PROBES = ("smoke", "reasoning", "tools", "vision", "cache", "limits", "compat", "identity")
"""Modes with few requests, whose rows are read once for all sections."""


@dataclass(frozen=True, slots=True)
class View:
    """What a report is made from. It is immutable, because sections are made in two threads.

    `slo`: what the run is judged by (None: nothing). `routed`: whether the gateway may send a model
    to several providers (numbers/providers.py). `probes`: the rows of each of the modes PROBES.
    `differences`: where plain and streamed replies to one prompt disagree (numbers/agreement.py).
    `misfits`: rows whose costs do not fit the run's own prices (numbers/outliers.py). `routes`: the
    comparison of two routes (None: there is only one). `features`: what mode compat found.
    """

    run: Run
    phases: Sequence[PhaseNumbers]
    t: Words
    slo: Slo | None
    routed: bool
    probes: Mapping[str, list[Row]]
    differences: Sequence[Difference]
    misfits: Sequence[Misfits]
    routes: TwoRoutes | None = None
    features: Features = field(default_factory=Features)

    @classmethod
    def of(cls, run: Run, phases: Sequence[PhaseNumbers], t: Words) -> "View":
        """The run with the numbers of its phases. Raises SloError."""
        routed = providers.routed(run.rows.frame(list(providers.COLUMNS)), run.base_url or "")
        probes = {mode: _rows(run, phases, mode) for mode in PROBES}
        compared = [row for mode in agreement.MODES for row in probes[mode]]
        differences = agreement.differences(compared, routed=routed)
        return cls(
            run=run,
            phases=agreement.flagged(phases, differences),
            t=t,
            slo=slo_of(run),
            routed=routed,
            probes=probes,
            differences=differences,
            misfits=outliers(run.rows.frame(list(NEEDED))),
            routes=TwoRoutes.of(run),
            features=cells.of(run),
        )

    def of_gateway(self) -> "View":
        """The run without its reference: only the gateway is judged."""
        reference_phases = self.run.of_reference
        if self.routes is None and not reference_phases:
            return self
        phases = [phase for phase in self.phases if phase.phase not in reference_phases]
        gateway = View.of(self.run.gateway_alone(), phases, self.t)
        return replace(gateway, routes=self.routes)

    def in_english(self) -> "View":
        """The same view in English."""
        return replace(self, t=replace(self.t, lang="en"))

    @property
    def percents(self) -> tuple[Fraction, ...]:
        """The percentiles that tables show: the run's `--percentiles`, or the usual ones."""
        try:
            return percentiles.parse(str(self.run.options.get("percentiles") or ""))
        except percentiles.PercentError:
            return percentiles.USUAL

    @property
    def ranks(self) -> tuple[str, ...]:
        """`percents` as column headers: `P50`, `P99.9`."""
        return tuple(f"P{percentiles.decimal(percent)}" for percent in self.percents)

    def ranked(self, times: Percentiles) -> list[float | None]:
        """The values of `percents` for one kind of time, in seconds; None: unknown."""
        return [times.at(percent) for percent in self.percents]

    def of_modes(self, *modes: str) -> list[PhaseNumbers]:
        """The numbers of the phases of some modes, in the plan's order."""
        return [phase for phase in self.phases if phase.mode in modes]

    def requests(self, phase: PhaseNumbers, *columns: str) -> "DataFrame":
        """Some columns of a phase's rows, by request_index; all columns if none is named."""
        return self.run.rows.frame(columns or COLUMNS, phase.phase)

    def rows(self, mode: str) -> list[Row]:
        """The rows of a mode with few requests, as dictionaries."""
        read = self.probes.get(mode)
        return _rows(self.run, self.phases, mode) if read is None else read

    @property
    def not_run(self) -> list[str]:
        """The names of the planned phases that have no row."""
        ran = {phase.phase for phase in self.phases}
        return [phase["name"] for phase in self.run.plan if phase["name"] not in ran]


def _rows(run: Run, phases: Sequence[PhaseNumbers], mode: str) -> list[Row]:
    names = dict.fromkeys(phase.phase for phase in phases if phase.mode == mode)
    frames = [run.rows.frame(phase=name) for name in names]
    return [row for frame in frames for row in rows(frame) if row["mode"] == mode]


SectionOf = Callable[[View], Section]
