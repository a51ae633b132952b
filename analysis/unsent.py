"""What was planned and not sent, unfolded from its lines in events.jsonl to the rows it stands for.

Each row has what its phase gives to any request, the outcome `dropped`, and in open loop the time
at which it was due. A column is made when it is asked for: of a million rows few are.
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import fields
from typing import TYPE_CHECKING, Any, NamedTuple

from analysis.columns import FEW_VALUED, schema
from analysis.parts import RunError
from recording.dues import uniform_times
from recording.outcome import Outcome
from recording.record import SCHEMA_VERSION, RequestRecord
from recording.unsent import EVENT, Unsent

if TYPE_CHECKING:
    import numpy as np
    import pyarrow as pa
    from numpy.typing import NDArray

    from analysis.rows import Places, Source

MOST = 100_000_000
"""Requests that a run's lines may stand for: more than any plan that is let through has."""
_DEFAULTS = {item.name: item.default for item in fields(RequestRecord)}


class _Line(NamedTuple):
    """A line, its phase as planned, when it was written."""

    unsent: Unsent
    phase: Mapping[str, Any]
    at: str

    def value(self, name: str) -> Any:
        """What all its rows have in a column."""
        line, phase = self.unsent, self.phase
        known = {
            "schema_version": SCHEMA_VERSION,
            "run_id": line.run_id,
            "timestamp": self.at,
            "worker": line.worker,
            "attempt": line.attempt,
            "phase": line.phase,
            "mode": str(phase.get("mode") or ""),
            "scenario": str(phase.get("scenario") or ""),
            "target": phase.get("target"),
            "duration_s": phase.get("duration_s"),
            "model_requested": line.model,
            "stream": bool(phase.get("stream")),
            "max_tokens": phase.get("max_tokens"),
            "outcome": Outcome.DROPPED.value,
            "success": False,
            "error_type": Outcome.DROPPED.value,
            "error_message": line.reason,
        }
        return known[name] if name in known else _DEFAULTS[name]

    def dues_s(self, index: "NDArray[np.int64]") -> Any:
        """When each was due, seconds after the phase began; NaN: as soon as a user was free."""
        import numpy as np

        line, phase = self.unsent, self.phase
        if line.due_first_s is None or line.due_last_s is None:
            return np.full(len(index), np.nan)
        times, poisson, count = phase.get("times_s"), phase.get("poisson"), phase.get("count")
        if times and line.last < len(times):
            found: Any = np.asarray(times, dtype="float64")[index]
        elif poisson and count and line.last < count:
            found = np.asarray(uniform_times(poisson, count))[index] * phase["duration_s"]
        else:
            share = (index - line.first) / max(1, line.last - line.first)
            found = line.due_first_s + share * (line.due_last_s - line.due_first_s)
        return np.round(found, 6)


