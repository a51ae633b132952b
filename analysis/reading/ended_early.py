"""Phases that ended before their plan was finished, as intended, and their length.

A run with `--precision-ms` ends a phase when it knows enough (event `precision_reached`). What was
sent is then its plan, and its window ends there; rates and shares are computed from that.
"""

from collections.abc import Iterator, Mapping, Sequence
from typing import TYPE_CHECKING

from recording.events import Event, PrecisionReached
from recording.manifest_content import PlannedPhase

if TYPE_CHECKING:
    import pyarrow as pa

    from analysis.reading.rows import Places, Source


def shortened(
    plan: Sequence[PlannedPhase], events: Sequence[Event], source: "Source"
) -> list[PlannedPhase]:
    """The planned phases; those that ended early with what was sent of them, and for how long.

    A window keeps its rate: of 60 requests planned in 60 s and 30 sent it is 30 s long. A closed
    loop is as long as it ran.
    """
    ended = {e.phase: e.after_s for e in events if isinstance(e, PrecisionReached)}
    if not ended:
        return list(plan)
    phases = list[PlannedPhase]()
    for phase in plan:
        name, count, duration_s = phase["name"], phase["count"], phase["duration_s"]
        rows = _sent(source, name) if name in ended else 0
        if not rows:
            phases.append(phase)
            continue
        sent = -(-rows // (2 if phase.get("pairs") else 1))
        if count is not None:
            length_s = None if duration_s is None else duration_s * sent / count
            phases.append({**phase, "count": sent, "duration_s": length_s})
        else:
            phases.append({**phase, "duration_s": ended[name]})
    return phases


def _sent(source: "Source", phase: str) -> int:
    """How many requests of a phase have a row; a worker's may have one in each of two files."""
    import pyarrow as pa
    import pyarrow.compute as pc

    phases, indices = (source.column(name).combine_chunks() for name in ("phase", "request_index"))
    of_phase = pc.fill_null(pc.equal(phases.cast(pa.string()), phase), fill_value=False)
    return int(pc.count_distinct(indices.filter(of_phase)).as_py())


class Shortened:
    """The rows of a source; those of some phases with another `duration_s`."""

    def __init__(self, source: "Source", lengths_s: Mapping[str, float]) -> None:
        self._source, self._lengths_s = source, lengths_s

    def column(self, name: str) -> "pa.ChunkedArray":
        """A column."""
        if name != "duration_s":
            return self._source.column(name)
        import pyarrow as pa

        phases, durations = self._source.column("phase"), self._source.column("duration_s")
        return pa.chunked_array([self._cut(phases.combine_chunks(), durations.combine_chunks())])

    def batches(self, name: str) -> "Iterator[pa.Array]":
        """A column, some rows at a time."""
        return (
            iter(self.column(name).chunks) if name == "duration_s" else self._source.batches(name)
        )

    def take(self, names: Sequence[str], places: "Places") -> "pa.Table":
        """Some columns of the rows at `places`, in that order."""
        if "duration_s" not in names:
            return self._source.take(names, places)
        table = self._source.take([*dict.fromkeys([*names, "phase"])], places)
        cut = self._cut(table["phase"].combine_chunks(), table["duration_s"].combine_chunks())
        where = table.column_names.index("duration_s")
        return table.set_column(where, "duration_s", cut).select(names)

    def _cut(self, phases: "pa.Array", durations: "pa.Array") -> "pa.Array":
        import pyarrow as pa
        import pyarrow.compute as pc

        names = phases.cast(pa.string()) if pa.types.is_dictionary(phases.type) else phases
        for name, length_s in self._lengths_s.items():
            of_phase = pc.fill_null(pc.equal(names, name), fill_value=False)
            durations = pc.if_else(of_phase, pa.scalar(length_s, durations.type), durations)
        return durations
