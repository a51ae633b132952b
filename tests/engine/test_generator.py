"""The generator on real gevent, with users that need no gateway.

Times are judged from one side only (never early) or against each other, for the machine may be
slow.
"""

import time
from dataclasses import replace
from pathlib import Path

import gevent
import pytest

from engine.messages import Done, Tripped
from engine.phase_share import Run
from recording.events import StopRule
from recording.in_flight_file import InFlight, orphans
from recording.outcome import Outcome
from settings.options import Options
from tests.builders import changed
from tests.engine.pool import BASE, ORIGIN, Pool


def test_every_index_of_a_window_is_sent_exactly_once() -> None:
    pool = Pool(BASE)
    ended = pool.run()
    assert pool.indices() == list(range(20))
    assert (ended.sent, ended.dropped, ended.halted) == (20, 0, "")


def test_no_request_is_sent_before_its_due_time() -> None:
    pool = Pool(changed(BASE, count=200, users=50, duration_s=0.4))
    pool.run()
    early = [(index, sent - due) for index, due, sent in pool.sent if due and sent < due]
    assert len(pool.sent) == 200
    assert not early


def test_no_request_is_sent_early_while_building_requests_blocks_the_loop() -> None:
    """Timers count from the event loop's own time, which is outdated by then."""
    pool = Pool(changed(BASE, count=40, users=10, duration_s=0.5), build_s=0.004)
    pool.run()
    assert not [index for index, due, sent in pool.sent if due and sent < due]


def test_due_times_are_counted_from_the_phases_start() -> None:
    pool = Pool(BASE)
    began = pool.start()
    pool.done()
    for index, due, _ in pool.sent:
        assert due == pytest.approx(began + index * 0.01)


def test_slow_answers_do_not_delay_the_schedule_while_users_are_free() -> None:
    pool = Pool(changed(BASE, users=20), service_s=0.5)
    began = pool.start()
    pool.done()
    assert pool.most_at_once == 20
    assert max(sent for _, _, sent in pool.sent) < began + 0.2 + 0.3


def test_a_late_request_is_sent_as_soon_as_a_user_is_free() -> None:
    pool = Pool(changed(BASE, users=1, count=5, duration_s=0.05), service_s=0.05)
    began = pool.start()
    pool.done()
    assert [index for index, _, _ in pool.sent] == [0, 1, 2, 3, 4]
    assert pool.sent[-1][2] >= began + 4 * 0.05


def test_a_request_that_finds_no_user_within_the_grace_is_a_dropped_row() -> None:
    pool = Pool(changed(BASE, users=2, count=10, duration_s=0.1), service_s=0.4, grace=0.1)
    ended = pool.run()
    assert [index for index, _, _ in pool.sent] == [0, 1]
    assert pool.indices() == list(range(10))
    assert (ended.sent, ended.dropped) == (2, 8)
    row = pool.dropped[0]
    assert (row.outcome, row.success, row.sent_offset_s) == ("dropped", False, None)
    assert row.scheduled_offset_s == pytest.approx(0.02)
    assert "no user was free" in (row.error_message or "")


def test_a_halt_drops_the_rest_of_the_window() -> None:
    pool = Pool(changed(BASE, count=100, duration_s=10.0))
    pool.start()
    gevent.sleep(0.3)
    pool.generator.halt("enough")
    began = time.perf_counter()
    ended = pool.done()
    assert time.perf_counter() - began < 2.0, "a halted phase must not wait for its due times"
    assert 0 < ended.sent < 100
    assert ended.halted == "enough"
    assert pool.indices() == list(range(100))
    assert not pool.twice()


def test_a_halt_before_the_start_sends_nothing() -> None:
    pool = Pool(BASE)
    pool.start(lead_s=0.5)
    pool.generator.halt("at once")
    assert pool.done().sent == 0
    assert pool.indices() == list(range(20))


def test_all_requests_of_a_burst_are_sent_together() -> None:
    pool = Pool(changed(BASE, kind="burst", users=50, count=50, duration_s=None))
    began = pool.start(lead_s=0.3)
    pool.done()
    times = [sent for _, _, sent in pool.sent]
    assert min(times) >= began
    assert max(times) - min(times) < 0.1
    assert pool.most_at_once == 50


def test_a_steady_phase_keeps_at_most_its_users_in_flight() -> None:
    steady = changed(BASE, kind="steady", users=3, count=30, duration_s=None)
    pool = Pool(steady, users=8, service_s=0.01)
    ended = pool.run()
    assert pool.most_at_once == 3
    assert ended.sent == 30
    assert pool.indices() == list(range(30))


def test_a_steady_phase_keeps_all_its_users_busy() -> None:
    """Closed loop: 30 requests of 20 ms on 3 users take 10 rounds, not 30."""
    steady = changed(BASE, kind="steady", users=3, count=30, duration_s=None)
    pool = Pool(steady, service_s=0.02)
    began = pool.start()
    pool.done()
    last = max(sent for _, _, sent in pool.sent)
    assert 9 * 0.02 <= last - began < 25 * 0.02


