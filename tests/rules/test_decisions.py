"""Pure decisions on outcomes: names by status, the stop rule, the live counts."""

from collections import Counter

import pytest
from hypothesis import given
from hypothesis import strategies as st

from recording import outcome as outcomes
from recording.outcome import COUNTED, FACTS, FREE, HOPELESS, OURS, WAITED, Outcome, of_status
from recording.tally import Tally
from rules.stop_rule import FEWEST, StopRule, Verdict, decide
from tests.recording.rows import row


@pytest.mark.parametrize(
    ("status", "outcome"),
    [
        (301, "redirect"), (304, "redirect"), (308, "redirect"),
        (400, "bad_request"), (405, "bad_request"), (413, "bad_request"), (422, "bad_request"),
        (499, "server_error"), (444, "server_error"), (460, "server_error"), (498, "bad_request"),
        (401, "auth"), (403, "auth"), (402, "payment_required"),
        (404, "not_found"), (408, "server_error"), (429, "rate_limited"), (500, "server_error"),
        (502, "server_error"), (503, "server_error"), (504, "server_error"), (529, "server_error"),
        (599, "server_error"), (100, "malformed"), (199, "malformed"), (600, "malformed"),
        (999, "malformed"), (0, "malformed"),
    ],
)  # fmt: skip
def test_a_status_has_one_outcome(status: int, outcome: str) -> None:
    assert of_status(status) == outcome


def test_the_tree_in_the_docstring_names_every_outcome() -> None:
    assert outcomes.__doc__ is not None
    words = outcomes.__doc__.replace(",", " ").split()
    assert not [each for each in Outcome if each.value not in words]


def test_every_outcome_has_its_facts_and_a_success_has_none() -> None:
    assert list(FACTS) == list(Outcome)
    assert not any(Outcome.OK in names for names in (FREE, COUNTED, WAITED, OURS, HOPELESS))


def test_an_outcome_that_may_have_reached_the_gateway_is_not_free() -> None:
    """After a deadline, a cut or a stop it may have answered, and charged."""
    reached = {"timeout_first_byte", "timeout_total", "connection_reset", "stream_truncated",
               "stream_error", "malformed", "empty", "filtered", "reply_too_large", "cancelled",
               "abandoned",
               "internal_error", "ok", "lost", "budget_spent"}  # fmt: skip
    assert {outcome.value for outcome in Outcome} - FREE == reached


def test_our_own_failures_are_not_counted_by_the_stop_rule() -> None:
    assert {"local_limit", "internal_error", "lost"} == OURS
    assert not OURS & (COUNTED | WAITED | HOPELESS)


OK, BAD = "ok", "rate_limited"


@pytest.mark.parametrize(
    ("window", "rate", "size", "stop"),
    [
        pytest.param([], 0.2, 20, False, id="nothing yet"),
        pytest.param([BAD] * 4, 0.2, 20, False, id="four are too few to speak"),
        pytest.param([BAD] * 5, 0.2, 20, True, id="five of five"),
        pytest.param([OK] * 4 + [BAD], 0.2, 20, False, id="one of five may be chance"),
        pytest.param([OK, BAD] * 4, 0.2, 20, False, id="four of eight may be chance"),
        pytest.param([OK, BAD] * 8, 0.2, 20, True, id="eight of sixteen are not"),
        pytest.param([OK] * 16 + [BAD] * 4, 0.2, 20, False, id="four of twenty may be chance"),
        pytest.param([OK] * 4 * 60 + [BAD] * 60, 0.2, 20, True, id="sixty of three hundred"),
        pytest.param([OK] * 17 + [BAD] * 3, 0.2, 20, False, id="three of twenty"),
        pytest.param([BAD] * 20 + [OK] * 20, 0.2, 20, False, id="old failures are forgotten"),
        pytest.param([OK] * 20 + [BAD] * 5, 0.2, 20, True, id="the last ones alone"),
        pytest.param([OK] * 12 + [BAD] * 3, 0.1, 20, False, id="three of 20 at 10 %"),
        pytest.param([OK] * 12 + [BAD] * 5, 0.1, 20, True, id="five of 20 at 10 %"),
        pytest.param([BAD] * 20, 1.0, 20, True, id="all, at 100 %"),
        pytest.param([BAD] * 19 + [OK], 1.0, 20, False, id="not all, at 100 %"),
        pytest.param([BAD] * 3, 0.2, 3, False, id="a window smaller than five: three are too few"),
        pytest.param([BAD] * 5, 0.2, 3, True, id="a window smaller than five"),
        pytest.param([OK] * 20, 0.01, 20, False, id="no failure never stops"),
    ],
)
def test_the_stop_rule_stops_where_worked_by_hand(
    window: list[str], rate: float, size: int, stop: bool
) -> None:
    """In a phase of 100 requests."""
    assert decide(window, StopRule(rate, size, planned=100)).stop is stop


@pytest.mark.parametrize("outcome", Outcome)
def test_the_stop_rule_counts_only_429_5xx_and_timeouts(outcome: Outcome) -> None:
    counted = outcome.value in ("rate_limited", "server_error") or "timeout" in outcome.value
    verdict = decide([outcome.value] * FEWEST, StopRule(0.2, 20, planned=100))
    assert verdict.stop is counted is (outcome.value in COUNTED)


def test_the_stop_rules_verdict_states_its_evidence() -> None:
    """The shortest stretch at the end that chance does not explain."""
    limited = ["rate_limited", "timeout_total", "auth", *["rate_limited"] * 4]
    assert decide(["ok"] * 13 + limited, StopRule(0.2, 20, planned=50)) == Verdict(
        stop=True, counted=5, completed=6, outcomes={"rate_limited": 4, "timeout_total": 1}
    )


@given(st.lists(st.sampled_from([o.value for o in Outcome])), st.integers(1, 30))
def test_the_stop_rules_verdict_counts_the_requests_that_it_names(
    window: list[str], size: int
) -> None:
    """Without a stop, the last ones of the window."""
    verdict = decide(window, StopRule(0.5, size, planned=100))
    if not verdict.stop:
        assert verdict.completed == min(size, len(window))
    last = window[len(window) - verdict.completed :]
    assert verdict.counted == sum(name in COUNTED for name in last)
    assert Counter(verdict.outcomes) == Counter(name for name in last if name in COUNTED)


# ---- the live counts


def test_a_tally_counts_what_was_done_and_what_it_cost() -> None:
    tally = Tally()
    tally.add(row(total_tokens=10, api_cost=0.5, done_offset_s=2.0))
    tally.add(row(total_tokens=5, done_offset_s=1.0))
    failed = {"outcome": "server_error", "success": False}
    tally.add(row(**failed, total_tokens=99, api_cost=0.25, done_offset_s=3.0))
    tally.add(row(outcome="dropped", success=False))
    assert (tally.done, tally.succeeded, tally.failed, tally.dropped) == (3, 2, 1, 1)
    assert tally.total_tokens == 15, "tokens of successes, as the seed counts"
    assert tally.cost == 0.75, "a failure may cost too"
    assert tally.last_done_s == 3.0
    assert tally.outcomes == {"ok": 2, "server_error": 1, "dropped": 1}


def test_a_tally_counts_an_unknown_cost_and_does_not_add_zero() -> None:
    tally = Tally()
    tally.add(row())
    assert tally.cost is None
    tally.add(row(api_cost=0.0))
    assert (tally.cost, tally.unpriced) == (0.0, 1)
