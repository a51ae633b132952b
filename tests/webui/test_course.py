"""A run's progress: the time left, and failures with their messages. No Locust."""

import pytest

from recording.tally import Tally
from tests.builders import phase_of
from tests.webui.test_live import PHASE, record
from webui.failures import MOST_KINDS, MOST_SHOWN, Failures
from webui.time_left import time_left_s

WINDOW = PHASE  # 10 requests in 10 s
BURST = phase_of(name="ladder/m/4", mode="ladder", scenario="chat", model="m", kind="burst",
                 request="marker", users=4, count=4)  # fmt: skip
BY_HAND = phase_of(name="interactive/m", mode="interactive", scenario="chat", model="m",
                   kind="manual", request="marker", users=0)  # fmt: skip


def tally(done: int) -> Tally:
    counts = Tally()
    for _ in range(done):
        counts.add(record())
    return counts


@pytest.mark.parametrize(("running", "passed_s", "done", "to_come", "left_s"), [
    (WINDOW, 4.0, 4, (), 6.0),
    (WINDOW, 14.0, 9, (), 0.0),
    (BURST, 2.0, 1, (), 6.0),
    (BURST, 1.0, 0, (), 1.0),
    (WINDOW, 4.0, 4, (BURST,), 8.0),
    (None, 0.0, 0, (WINDOW, BURST), 14.0),
    (None, 0.0, 0, (), 0.0),
    (BY_HAND, 4.0, 4, (), None),
    (WINDOW, 4.0, 4, (BY_HAND,), None),
])  # fmt: skip
def test_the_time_left_is_that_worked_by_hand(running, passed_s, done, to_come, left_s) -> None:  # type: ignore[no-untyped-def]
    """One answer takes 2 s."""
    assert time_left_s(running, passed_s, tally(done), to_come, 2.0) == left_s


def test_failures_are_counted_with_the_gateways_words_and_successes_are_not() -> None:
    failures = Failures()
    for words, times in (("slow <b>", 2), ("down\x1b[0m", 5)):
        for _ in range(times):
            failures.add(record(outcome="server_error", success=False, http_status=502,
                            error_message=words))  # fmt: skip
    failures.add(record())
    failures.add(record(outcome="dropped", success=False))
    first, second = failures.rows()
    assert first == {"times": 5, "phase": PHASE.name, "outcome": "server_error (HTTP 502)",
                     "said": "down\\x1b[0m"}  # fmt: skip
    assert second["said"] == "slow <b>"


def test_a_gateway_with_a_new_message_every_time_needs_bounded_memory() -> None:
    failures = Failures()
    for i in range(3 * MOST_KINDS):
        failures.add(record(outcome="server_error", success=False, error_message=f"id {i}"))
    rows = failures.rows()
    assert len(rows) == MOST_SHOWN + 1
    assert sum(row["times"] for row in rows) == 3 * MOST_KINDS
