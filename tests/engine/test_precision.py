"""When a phase with two routes is precise enough (`--precision-ms`)."""

import time
from dataclasses import replace
from typing import Any

import gevent
import numpy as np
import pytest

from engine.precision import PairedTimes, PrecisionWatch
from estimates.location import location
from loadshapes.phase import Phase
from recording.arms import GATEWAY, REFERENCE
from recording.events import PrecisionReached
from recording.outcome import Outcome
from recording.record import RequestRecord
from tasks.job import Job
from tasks.row import planned_only
from tests.builders import changed
from tests.engine.pool import BASE, ORIGIN, Pool

PAIRED: Phase = changed(BASE, pairs="1/p", count=6)
JOB = Job(PAIRED, 0, 0.0, None, lambda _: None)
STEADY = {"kind": "steady", "duration_s": None, "users": 2}


def of_pair(pair: int, ours: dict[str, Any], theirs: dict[str, Any]) -> list[RequestRecord]:
    def record(**facts: Any) -> RequestRecord:
        return replace(planned_only(JOB, ORIGIN, ""), **facts)

    known = {"phase": PAIRED.name, "success": True, "outcome": "ok", "completion_tokens": 3,
             "finish_reason": "stop"}  # fmt: skip
    return [
        record(**known | {"request_index": 2 * pair, "arm": GATEWAY} | ours),
        record(**known | {"request_index": 2 * pair + 1, "arm": REFERENCE} | theirs),
    ]


def bounds_of(ours: dict[str, Any], theirs: dict[str, Any]) -> tuple[list[float], list[float]]:
    times = PairedTimes()
    for one in of_pair(0, ours, theirs):
        times.add(one)
    return times.low, times.high


@pytest.mark.parametrize(
    ("ours", "theirs", "low", "high"),
    [
        ({"elapsed_sec": 3.0}, {"elapsed_sec": 1.0}, [2.0], [2.0]),
        ({"stream": True, "ttft_s": 0.5, "elapsed_sec": 3.0},
         {"stream": True, "ttft_s": 0.25, "elapsed_sec": 9.0}, [0.25], [0.25]),
        ({"elapsed_sec": 3.0, "completion_tokens": 9}, {"elapsed_sec": 1.0}, [], []),
        ({"elapsed_sec": 0.1, "success": False, "outcome": "rate_limited", "http_status": 429},
         {"elapsed_sec": 1.0}, [], []),
        ({"elapsed_sec": 45.0, "success": False, "outcome": Outcome.TIMEOUT_TOTAL,
          "completion_tokens": None}, {"elapsed_sec": 1.0}, [44.0], [np.inf]),
    ],
    ids=["plain", "streamed", "unlike lengths", "refused", "gave up"],
)  # fmt: skip
def test_the_difference_of_a_pair_has_bounds(
    ours: dict[str, Any], theirs: dict[str, Any], low: list[float], high: list[float]
) -> None:
    assert bounds_of(ours, theirs) == (low, high)


def events_of(wanted_s: float, differences: list[float], phase: Phase) -> list[PrecisionReached]:
    """The events of a watch that sees pairs with these differences, in order."""
    reached: list[PrecisionReached] = []
    watch = PrecisionWatch(wanted_s, lambda: phase, lambda _, event: reached.append(event))
    for pair, apart in enumerate(differences):
        for one in of_pair(pair, {"elapsed_sec": 1 + apart}, {"elapsed_sec": 1.0}):
            watch.add(one)
        gevent.sleep(0.005)
        if reached:
            break
    until = time.monotonic() + 2
    while not reached and time.monotonic() < until:
        gevent.sleep(0.02)
    return reached


def test_a_phase_ends_at_the_first_look_whose_interval_is_narrow_enough() -> None:
    values = [float(v) for v in np.random.default_rng(7).normal(0.02, 0.05, 400)]
    halves = {n: location(np.array(values[:n]), np.array(values[:n])) for n in (60, 90, 135, 200)}
    known = {n: found.half for n, found in halves.items() if found is not None and found.half}
    wanted_s = (known[90] + known[135]) / 2
    (event,) = events_of(wanted_s, values, changed(PAIRED, count=400))
    assert event.pairs == 135 and event.half_s == pytest.approx(known[135])


def test_rows_that_arrive_all_at_once_end_a_phase_only_once() -> None:
    """As a worker's do: several looks are under way, and each would end it."""
    reached: list[PrecisionReached] = []
    phase = changed(PAIRED, count=400)
    watch = PrecisionWatch(9.0, lambda: phase, lambda _, event: reached.append(event))
    for pair in range(300):
        for one in of_pair(pair, {"elapsed_sec": 1 + pair % 7 / 100}, {"elapsed_sec": 1.0}):
            watch.add(one)
    gevent.sleep(1.0)
    assert len(reached) == 1


def test_a_phase_that_is_never_precise_enough_completes_its_plan() -> None:
    values = [float(v) for v in np.random.default_rng(7).normal(0.02, 0.05, 70)]
    assert events_of(0.0001, values, changed(PAIRED, count=70)) == []


def test_a_narrow_interval_of_correlated_pairs_does_not_end_a_phase() -> None:
    """60 pairs in one slow wave are worth no more than a few."""
    wave = [0.02 + 0.001 * float(np.sin(pair / 12)) for pair in range(60)]
    assert events_of(0.01, wave, changed(PAIRED, count=60)) == []


@pytest.mark.parametrize("facts", [STEADY | {"count": 400}, STEADY | {"count": None,
                                   "duration_s": 30.0}])  # fmt: skip
def test_reaching_the_precision_ends_a_share_with_whole_pairs_and_nothing_unsent(
    facts: dict[str, Any],
) -> None:
    pool = Pool(changed(PAIRED, **facts), service_s=0.02)
    pool.start()
    gevent.sleep(0.15)
    pool.generator.enough(0)
    ended = pool.done()
    sent = sorted(pool.indices())
    assert sent == list(range(len(sent))) and len(sent) % 2 == 0 and 2 <= len(sent) < 100
    assert (ended.cut, ended.dropped, ended.unsent) == ("", 0, [])
    gevent.sleep(0.05)
    assert pool.generator.parked == 2, "every user waits for the next phase"


def test_reaching_the_precision_ends_a_window_at_a_whole_pair() -> None:
    pool = Pool(changed(PAIRED, users=12, count=100, duration_s=10.0), service_s=0.01)
    pool.start()
    gevent.sleep(1.0)
    pool.generator.enough(0)
    ended = pool.done()
    sent = sorted(pool.indices())
    assert sent == list(range(len(sent))) and len(sent) % 2 == 0 and len(sent) < 100
    assert (ended.cut, ended.dropped, ended.unsent) == ("", 0, [])
    gevent.sleep(0.05)
    assert pool.generator.parked == 12
    assert pool.generator.enough(0) is None, "a phase that is over hears it too late"
