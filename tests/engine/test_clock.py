"""Converting a moment of the wall clock into one of the monotonic clock."""

from collections.abc import Iterator

import pytest
from hypothesis import given
from hypothesis import strategies as st

from engine.clock import LONGEST_WAY_S, READINGS, monotonic_of, start_of

AHEAD = 1_700_000_000.0


class Machine:
    """Two clocks of one time, which advances by the next step at every reading of either."""

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


def test_readings_torn_by_a_lost_core_do_not_shift_the_conversion() -> None:
    """Four of five readings are torn by up to a second, either way; the whole one counts."""
    torn = [0.0, 1.0, 0.0, 0.0, 0.0, 0.5, 0.0, 0.02, 0.0, 0.0, 0.3, 0.3]
    machine = Machine([*torn, 0.0, 1e-6, 1e-6])
    assert abs(monotonic_of(AHEAD + 60, machine.clock, machine.wall) - 60) < 1e-6


@given(st.lists(st.floats(0, 2), min_size=3 * READINGS, max_size=3 * READINGS))
def test_the_conversion_errs_by_at_most_half_the_shortest_reading(steps: list[float]) -> None:
    machine = Machine(steps)
    converted = monotonic_of(AHEAD + 60, machine.clock, machine.wall)
    closest_s = min(a + b for a, b in zip(steps[1::3], steps[2::3], strict=True))
    assert abs(converted - 60) <= closest_s / 2 + 1e-5


def start(jump_s: float, way_s: float, *, same_process: bool) -> float:
    """When a phase starts that was told `way_s` ago to start 0.5 s later, on a clock that shows
    100 now; the wall clock has jumped meanwhile. Right is 100.5 - way_s.
    """
    told_at = 1_000_000.0
    return start_of(
        told_at + 0.5, 0.5, lambda: 100.0, lambda: told_at + way_s + jump_s,
        same_process=same_process,
    )  # fmt: skip


def test_a_jump_of_the_wall_clock_moves_no_start_within_a_process() -> None:
    for jump_s in (-7200.0, -0.2, 0.0, 0.2, 7200.0):
        assert start(jump_s, 0.0, same_process=True) == 100.5


def test_the_delay_of_the_message_is_subtracted_between_processes() -> None:
    assert start(0.0, 0.2, same_process=False) == pytest.approx(100.3)


@pytest.mark.parametrize("jump_s", [-7200.0, 7200.0])
def test_a_jump_between_processes_starts_a_phase_neither_late_nor_long_ago(
    jump_s: float,
) -> None:
    """Told 0.2 s ago: not later than it was told, nor earlier than a message can be late."""
    start_at = start(jump_s, 0.2, same_process=False)
    assert 100.5 - LONGEST_WAY_S <= start_at <= 100.5
