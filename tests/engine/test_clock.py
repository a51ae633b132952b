"""Turning a moment of the wall clock into one of the monotonic clock."""

from collections.abc import Iterator

from hypothesis import given
from hypothesis import strategies as st

from engine.clock import READINGS, monotonic_of

AHEAD = 1_700_000_000.0


class Machine:
    """Two clocks of one time, which goes on by the next step at every look at either."""

    def __init__(self, steps: list[float]) -> None:
        self._steps: Iterator[float] = iter(steps)
        self.now = 0.0

    def _look(self) -> float:
        self.now += next(self._steps)
        return self.now

    def clock(self) -> float:
        return self._look()

    def wall(self) -> float:
        return AHEAD + self._look()


def test_a_process_that_loses_its_core_between_the_clocks_is_not_misled() -> None:
    """Four of five readings are torn by up to a second, on either side; the whole one counts."""
    torn = [0.0, 1.0, 0.0, 0.0, 0.0, 0.5, 0.0, 0.02, 0.0, 0.0, 0.3, 0.3]
    machine = Machine([*torn, 0.0, 1e-6, 1e-6])
    assert abs(monotonic_of(AHEAD + 60, machine.clock, machine.wall) - 60) < 1e-6


@given(st.lists(st.floats(0, 2), min_size=3 * READINGS, max_size=3 * READINGS))
def test_it_is_off_by_half_the_closest_reading_at_most(steps: list[float]) -> None:
    machine = Machine(steps)
    found = monotonic_of(AHEAD + 60, machine.clock, machine.wall)
    closest_s = min(a + b for a, b in zip(steps[1::3], steps[2::3], strict=True))
    assert abs(found - 60) <= closest_s / 2 + 1e-5
