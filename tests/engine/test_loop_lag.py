"""The lag of an event loop, against a loop that is blocked by hand."""

from random import Random

import pytest

from engine.loop_lag import PROBE_S, LoopLag
from recording.histogram import ERROR


def probed(blocks: list[tuple[float, float]], until_s: float) -> LoopLag:
    """A loop that is blocked from each start to each end; the probe wakes when it is free."""
    lag, now = LoopLag(), 0.0
    while now < until_s:
        due = now + PROBE_S
        now = next((end for start, end in blocks if start <= due < end), due)
        lag.add(now - due)
    return lag


def truth(blocks: list[tuple[float, float]], until_s: float) -> float:
    """The 99th percentile of the wait at any moment, asked at a million moments."""
    waits = []
    for number in range(100_000):
        moment = number / 100_000 * until_s
        waits.append(next((end - moment for start, end in blocks if start <= moment < end), 0.0))
    return sorted(waits)[99_000 - 1]


def test_without_a_probe_the_lag_is_unknown() -> None:
    assert (LoopLag().p99_s, LoopLag().max_s) == (None, 0.0)


def test_a_free_loop_has_no_lag() -> None:
    assert probed([], 60.0).p99_s == 0.0


@pytest.mark.parametrize(
    "blocks",
    [
        [(10.0, 13.0)],  # one long freeze hides no probe of the time it took
        [(10.0, 10.5)],
        [(i * 0.12, i * 0.12 + 0.06) for i in range(500)],
        [(i * 1.0, i * 1.0 + 0.3) for i in range(60)],
    ],
)
def test_the_lag_is_the_wait_at_a_random_moment(blocks: list[tuple[float, float]]) -> None:
    lag = probed(blocks, 60.0)
    assert lag.p99_s == pytest.approx(truth(blocks, 60.0), abs=PROBE_S)
    assert lag.max_s == pytest.approx(max(end - start for start, end in blocks), abs=PROBE_S)


def test_the_percentile_of_the_lag_is_nearest_rank() -> None:
    dice, lag, waits_s = Random(0), LoopLag(), []
    for _ in range(250):
        late_ms = dice.randint(0, 49)
        waits_s.append(late_ms)
        lag.add(late_ms / 1000)
    assert lag.p99_s == pytest.approx(sorted(waits_s)[248 - 1] / 1000, rel=ERROR)
