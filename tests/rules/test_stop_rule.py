"""The stop rules as statistics:

how rarely they err and how soon they act; first requests refused alike.
"""

from itertools import count
from random import Random
from statistics import median

import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy.stats import binom

from recording.outcome import COUNTED, HOPELESS
from rules.stop_rule import (
    ALIKE,
    ALIKE_OF_OWN,
    FALSE_STOPS,
    FEWEST,
    IN_A_ROW,
    IN_A_ROW_S,
    LONGEST_PAUSE_S,
    LONGEST_WAIT_S,
    Opening,
    Silence,
    StopRule,
    decide,
    pause_s,
    scope,
)

BAD = "server_error"


def stopped_after(seed: int, rate: float, planned: int, good: int = 0) -> int | None:
    """After how many requests a phase that fails at random was ended; None if it was not.

    `good` requests succeed before the failing begins, and are not counted.
    """
    dice, rule, ended = Random(seed), StopRule(0.2, 20, planned), list[str]()
    for number in range(good + planned):
        fails = number >= good and dice.random() < rate
        ended.append(BAD if fails else "ok")
        del ended[: -rule.look_back]
        if fails and decide(ended, rule).stop:
            return number + 1 - good
    return None


@pytest.mark.parametrize(
    ("rate", "planned", "runs", "most"),
    [(0.05, 600, 400, 0), (0.02, 18_000, 40, 0), (0.05, 18_000, 40, 0), (0.1, 600, 400, 10),
     (0.1, 100, 1000, 20)],
)  # fmt: skip
def test_a_phase_with_random_failures_is_almost_never_ended(
    rate: float, planned: int, runs: int, most: int
) -> None:
    """A rule of 4 in the last 20 ended 67 % of windows of 600 at 5 %, and 88 % of soaks of
    18,000 at 2 %. At half of the limit (10 %) fewer than 1 % may end; `most` is twice that, for
    chance.
    """
    assert sum(stopped_after(seed, rate, planned) is not None for seed in range(runs)) <= most


@pytest.mark.parametrize(
    ("rate", "planned", "typical", "nearly_all"),
    [(1.0, 18_000, 7, 7), (0.5, 18_000, 30, 60), (0.3, 18_000, 90, 180), (0.2, 18_000, 280, 650),
     (1.0, 100, 5, 5), (0.5, 100, 18, 40)],
)  # fmt: skip
@pytest.mark.parametrize("good", [0, 300])
def test_an_outage_ends_a_phase_soon(
    rate: float, planned: int, typical: int, nearly_all: int, good: int
) -> None:
    """At a phase's beginning and after 300 successes: half of the time, and 19 times in 20."""
    ends = [stopped_after(seed, rate, planned, good) or planned for seed in range(60)]
    assert median(ends) <= typical and sorted(ends)[56] <= nearly_all


@given(
    st.lists(st.booleans(), max_size=60),
    st.sampled_from([0.05, 0.2, 0.5, 1.0]),
    st.sampled_from([5, 20, 40]),
    st.sampled_from([10, 600, 100_000]),
)
def test_the_stop_rule_is_its_definition_by_scipy(
    fails: list[bool], rate: float, size: int, planned: int
) -> None:
    """The binomial tail over every stretch at the end."""
    outcomes = [BAD if one else "ok" for one in fails]
    last = fails[-size:]
    gate = len(last) >= min(FEWEST, size) and sum(last) >= rate * size
    chance = FALSE_STOPS / planned
    unlikely = [
        n
        for n in range(FEWEST, len(fails) + 1)
        if binom.sf(sum(fails[-n:]) - 1, n, rate / 2) <= chance * (1 + 1e-6) and fails[-n]
    ]
    verdict = decide(outcomes, StopRule(rate, size, planned))
    assert verdict.stop is (gate and bool(unlikely))
    if verdict.stop:
        assert verdict.completed == unlikely[0]


# ---- refused alike


def opened(*ends: tuple[str, int | None], own: bool = False) -> int:
    """What the rule of first requests returns when requests end so, one after another."""
    opening = Opening()
    count_alike = 0
    for task, (outcome, status) in enumerate(ends):
        opening.sent(task)
        count_alike = opening.ended(task, outcome, status, own)
    return count_alike


REFUSALS = [("auth", 401), ("auth", 403), ("not_found", 404), ("bad_request", 400),
            ("connection_refused", None), ("dns", None), ("tls", None), ("malformed", 200),
            ("redirect", 301), ("bad_request", 422), ("unreachable", None)]  # fmt: skip


@pytest.mark.parametrize(("outcome", "status"), REFUSALS)
def test_five_first_requests_refused_alike_end_the_run(outcome: str, status: int | None) -> None:
    assert opened(*[(outcome, status)] * (ALIKE - 1)) == 0
    assert opened(*[(outcome, status)] * ALIKE) == ALIKE