def test_a_steady_phase_without_a_count_ends_with_its_time() -> None:
    held = changed(BASE, kind="steady", users=2, count=None, duration_s=0.3)
    pool = Pool(held, service_s=0.02)
    began = pool.start()
    ended = pool.done()
    assert max(sent for _, _, sent in pool.sent) < began + 0.3
    assert ended.sent == len(pool.sent) > 2
    assert pool.indices() == list(range(len(pool.indices())))


def test_a_steady_phase_drops_what_did_not_fit_into_its_time() -> None:
    held = changed(BASE, kind="steady", users=1, count=50, duration_s=0.1)
    pool = Pool(held, service_s=0.05)
    pool.run()
    assert pool.indices() == list(range(50))
    assert pool.dropped


def test_two_generators_of_two_slots_cover_every_index_once() -> None:
    first, second = Pool(BASE), Pool(BASE)
    first.start(slot=0, slots=2)
    second.start(slot=1, slots=2)
    first.done()
    second.done()
    assert [index % 2 for index in first.indices()] == [0] * 10
    assert sorted(first.indices() + second.indices()) == list(range(20))


def test_two_generators_share_the_users_of_a_steady_phase() -> None:
    steady = changed(BASE, kind="steady", users=5, count=40, duration_s=None)
    pools = [Pool(steady, service_s=0.01), Pool(steady, service_s=0.01)]
    for slot, pool in enumerate(pools):
        pool.start(slot=slot, slots=2)
    for pool in pools:
        pool.done()
    assert [pool.most_at_once for pool in pools] == [3, 2]
    assert sorted(pools[0].indices() + pools[1].indices()) == list(range(40))


def test_the_stop_rule_halts_the_phase_and_says_why() -> None:
    pool = Pool(
        changed(BASE, count=200, users=10, duration_s=10.0),
        outcome=Outcome.RATE_LIMITED,
        stop_rule="on",
    )
    ended = pool.run()
    (tripped,) = pool.of(Tripped)
    assert isinstance(tripped.event, StopRule) and tripped.event.outcomes == {"rate_limited": 5}
    assert (tripped.event.counted, tripped.event.completed) == (5, 5)
    assert 5 <= ended.sent < 200
    assert pool.indices() == list(range(200))


def test_the_stop_rule_halts_nothing_when_it_is_off() -> None:
    pool = Pool(BASE, outcome=Outcome.RATE_LIMITED, stop_rule="off")
    assert pool.run().sent == 20
    assert not pool.of(Tripped)


def test_in_flight_counts_the_requests_under_way() -> None:
    pool = Pool(changed(BASE, kind="burst", users=4, count=4, duration_s=None), service_s=0.2)
    pool.start()
    gevent.sleep(0.15)
    assert pool.generator.in_flight == 4
    pool.done()
    assert pool.generator.in_flight == 0


def test_users_park_again_after_each_phase() -> None:
    pool = Pool(BASE)
    assert pool.generator.parked == 5
    pool.run()
    gevent.sleep(0)
    assert pool.generator.parked == 5


def test_release_ends_parked_users() -> None:
    pool = Pool(BASE)
    pool.generator.release()
    gevent.joinall(pool.greenlets, timeout=2)
    assert all(greenlet.dead for greenlet in pool.greenlets)


def test_close_waits_for_requests_in_flight_and_drops_the_rest() -> None:
    pool = Pool(changed(BASE, count=50, users=2, duration_s=5.0), service_s=0.3)
    pool.start(lead_s=0.0)
    gevent.sleep(0.15)
    pool.generator.close(5.0)
    gevent.joinall(pool.greenlets, timeout=2)
    assert pool.of(Done)[0].halted == "the run was stopped"
    assert pool.sent
    assert pool.indices() == list(range(50))


def test_close_cancels_requests_that_outlast_its_wait() -> None:
    pool = Pool(changed(BASE, kind="burst", users=2, count=2, duration_s=None), service_s=60.0)
    pool.start(lead_s=0.0)
    gevent.sleep(0.05)
    began = time.perf_counter()
    pool.generator.close(0.1)
    assert time.perf_counter() - began < 5.0
    assert all(greenlet.dead for greenlet in pool.greenlets)


def test_a_job_is_not_handed_to_a_user_that_was_killed_while_parked() -> None:
    """Locust may stop some of its users, for instance when fewer are asked for."""
    pool = Pool(BASE, users=6)
    pool.greenlets[-1].kill()
    pool.start()
    ended = pool.done(longest_s=2.0)
    assert ended.sent + ended.dropped == 20
    assert pool.indices() == list(range(20))


def test_an_uncounted_phase_sends_no_more_than_its_maximum() -> None:
    phase = changed(BASE, kind="steady", users=3, count=None, duration_s=5.0, at_most=7)
    pool = Pool(phase, service_s=0.005)
    ended = pool.run()
    assert pool.indices() == list(range(7)) and ended.dropped == 0


