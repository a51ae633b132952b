"""The requests that a lost generator may have sent without an answer being known."""

import math
from collections.abc import Iterable, Iterator
from pathlib import Path

import gevent

from engine.index_set import Indices
from engine.phase_share import PhaseShare
from loadshapes.phase import Phase
from recording.csv_sink import part_path
from recording.errors import InputError
from recording.in_flight_file import in_flight_of
from recording.part_file import PartError, rows
from recording.record import RequestRecord
from tasks.job import Job, Origin
from tasks.row import lost

FASTER = 1.25
"""The most a lost generator may have sent, relative to the busiest known generator."""
_ROWS_AT_ONCE = 500  # between which the event loop may turn: a part file may be long


def by_its_files(phase: Phase, share: PhaseShare, folder: Path, part: str) -> list[int] | None:
    """What it had in flight, by its own files; None where they are not here, or do not tell.

    They are where it wrote to the run's folder, as on the master's machine. What it had not sent
    yet it `leave`s in `share`.
    """
    indices = Indices()
    try:
        flying = in_flight_of(folder, part, phase.name)
        if flying is None:
            return None
        for number, row in enumerate(rows(part_path(folder, part))):
            if row.phase == phase.name:
                indices.add(row.request_index)
            if number % _ROWS_AT_ONCE == 0:
                gevent.sleep(0)
    except (InputError, PartError, OSError):
        return None
    if phase.count is not None:
        known = (i for i in phase.indices(share.slot, share.slots) if i not in indices)
        first = next((index for index in known if index not in flying), None)
        if first is not None:
            share.leave(first, "its generator was lost")
    return sorted(index for index in flying if index not in indices)


def rows_of_lost(phase: Phase, indices: Iterable[int], origin: Origin) -> Iterator[RequestRecord]:
    """A row for each request that a lost generator may have sent.

    It is `lost`, for the gateway may have it and charge it. Its own files know better, where they
    are in the run's folder; where a row exists twice, the finished one counts.
    """
    for index in indices:
        yield lost(Job(phase, index, 0.0, phase.due_s(index), lambda _: None), origin)


def in_hand(
    phase: Phase, share: PhaseShare, came_back: Indices, until_s: float, elapsed_s: float
) -> Iterator[int]:
    """The requests that a lost generator may have sent and that never came back.

    In open loop those that were due until `until_s` after the phase began; what was due later it
    `leave`s in `share`. Where a request goes as soon as a user is free, all that a counted phase
    has left, and of an uncounted one as many as the busiest generator, of which `came_back` tells
    after `elapsed_s` of the phase, would have sent by then, and one per user.
    """
    if phase.count is None:
        for _, index in zip(
            range(_most(phase, share, came_back, until_s, elapsed_s)),
            _missing(phase, share, came_back),
            strict=False,
        ):
            yield index
        return
    for index in phase.indices(share.slot, share.slots):
        due_s = phase.due_s(index)
        if due_s is not None and due_s > until_s:
            share.leave(index, "its generator was lost")
            return
        if index not in came_back:
            yield index


def _most(
    phase: Phase, share: PhaseShare, came_back: Indices, until_s: float, elapsed_s: float
) -> int:
    """How many requests of an uncounted phase it may have sent that have not come back."""
    if phase.duration_s is not None:
        until_s, elapsed_s = min(until_s, phase.duration_s), min(elapsed_s, phase.duration_s)
    counts = [
        sum(index in came_back for index in range(slot, len(came_back), share.slots))
        for slot in range(share.slots)
    ]
    rate = FASTER * max(counts) / max(elapsed_s, 0.001)
    return share.users + max(0, math.ceil(rate * until_s) - counts[share.slot])


def _missing(phase: Phase, share: PhaseShare, came_back: Indices) -> Iterator[int]:
    """The indices of an uncounted phase that have not come back, from the first on."""
    return (index for index in phase.indices(share.slot, share.slots) if index not in came_back)
