"""Phases whose requests are asked in rounds, so that all of them are spread over the run. Pure.

One phase after another would make every difference in time (a price that changes, a provider that
is slow for a while) a difference between phases. A round asks some requests of every phase; the
next one goes on with those that follow.
"""

from collections.abc import Generator, Sequence
from dataclasses import dataclass, replace
from itertools import pairwise

from loadshapes.finding import Finding
from loadshapes.phase import Phase
from recording.record import RequestRecord


@dataclass(frozen=True, slots=True)
class Turn:
    """Requests of a counted phase that are sent one after another: their indices."""

    phase: Phase
    indices: Sequence[int]


def in_rounds(
    rounds: Sequence[Sequence[Turn]],
) -> Generator[Phase, Finding, list[RequestRecord]]:
    """The turns of each round, in order: the same phase again and again, with what is not its turn
    skipped; then the rows of those that are watched.

    A phase that was ended (by the stop rule, or because its model was refused) has no more turns.
    """
    ended, rows = set[str](), list[RequestRecord]()
    for turn in (turn for turns in rounds for turn in turns):
        phase = turn.phase
        if phase.name in ended:
            continue
        skip = sorted({*range(phase.count or 0)} - {*turn.indices})
        finding = yield replace(phase, skip=tuple(skip))
        rows += finding.records
        if finding.halted:
            ended.add(phase.name)
    return rows


def spread(count: int, rounds: int) -> list[range]:
    """The indices below `count` in as many parts, as evenly as possible, in order."""
    ends = [(2 * number * count + rounds) // (2 * rounds) for number in range(rounds + 1)]
    return [range(begin, end) for begin, end in pairwise(ends)]