def test_a_phase_with_ends_on_ends_after_that_outcome() -> None:
    """Both of two users may be in flight at the last refusal; the stop rule does not apply."""
    phase = changed(
        BASE, kind="steady", users=2, count=None, duration_s=5.0, ends_on="rate_limited",
        ends_after=30,
    )  # fmt: skip
    pool = Pool(phase, service_s=0.001, outcome=Outcome.RATE_LIMITED, stop_rule="on")
    ended = pool.run()
    assert 30 <= len(pool.sent) <= 31
    assert pool.of(Tripped) == []
    assert ended.halted == "the phase ends on rate_limited"


def test_other_outcomes_do_not_end_a_phase_with_ends_on() -> None:
    phase = changed(
        BASE, kind="steady", users=2, count=None, duration_s=5.0, at_most=9, ends_on="rate_limited"
    )
    pool = Pool(phase)
    pool.run()
    assert len(pool.sent) == 9


def test_ending_a_window_of_864000_requests_takes_one_line_for_the_rest() -> None:
    """12 h at 1,200 RPM: no row is made for what was not sent."""
    long = changed(BASE, count=864_000, users=20, duration_s=43_200.0)
    pool = Pool(long, unfolds=False)
    pool.start(lead_s=0.0)
    gevent.sleep(0.3)
    passed = len(pool.sent)
    pool.generator.close(5.0)
    (done,), (left,) = pool.of(Done), pool.left
    assert done.sent == len(pool.sent) >= passed > 0
    assert left.count + len(pool.sent) + len(pool.dropped) == 864_000 == sum_of(done)
    assert len(pool.dropped) <= 20, "those that a user had"
    assert (left.last, left.step, left.reason) == (863_999, 1, "the run was stopped")
    assert left.due_last_s == pytest.approx(43_199.95)
    before = len(pool.sent), len(pool.dropped)
    gevent.sleep(0.2)
    assert (len(pool.sent), len(pool.dropped)) == before


def sum_of(done: dict[str, int]) -> int:
    return done.sent + done.dropped


@pytest.mark.parametrize("slot", [0, 1, 2])
def test_the_line_of_unsent_requests_has_only_this_generators_unfinished_ones(
    slot: int,
) -> None:
    pool = Pool(changed(BASE, count=100, duration_s=60.0, skip=(0, 50, 51, 52, 99)))
    pool.start(lead_s=5.0, slot=slot, slots=3)
    gevent.sleep(0.05)
    pool.generator.halt("enough")
    ended = pool.done()
    mine = set(range(slot, 100, 3))
    unfinished = mine - {0, 50, 51, 52, 99}
    assert {row.request_index for row in pool.dropped} == unfinished
    assert ended.dropped == len(unfinished) == pool.left[0].count
    assert set(pool.left[0].indices) <= mine


def test_a_closed_generator_sends_no_more_of_an_old_run() -> None:
    """A user that holds a request of the old run past its end does not send it in the next."""
    pool = Pool(changed(BASE, kind="steady", count=4, users=2, duration_s=None), service_s=30.0)
    pool.start(lead_s=0.0)
    gevent.sleep(0.1)
    began = time.perf_counter()
    pool.generator.close(0.1)
    assert time.perf_counter() - began < 10
    (done,) = pool.of(Done)
    assert done.run_id == "run"
    later = Run(Options(run_id="later"), replace(ORIGIN, run_id="later"), {0: pool.phase})
    pool.generator.open(later)
    gevent.sleep(0.1)
    assert pool.of(Done) == [done], "the new run has this process for itself"


def test_requests_in_flight_are_in_a_file_until_they_have_ended(tmp_path: Path) -> None:
    """If the process dies now, exactly those it has sent are known."""
    pool = Pool(changed(BASE, kind="burst", count=5, users=5), service_s=0.4)
    run = pool.generator.run
    assert run is not None
    run.in_flight = InFlight(tmp_path, "local", "run", "local", 1)
    pool.start()
    deadline = time.perf_counter() + 10
    while len(pool.sent) < 5 and time.perf_counter() < deadline:
        gevent.sleep(0.005)
    assert sorted(one.index for one in orphans(tmp_path)) == [0, 1, 2, 3, 4]
    pool.done()
    assert not list(orphans(tmp_path))
    pool.generator.close(1.0)
    assert not list(tmp_path.iterdir())


def test_dropped_requests_are_not_in_the_in_flight_file(tmp_path: Path) -> None:
    pool = Pool(changed(BASE, users=1, count=4, duration_s=0.04), service_s=0.3, grace=0.0)
    run = pool.generator.run
    assert run is not None
    run.in_flight = InFlight(tmp_path, "local", "run", "local", 1)
    pool.run()
    assert pool.dropped and not list(orphans(tmp_path))
