"""What a section of the report is made from."""

from collections.abc import Callable
from dataclasses import dataclass, field
from fractions import Fraction
from typing import TYPE_CHECKING, Any

from analysis.numbers import agreement, providers
from analysis.numbers.agreement import Difference
from analysis.numbers.outliers import NEEDED, Misfits, outliers
from analysis.page.blocks import Section
from analysis.page.words import Words
from analysis.reading.load import Run, rows
from recording.record import COLUMNS
from rules import percentiles

if TYPE_CHECKING:
    from pandas import DataFrame


@dataclass(frozen=True, slots=True)
class View:
    """What a section is made from: the run, its phases' numbers, and the language."""

    run: Run
    phases: list[dict[str, Any]]
    t: Words
    _rows: dict[str, list[dict[str, Any]]] = field(default_factory=dict, repr=False)
    _misfits: list[list[Misfits]] = field(default_factory=list, repr=False)
    _differences: list[list[Difference]] = field(default_factory=list, repr=False)

    @property
    def percents(self) -> tuple[Fraction, ...]:
        """The percentiles that tables show: the run's `--percentiles`."""
        options = self.run.manifest.get("options") or {}
        try:
            return percentiles.parse(str(options.get("percentiles") or ""))
        except percentiles.PercentError:
            return percentiles.USUAL

    @property
    def ranks(self) -> tuple[str, ...]:
        """The same as headers have them: `P50`, `P99.9`."""
        return tuple(f"P{percentiles.decimal(percent)}" for percent in self.percents)

    def ranked(self, phase: dict[str, Any], name: str) -> list[float | None]:
        """A phase's percentiles of one number, in the same order: `ranked(phase, "ttft")`."""
        return [phase.get(f"{name}_{percentiles.label(percent)}_s") for percent in self.percents]

    def of(self, *modes: str) -> list[dict[str, Any]]:
        """The numbers of the phases of some modes, in the plan's order."""
        return [phase for phase in self.phases if phase["mode"] in modes]

    def requests(self, phase: dict[str, Any], *columns: str) -> "DataFrame":
        """Some columns of a phase's rows, by request_index; all of them when none is named."""
        return self.run.rows.frame(columns or COLUMNS, phase["phase"])

    def rows(self, mode: str) -> list[dict[str, Any]]:
        """A mode's rows as dictionaries; for probes, which send few."""
        if mode not in self._rows:
            names = dict.fromkeys(phase["phase"] for phase in self.of(mode))
            frames = [self.run.rows.frame(phase=name) for name in names]
            found = [row for frame in frames for row in rows(frame)]
            self._rows[mode] = [row for row in found if row["mode"] == mode]
        return self._rows[mode]

    @property
    def not_run(self) -> list[str]:
        """The planned phases of which no row exists."""
        ran = {phase["phase"] for phase in self.phases}
        return [phase["name"] for phase in self.run.plan if phase["name"] not in ran]

    def misfits(self) -> list[Misfits]:
        """The rows whose costs do not fit the run's own prices (`analysis.numbers.outliers`)."""
        if not self._misfits:
            self._misfits.append(outliers(self.run.rows.frame(list(NEEDED))))
        return self._misfits[0]

    def differences(self) -> list[Difference]:
        """What plain and streamed replies to one prompt disagree on (numbers/agreement.py)."""
        if not self._differences:
            found = [row for mode in agreement.MODES for row in self.rows(mode)]
            self._differences.append(agreement.differences(found, routed=self.routed))
        return self._differences[0]

    @property
    def routed(self) -> bool:
        """Whether the gateway may send a model to several providers (numbers/providers.py)."""
        gateway = self.run.manifest.get("gateway") or {}
        frame = self.run.rows.frame(list(providers.COLUMNS))
        return providers.routed(frame, str(gateway.get("base_url") or ""))


SectionOf = Callable[[View], Section]
