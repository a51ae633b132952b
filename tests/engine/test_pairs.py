"""A generator whose requests go to two routes."""

from typing import Any

import pytest

from loadshapes.phase import Phase
from tests.builders import changed
from tests.engine.pool import BASE, Pool

PAIRED: Phase = changed(BASE, pairs="1/p", count=6)


def sent(pool: Pool) -> list[int]:
    return [index for index, _, _ in pool.sent]


@pytest.mark.parametrize("facts", [{"kind": "steady", "users": 2}, {"kind": "burst", "users": 6}])
def test_a_user_sends_the_second_of_a_pair_once_the_first_has_ended(facts: dict[str, Any]) -> None:
    pool = Pool(changed(PAIRED, duration_s=None, **facts), service_s=0.02)
    ended = pool.run()
    at = {index: moment for index, _, moment in pool.sent}
    assert sorted(at) == list(range(12)) and ended.sent == 12
    assert all(at[2 * pair + 1] >= at[2 * pair] + 0.02 for pair in range(6))
    assert pool.most_at_once <= facts["users"]


def test_in_a_window_both_of_a_pair_are_sent_at_their_own_due_times() -> None:
    pool = Pool(changed(PAIRED, users=12), service_s=1.0)
    assert pool.run().sent == 12
    dues = [due for _, due, _ in sorted(pool.sent)]
    assert dues == sorted(dues, key=lambda due: due or 0.0)
    assert all(moment >= (due or 0.0) for _, due, moment in pool.sent)


def test_a_window_with_all_users_busy_accounts_for_both_of_each_pair() -> None:
    pool = Pool(changed(PAIRED, users=1, count=40), service_s=0.3, grace=0.1)
    ended = pool.run(slot=1, slots=2)
    mine = {2 * pair + second for pair in range(1, 40, 2) for second in (0, 1)}
    assert set(pool.indices()) == mine and not pool.twice()
    assert ended.sent + ended.dropped == len(mine)


def test_a_halted_phase_sends_no_second_of_a_pair() -> None:
    pool = Pool(changed(PAIRED, kind="steady", duration_s=None, users=2, count=50), service_s=0.05)
    pool.start()
    import gevent

    gevent.sleep(0.12)
    pool.generator.halt("enough")
    ended = pool.done()
    assert sorted({*pool.indices()}) == list(range(100)) and not pool.twice()
    assert ended.sent + ended.dropped == 100
