"""Which requests a generator may have had in hand when it was lost."""

from collections.abc import Iterator

from engine.index_set import Indices
from engine.phase_share import PhaseShare
from loadshapes.phase import Phase


def in_hand(phase: Phase, share: PhaseShare, seen: Indices, until_s: float) -> Iterator[int]:
    """The requests that a lost generator may have sent and that never came back.

    In open loop those that were due until `until_s` after the phase began; what was due later it
    `leave`s in `share`. Where a request goes as soon as a user is free, all that a counted phase
    has left, and of an uncounted one as many as it has users.
    """
    if phase.count is None:
        for _, index in zip(range(share.users), _missing(phase, share, seen), strict=False):
            yield index
        return
    for index in phase.indices(share.slot, share.slots):
        due_s = phase.due_s(index)
        if due_s is not None and due_s > until_s:
            share.leave(index, "its generator was lost")
            return
        if index not in seen:
            yield index


def _missing(phase: Phase, share: PhaseShare, seen: Indices) -> Iterator[int]:
    """The indices of an uncounted phase that have not come back, from the first on."""
    return (index for index in phase.indices(share.slot, share.slots) if index not in seen)
