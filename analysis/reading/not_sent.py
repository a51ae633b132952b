"""Expands the lines about unsent requests in events.jsonl to one row per request.

Each row has the values that its phase gives every request, the outcome `dropped`, and in an open
loop the time at which it was due. A column is made on demand: few are needed of a million rows.
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import fields
from typing import TYPE_CHECKING, Any, NamedTuple

from analysis.reading.columns import FEW_VALUED, schema
from analysis.reading.parts import RunError
from recording.arms import arm
from recording.cancel import Cancel
from recording.events import Event, NotSent
from recording.manifest_content import PlannedPhase
from recording.not_sent import EVENT, Unsent
from recording.outcome import Outcome
from recording.record import SCHEMA_VERSION, RequestRecord
from rules.due_times import uniform_times

if TYPE_CHECKING:
    import numpy as np
    import pyarrow as pa
    from numpy.typing import NDArray

    from analysis.reading.rows import Places, Source

MOST = 200_000_000
"""Requests of a phase that its lines may stand for: more than any plan that is let through has."""
UNFOLDED = 1_000_000
"""Rows that are made of them: a run of 10 million took its report 31 s and 5.7 GB."""
_DEFAULTS = {item.name: item.default for item in fields(RequestRecord)}


class _Line(NamedTuple):
    """A line, its phase as planned, when it was written."""

    unsent: Unsent
    phase: Mapping[str, Any]
    at: str

    def value(self, name: str) -> Any:
        """The value that all its rows have in a column."""
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
        if phase.get("pairs"):
            index = index // 2  # the second of a pair is due a little later than the first
        if line.due_first_s is None or line.due_last_s is None:
            return np.full(len(index), np.nan)
        times, poisson, count = phase.get("times_s"), phase.get("poisson"), phase.get("count")
        routes = 2 if phase.get("pairs") else 1
        if times and line.last // routes < len(times):
            due_s: Any = np.asarray(times, dtype="float64")[index]
        elif poisson and count and line.last // routes < count:
            due_s = np.asarray(uniform_times(poisson, count))[index] * phase["duration_s"]
        else:
            first, last = line.first // routes, line.last // routes
            share = (index - first) / max(1, last - first)
            due_s = line.due_first_s + share * (line.due_last_s - line.due_first_s)
        return np.round(due_s, 6)


class Unfolded:
    """The rows of a run's lines, an index of a phase once (`analysis.reading.rows.Source`).

    A request that has a row of its own is left out: a later attempt sent it. If more than UNFOLDED
    were not sent, the first ones become rows; `beyond` counts the others by phase.
    """

    def __init__(
        self,
        events: Sequence[Event],
        plan: Sequence[PlannedPhase],
        source: "Source",
        where: str,
        most: int | None = None,
    ) -> None:
        """`most` rows are made, UNFOLDED unless given. RunError says `where` a damaged line is."""
        import numpy as np

        planned = {phase["name"]: phase for phase in plan}
        self._lines = [
            _Line(
                line := _bounded(event.unsent, where), planned.get(line.phase, {}), event.at or ""
            )
            for event in events
            if isinstance(event, NotSent) and (line := _bounded(event.unsent, where))
        ]
        self.beyond: dict[str, int] = {}
        indices, numbers = [np.zeros(0, dtype=np.int64)], [np.zeros(0, dtype=np.int32)]
        phases = dict.fromkeys(line.unsent.phase for line in self._lines)
        most = UNFOLDED if most is None else most
        for phase in phases:
            index, count = self._unsent(phase, source, most // len(phases))
            if count > len(index):
                self.beyond[phase] = count - len(index)
            indices.append(index)
            numbers.append(self._numbers(phase, index))
        self._index, self._number = np.concatenate(indices), np.concatenate(numbers)

    def _unsent(self, phase: str, source: "Source", most: int) -> "tuple[Places, int]":
        """The first indices of a phase that no attempt sent, and how many there are."""
        import numpy as np

        lines = [line.unsent for line in self._lines if line.unsent.phase == phase]
        unsent = np.zeros(max(line.last for line in lines) + 1, dtype=bool)
        for line in lines:
            unsent[line.first : line.last + 1 : line.step] = True
        known = _indices(source, phase)
        unsent[known[known < len(unsent)]] = False
        count = int(np.count_nonzero(unsent))
        if count > most:  # the place of the last one that is unfolded
            end = int(np.searchsorted(np.cumsum(unsent, dtype=np.int64), most, side="right"))
            unsent = unsent[:end]
        return np.flatnonzero(unsent)[:most], count

    def _numbers(self, phase: str, index: "Places") -> "NDArray[np.int32]":
        """Of each index the first line that speaks of it."""
        import numpy as np

        numbers = np.zeros(len(index), dtype=np.int32)
        for number in reversed(range(len(self._lines))):
            line = self._lines[number].unsent
            if line.phase == phase:
                within = (index >= line.first) & (index <= line.last)
                numbers[within & ((index - line.first) % line.step == 0)] = number
        return numbers

    def __len__(self) -> int:
        return len(self._index)

    def column(self, name: str) -> "pa.ChunkedArray":
        """A column."""
        import pyarrow as pa

        return pa.chunked_array([self._cells(name, self._index, self._number)])

    def batches(self, name: str) -> "Iterator[pa.Array]":
        """A column, all rows at a time."""
        return iter(self.column(name).chunks)

    def take(self, names: Sequence[str], places: "Places") -> "pa.Table":
        """Some columns of the rows at `places`, in that order."""
        import pyarrow as pa

        index, number = self._index[places], self._number[places]
        columns = [self._cells(name, index, number) for name in names]
        return pa.Table.from_arrays(columns, schema=pa.schema([schema().field(n) for n in names]))

    def _cells(self, name: str, index: "Places", number: "NDArray[np.int32]") -> "pa.Array":
        import numpy as np
        import pyarrow as pa

        kind = schema().field(name).type
        if name == "request_index":
            return pa.array(index, kind)
        if name == "scheduled_offset_s":
            dues = np.full(len(index), np.nan)
            for place, line in enumerate(self._lines):
                of_line = number == place
                dues[of_line] = line.dues_s(index[of_line])
            return pa.array(dues, kind, from_pandas=True)
        if name == "task_id":
            return self._task_ids(index, number, kind)
        if name == "arm":
            return self._arms(index, number)
        if name == "cancel_after":
            return self._cancels(index, number)
        values = [line.value(name) for line in self._lines]
        if all(value is None for value in values):
            return pa.nulls(len(index), kind)
        line_numbers = pa.array(number, pa.int32())
        if name in FEW_VALUED:
            return pa.DictionaryArray.from_arrays(line_numbers, pa.array(values, pa.string()))
        return pa.array(values, kind).take(line_numbers)

    def _arms(self, index: "Places", number: "NDArray[np.int32]") -> "pa.Array":
        """Which route each would have taken; null where there is but one."""
        import pyarrow as pa

        seeds = [str(line.phase.get("pairs") or "") for line in self._lines]
        arms = [
            arm(seeds[n], i) if seeds[n] else None
            for i, n in zip(index.tolist(), number.tolist(), strict=True)
        ]
        return pa.array(arms, pa.string()).dictionary_encode()

    def _cancels(self, index: "Places", number: "NDArray[np.int32]") -> "pa.Array":
        """When each would have been cancelled on purpose; null: it was not drawn."""
        import pyarrow as pa

        cancels = [Cancel.of(line.phase.get("cancel")) for line in self._lines]
        if not any(cancels):
            return pa.nulls(len(index), pa.string()).dictionary_encode()
        routes = [2 if line.phase.get("pairs") else 1 for line in self._lines]
        texts = [
            str(cancel) if (cancel := cancels[n]) and cancel.applies_to(i // routes[n]) else None
            for i, n in zip(index.tolist(), number.tolist(), strict=True)
        ]
        return pa.array(texts, pa.string()).dictionary_encode()

    def _task_ids(self, index: "Places", number: "NDArray[np.int32]", kind: Any) -> "pa.Array":
        import numpy as np
        import pyarrow as pa
        import pyarrow.compute as pc

        phases = [line.phase for line in self._lines]
        heads = pa.array([str(phase.get("task_prefix") or "") for phase in phases], kind)
        firsts = np.array([int(phase.get("first_number") or 0) for phase in phases], dtype=np.int64)
        routes = np.array([2 if phase.get("pairs") else 1 for phase in phases], dtype=np.int64)
        numbers = pa.array(firsts[number] + index // routes[number] if len(firsts) else index).cast(
            kind
        )
        return pc.binary_join_element_wise(
            heads.take(pa.array(number)), numbers, pa.scalar("", kind)
        )


def _bounded(line: Unsent, where: str) -> Unsent:
    if line.last >= MOST:
        raise RunError(
            f"{where}: an event {EVENT} is damaged (it speaks of more than {MOST} requests): "
            "restore the file."
        )
    return line


def _indices(source: "Source", phase: str) -> Any:
    """The indices of a phase that have rows, none below 0."""
    import pyarrow.compute as pc

    of_phase = pc.equal(source.column("phase").cast("string"), phase)
    indices = source.column("request_index").filter(of_phase).to_numpy()
    return indices[indices >= 0]


class Joined:
    """The rows of one source, then those of another (`analysis.reading.rows.Source`)."""

    def __init__(self, first: "Source", count: int, second: "Source") -> None:
        self._first, self._count, self._second = first, count, second

    def column(self, name: str) -> "pa.ChunkedArray":
        """A column."""
        import pyarrow as pa

        first, second = self._first.column(name), self._second.column(name)
        return pa.chunked_array([*first.chunks, *second.chunks], type=second.type)

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
        first = self._first.take(names, places[ahead])
        second = self._second.take(names, places[~ahead] - self._count)
        order = np.empty(len(places), dtype=np.int64)
        order[np.concatenate([np.flatnonzero(ahead), np.flatnonzero(~ahead)])] = np.arange(
            len(places)
        )
        return pa.concat_tables([first, second]).unify_dictionaries().combine_chunks().take(order)
