"""Rows of a run with two routes: the reference is a phase of its own (`rows.Source`).

So each number of the report is of one route: the gateway's under the phase's name, the reference's
under that name with SUFFIX.
"""

from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING, Any

from recording.arms import REFERENCE, SUFFIX
from recording.manifest_content import PlannedPhase

if TYPE_CHECKING:
    import pyarrow as pa

    from analysis.reading.rows import Places, Source


def planned(plan: Sequence[PlannedPhase]) -> list[PlannedPhase]:
    """The planned phases, that of a reference after each that has one."""
    phases = list[PlannedPhase]()
    for phase in plan:
        phases.append(phase)
        if phase.get("pairs"):
            phases.append({**phase, "name": phase["name"] + SUFFIX, "climb": None})
    return phases


class TwoRoutes:
    """The rows of a source, with those of the reference under their own phases; `plan` tells which
    phases took both routes (those that took the second alone have their own names)."""

    def __init__(self, source: "Source", plan: Sequence[PlannedPhase]) -> None:
        self._source = source
        self._paired = [phase["name"] for phase in plan if phase.get("pairs")]

    def column(self, name: str) -> "pa.ChunkedArray":
        """A column."""
        if name != "phase":
            return self._source.column(name)
        import pyarrow as pa

        phases, arms = self._source.column("phase"), self._source.column("arm")
        return pa.chunked_array(
            [_renamed(phases.combine_chunks(), arms.combine_chunks(), self._paired)],
            type=_phase_type(),
        )

    def batches(self, name: str) -> "Iterator[pa.Array]":
        """A column, some rows at a time."""
        if name == "phase":
            return iter(self.column(name).chunks)
        return self._source.batches(name)

    def take(self, names: Sequence[str], places: "Places") -> "pa.Table":
        """Some columns of the rows at `places`, in that order."""
        if "phase" not in names:
            return self._source.take(names, places)
        table = self._source.take([*dict.fromkeys([*names, "arm"])], places)
        phases, arms = table["phase"].combine_chunks(), table["arm"].combine_chunks()
        renamed = _renamed(phases, arms, self._paired)
        where = table.column_names.index("phase")
        return table.set_column(where, "phase", renamed).select(names)


def _phase_type() -> Any:
    import pyarrow as pa

    return pa.dictionary(pa.int32(), pa.string())


def _renamed(phases: Any, arms: Any, paired: Sequence[str]) -> Any:
    """The phases, each of `paired` with SUFFIX where the arm is the reference."""
    import pyarrow as pa
    import pyarrow.compute as pc

    names = phases.cast(pa.string()) if pa.types.is_dictionary(phases.type) else phases
    routes = arms.cast(pa.string()) if pa.types.is_dictionary(arms.type) else arms
    compared = pc.fill_null(pc.equal(routes, REFERENCE), fill_value=False)
    compared = pc.and_(compared, pc.is_in(names, pa.array(paired, pa.string())))
    with_suffix = pc.binary_join_element_wise(names, pa.scalar(SUFFIX, pa.string()), "")
    return pc.if_else(compared, with_suffix, names).dictionary_encode().cast(_phase_type())