@pytest.mark.parametrize("outcome", sorted(COUNTED | {"empty", "stream_error", "connection_reset"}))
def test_outcomes_that_a_retry_may_mend_are_no_refusals(outcome: str) -> None:
    """5xx, 429 and timeouts of a flaky gateway belong to the other rule."""
    assert outcome not in HOPELESS
    assert opened(*[(outcome, 500)] * 30) == 0


@pytest.mark.parametrize("odd", [("ok", 200), ("auth", 403), ("server_error", 500), ("dns", None)])
@pytest.mark.parametrize("place", range(ALIKE))
def test_one_first_request_that_ended_otherwise_lets_the_run_go_on(
    odd: tuple[str, int], place: int
) -> None:
    ends: list[tuple[str, int | None]] = [("auth", 401)] * 30
    ends[place] = odd
    assert opened(*ends) == 0


def test_own_traffic_needs_twenty_refusals() -> None:
    """Half of the lines may be too long for the model: the first five often are, twenty never."""
    assert opened(*[("bad_request", 400)] * 19, own=True) == 0
    assert opened(*[("bad_request", 400)] * 20, own=True) == ALIKE_OF_OWN
    assert opened(*[("auth", 401)] * ALIKE, own=True) == ALIKE


def test_refusals_wait_for_an_answer_to_a_request_sent_before_them() -> None:
    """Of ten, the first is answered last and succeeds: the nine refusals before it end nothing."""
    opening = Opening()
    for task in range(10):
        opening.sent(task)
    assert [opening.ended(task, "bad_request", 400, False) for task in range(1, 10)] == [0] * 9
    assert opening.ended(0, "ok", 200, False) == 0


def test_phases_of_one_request_add_up_while_all_are_refused_alike() -> None:
    opening, counts = Opening(), list[int]()
    for task in range(ALIKE):
        opening.begin()
        opening.sent(task)
        counts.append(opening.ended(task, "auth", 401, False))
    assert counts == [0] * (ALIKE - 1) + [ALIKE]


def test_each_phase_is_judged_by_its_own_first_requests() -> None:
    """A success before it does not protect a later phase, and an earlier failure does not
    burden one.
    """
    opening, number = Opening(), count()

    def phase(*ends: str) -> list[int]:
        opening.begin()
        tasks = [next(number) for _ in ends]
        for task in tasks:
            opening.sent(task)
        pairs = zip(tasks, ends, strict=True)
        return [opening.ended(task, end, None, False) for task, end in pairs]

    assert phase("ok", "dns", "dns", "dns", "dns", "dns", "dns") == [0] * 7
    assert phase("server_error", "dns") == [0, 0]
    assert phase(*["dns"] * ALIKE) == [0] * (ALIKE - 1) + [ALIKE]


@pytest.mark.parametrize(
    ("outcome", "status", "ends"),
    [("auth", 401, "run"), ("connection_refused", None, "run"), ("dns", None, "run"),
     ("tls", None, "run"), ("redirect", 308, "run"), ("bad_request", 407, "run"),
     ("payment_required", 402, "run"), ("auth", 403, "model"), ("not_found", 404, "model"),
     ("bad_request", 400, "mode"), ("malformed", 200, "mode")],
)  # fmt: skip
def test_a_refusal_ends_the_run_its_model_or_its_mode_by_its_cause(
    outcome: str, status: int | None, ends: str
) -> None:
    assert scope(outcome, status) == ends


def silent(*ends: tuple[str, float]) -> list[bool]:
    silence = Silence()
    return [silence.add(outcome, None, at_s) for outcome, at_s in ends]


def test_refused_connections_in_the_middle_of_a_run_end_it() -> None:
    ends = [("ok", 0.1 * i) for i in range(50)]
    ends += [("connection_refused", 5 + 0.2 * i) for i in range(40)]
    assert silent(*ends).index(True) == 50 + max(IN_A_ROW, int(IN_A_ROW_S / 0.2) + 1) - 1


@pytest.mark.parametrize(
    "ends",
    [
        [("connection_refused", i / 1000) for i in range(500)],  # back within half a second
        [(("connection_refused", "ok")[i % 7 == 0], i) for i in range(500)],
        [("rate_limited", i) for i in range(500)],
        [("not_found", i) for i in range(500)],  # one model's affair
    ],
)
def test_a_short_restart_and_failures_of_one_model_do_not_end_the_run(
    ends: list[tuple[str, float]],
) -> None:
    assert not any(silent(*ends))


# ---- the brake


def test_a_user_pauses_as_long_as_the_gateway_asks_and_longer_after_each_failure() -> None:
    assert [pause_s(n, None) for n in range(7)] == [0, 1, 2, 4, 8, 16, LONGEST_PAUSE_S]
    assert pause_s(1, 7.0) == 7.0 and pause_s(9, 0.5) == 0.5
    assert pause_s(1, 1e12) == LONGEST_WAIT_S and pause_s(10**6, None) == LONGEST_PAUSE_S
    assert pause_s(0, 7.0) == 0.0