class Unfolded:
    """The rows of a run's lines, an index of a phase once (`analysis.rows.Source`)."""

    def __init__(
        self, events: Sequence[Mapping[str, Any]], plan: Sequence[Mapping[str, Any]], where: str
    ) -> None:
        """Raises RunError, saying `where` a damaged line stands."""
        import numpy as np

        planned = {phase["name"]: phase for phase in plan}
        self._lines: list[_Line] = []
        seen: dict[str, NDArray[np.bool_]] = {}
        indices, numbers, left = [], [], MOST
        for event in events:
            if event["event"] != EVENT:
                continue
            try:
                line = Unsent.of(event)
                left -= line.last
                if left < 0:
                    raise ValueError(f"the run speaks of more than {MOST} requests")
            except ValueError as error:
                raise RunError(f"{where}: an event {EVENT} is damaged ({error}).") from None
            known = seen.get(line.phase, np.zeros(0, dtype=bool))
            if line.last >= len(known):
                known = np.concatenate([known, np.zeros(line.last + 1 - len(known), dtype=bool)])
            seen[line.phase] = known
            index = np.arange(line.first, line.last + 1, line.step, dtype=np.int64)
            index = index[~known[index]]
            known[index] = True
            indices.append(index)
            numbers.append(np.full(len(index), len(self._lines), dtype=np.int32))
            phase = planned.get(line.phase, {})
            self._lines.append(_Line(line, phase, str(event.get("at") or "")))
        none = [np.zeros(0, dtype=np.int64)]
        self._index = np.concatenate([*none, *indices])
        self._number = np.concatenate([*none, *numbers]).astype(np.int32)

    def __len__(self) -> int:
        return len(self._index)

    def whole(self, name: str) -> "pa.ChunkedArray":
        """A column."""
        import pyarrow as pa

        return pa.chunked_array([self._column(name, self._index, self._number)])

    def batches(self, name: str) -> "Iterator[pa.Array]":
        """A column, all rows at a time."""
        return iter(self.whole(name).chunks)

    def take(self, names: Sequence[str], places: "Places") -> "pa.Table":
        """Some columns of the rows at `places`, in that order."""
        import pyarrow as pa

        index, number = self._index[places], self._number[places]
        columns = [self._column(name, index, number) for name in names]
        return pa.Table.from_arrays(columns, schema=pa.schema([schema().field(n) for n in names]))

    def _column(self, name: str, index: "Places", number: "NDArray[np.int32]") -> "pa.Array":
        import numpy as np
        import pyarrow as pa

        kind = schema().field(name).type
        if name == "request_index":
            return pa.array(index, kind)
        if name == "scheduled_offset_s":
            dues = np.full(len(index), np.nan)
            for place, line in enumerate(self._lines):
                mine = number == place
                dues[mine] = line.dues_s(index[mine])
            return pa.array(dues, kind, from_pandas=True)
        if name == "task_id":
            return self._task_ids(index, number, kind)
        values = [line.value(name) for line in self._lines]
        if all(value is None for value in values):
            return pa.nulls(len(index), kind)
        given = pa.array(number, pa.int32())
        if name in FEW_VALUED:
            return pa.DictionaryArray.from_arrays(given, pa.array(values, pa.string()))
        return pa.array(values, kind).take(given)

    def _task_ids(self, index: "Places", number: "NDArray[np.int32]", kind: Any) -> "pa.Array":
        import numpy as np
        import pyarrow as pa
        import pyarrow.compute as pc

        phases = [line.phase for line in self._lines]
        heads = pa.array([str(phase.get("task_prefix") or "") for phase in phases], kind)
        firsts = np.array([int(phase.get("first_number") or 0) for phase in phases], dtype=np.int64)
        numbers = pa.array(firsts[number] + index if len(firsts) else index).cast(kind)
        return pc.binary_join_element_wise(
            heads.take(pa.array(number)), numbers, pa.scalar("", kind)
        )


class Joined:
    """The rows of one source, then those of another (`analysis.rows.Source`)."""

    def __init__(self, first: "Source", count: int, second: "Source") -> None:
        self._first, self._count, self._second = first, count, second

    def whole(self, name: str) -> "pa.ChunkedArray":
        """A column."""
        import pyarrow as pa

        one, other = self._first.whole(name), self._second.whole(name)
        return pa.chunked_array([*one.chunks, *other.chunks], type=other.type)

    def batches(self, name: str) -> "Iterator[pa.Array]":
        """A column, some rows at a time."""
        yield from self._first.batches(name)
        yield from self._second.batches(name)

    def take(self, names: Sequence[str], places: "Places") -> "pa.Table":
        """Some columns of the rows at `places`, in that order."""
        import numpy as np
        import pyarrow as pa

        ahead = places < self._count
        if ahead.all():
            return self._first.take(names, places)
        one = self._first.take(names, places[ahead])
        other = self._second.take(names, places[~ahead] - self._count)
        order = np.empty(len(places), dtype=np.int64)
        order[np.concatenate([np.flatnonzero(ahead), np.flatnonzero(~ahead)])] = np.arange(
            len(places)
        )
        return pa.concat_tables([one, other]).unify_dictionaries().combine_chunks().take(order)
