"""What a lost generator may have sent is told from what it never began."""

import pytest

from engine.in_flight import in_hand
from engine.index_set import Indices
from engine.phase_share import PhaseShare, Run
from loadshapes.phase import Phase
from settings.options import Options
from tests.builders import changed
from tests.engine.pool import BASE, ORIGIN

WINDOW = changed(BASE, count=600, duration_s=60.0)  # ten a second


def of(*known: int) -> Indices:
    seen = Indices()
    for index in known:
        seen.add(index)
    return seen


def share(phase: Phase, slot: int = 0, slots: int = 1) -> PhaseShare:
    return PhaseShare(Run(Options(), ORIGIN), 0, phase, 0.0, slot, slots)


@pytest.mark.parametrize(("slot", "slots"), [(0, 1), (1, 2), (2, 3)])
def test_of_a_window_what_was_due_by_then_is_unknown_and_the_rest_was_never_sent(
    slot: int, slots: int
) -> None:
    mine = list(range(slot, 600, slots))
    back = mine[: len(mine) // 4]
    asked = share(WINDOW, slot, slots)
    found = list(in_hand(WINDOW, asked, of(*back), 30.0))
    assert found == [i for i in mine if i not in back and i <= 300]
    assert asked.unsent is not None
    assert list(asked.unsent.indices) == [i for i in mine if i > 300]


def test_a_burst_was_released_at_once() -> None:
    """All that did not come back may have been paid for."""
    burst = changed(BASE, kind="burst", count=50, users=50, duration_s=None)
    asked = share(burst)
    assert list(in_hand(burst, asked, of(*range(48)), 5.0)) == [48, 49]
    assert asked.unsent is None


def test_an_uncounted_phase_had_one_request_a_user() -> None:
    held = changed(BASE, kind="steady", count=None, users=4, duration_s=9.0)
    assert list(in_hand(held, share(held), of(0, 1, 3, 4, 6), 99.0)) == [2, 5, 7, 8]
    assert list(in_hand(held, share(held, 1, 2), of(1, 5), 99.0)) == [3, 7]


def test_what_an_earlier_attempt_has_finished_was_not_in_hand() -> None:
    resumed = changed(BASE, kind="burst", count=6, users=6, duration_s=None, skip=(0, 1, 2))
    assert list(in_hand(resumed, share(resumed), of(4), 5.0)) == [3, 5]
