"""The budget:

what is reserved and spent never exceeds the limit, whatever requests turn out to cost.
"""

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from rules.budget import USAGE_UNKNOWN_AFTER, Budget, Reservation
from tests.recording.rows import row

KIND = ("m", "marker")


def used(cost: float | None, prompt: int = 100, output: int = 10, **more: object) -> object:
    return row(api_cost=cost, prompt_tokens=prompt, completion_tokens=output,
               total_tokens=prompt + output, **more)  # fmt: skip


def test_the_first_request_of_a_kind_reserves_all_that_is_left() -> None:
    """Nothing is known of its kind, so it goes alone."""
    budget = Budget.of("money", 1.0)
    first = budget.reserve(KIND, 16)
    assert first is not None and first.reserved == 1.0
    assert budget.reserve(KIND, 16) is None
    budget.settle(first, used(0.01))  # type: ignore[arg-type]
    assert (budget.spent, budget.reserved) == (0.01, 0.0)
    assert budget.reserve(KIND, 16) is not None


def test_the_worst_case_is_the_highest_price_seen_at_the_full_output_budget() -> None:
    """By hand: 0.01 for 100 + 10 x 10 units of weight; 100 + 10 x 16 of them are 0.013."""
    budget = Budget.of("money", 1.0)
    first = budget.reserve(KIND, 16)
    assert first is not None
    budget.settle(first, used(0.01))  # type: ignore[arg-type]
    assert budget.worst(KIND, 16) == pytest.approx(0.013)


def test_a_cheap_cached_answer_does_not_lower_the_worst_case() -> None:
    budget = Budget.of("money", 1.0)
    first = budget.reserve(KIND, 10)
    assert first is not None
    budget.settle(first, used(0.0020, prompt=1000, cached_tokens=1000))  # type: ignore[arg-type]
    assert (budget.worst(KIND, 10) or 0) > 0.0109


def test_a_price_table_gives_the_worst_case_before_the_first_answer() -> None:
    budget = Budget.of("money", 1.0)
    budget.priced = lambda model, prompt, output: prompt * 1e-6 + output * 8e-6
    assert budget.worst(KIND, 16, prompt_tokens=1000) == pytest.approx(0.001128)


def test_a_refusal_costs_nothing_and_a_cut_off_request_its_worst_case() -> None:
    budget = Budget.of("money", 1.0)
    first = budget.reserve(KIND, 16)
    assert first is not None
    budget.settle(first, used(0.01))  # type: ignore[arg-type]
    for outcome in ("rate_limited", "connection_refused"):
        reservation = budget.reserve(KIND, 16)
        assert reservation is not None
        budget.settle(reservation, row(outcome=outcome, success=False))
    assert budget.spent == 0.01
    reservation = budget.reserve(KIND, 16)
    assert reservation is not None
    budget.settle(reservation, row(outcome="stream_truncated", success=False))
    assert budget.spent == pytest.approx(0.01 + 0.013)
    assert budget.unstated == 1


def test_a_gateway_that_states_no_cost_is_reported_after_five_answers() -> None:
    """Each goes alone, for nothing is known of its kind; one answer without a cost proves
    nothing.
    """
    budget = Budget.of("money", 1.0)
    for number in range(1, USAGE_UNKNOWN_AFTER + 1):
        reservation = budget.reserve(KIND, 16)
        assert reservation is not None and budget.reserve(KIND, 16) is None
        budget.settle(reservation, used(None))  # type: ignore[arg-type]
        assert budget.usage_unknown is (number == USAGE_UNKNOWN_AFTER)


def test_an_answer_without_a_cost_counts_at_the_worst_case_once_that_is_known() -> None:
    """With a gateway that states most of its costs the run goes on, and no answer is free."""
    budget = Budget.of("money", 1.0)
    for cost in (None, None, 0.01):
        reservation = budget.reserve(KIND, 16)
        assert reservation is not None
        budget.settle(reservation, used(cost, max_tokens=16))  # type: ignore[arg-type]
    assert not budget.usage_unknown
    assert budget.spent == pytest.approx(0.01 + 2 * 0.013)


def test_a_token_budget_counts_tokens() -> None:
    budget = Budget.of("tokens", 1000)
    first = budget.reserve(KIND, 16)
    assert first is not None
    budget.settle(first, used(None))  # type: ignore[arg-type]
    assert (budget.spent, budget.usage_unknown) == (110, False)
    assert budget.worst(KIND, 16) == pytest.approx(116)


def test_what_one_generator_learned_of_costs_is_used_by_another() -> None:
    budget, another_budget = Budget.of("money", 1.0), Budget.of("money", 1.0)
    first = budget.reserve(KIND, 16)
    assert first is not None
    budget.settle(first, used(0.01))  # type: ignore[arg-type]
    another_budget.learn_from(budget.experience())
    assert another_budget.worst(KIND, 16) == budget.worst(KIND, 16)


@given(
    limit=st.floats(0.001, 10),
    price=st.tuples(st.floats(0.1, 100), st.floats(1.0, 10.0)),
    requests=st.lists(st.tuples(st.integers(1, 5000), st.integers(1, 64)), max_size=200),
    together=st.integers(1, 100),
)
@example(  # a first answer that is nearly all output must not make long prompts look cheap
    limit=1.0,
    price=(72.87470820105071, 7.0),
    requests=[(1, 20), (25, 64), (446, 1), (993, 64), (1763, 64), (2843, 64)],
    together=100,
)
def test_linear_prices_never_exceed_the_limit(
    limit: float,
    price: tuple[float, float],
    requests: list[tuple[int, int]],
    together: int,
) -> None:
    """Input at any price, output up to ten times as expensive, at most `together` in flight.

    The limit holds, except for prompts longer than all that were seen or announced.
    """
    budget = Budget.of("money", limit)
    input_price, ratio = price[0] * 1e-6, price[1]
    waiting: list[tuple[Reservation, object]] = []
    for prompt, output in requests:
        reservation = budget.reserve(KIND, 64, prompt)
        if reservation is None and waiting:
            budget.settle(*waiting.pop(0))  # type: ignore[arg-type]
            reservation = budget.reserve(KIND, 64, prompt)
        if reservation is None:
            continue
        cost = input_price * (prompt + ratio * output)
        waiting.append((reservation, used(cost, prompt, output)))
        if len(waiting) >= together:
            budget.settle(*waiting.pop(0))  # type: ignore[arg-type]
    for reservation, record in waiting:
        budget.settle(reservation, record)  # type: ignore[arg-type]
    (dearest,) = [input_price * (p + ratio * o) for p, o in requests[:1]] or [0.0]
    assert budget.spent <= max(limit * (1 + 1e-9), dearest)  # the first went alone, unknown


def test_a_gateway_above_its_price_table_is_reserved_for_at_the_prices_seen() -> None:
    """The table says 100 + 10 for what cost ten times that:

    the next reservations follow what was seen, in this generator and in others.
    """
    budget, other = Budget.of("money", 1e6), Budget.of("money", 1e6)
    for one in (budget, other):
        one.priced = lambda model, prompt, output: prompt + output
    assert budget.worst(KIND, 16, prompt_tokens=100) == 116
    first = budget.reserve(KIND, 16, prompt_tokens=100)
    assert first is not None
    budget.settle(first, used(1100.0))  # type: ignore[arg-type]
    other.learn_from(budget.experience())
    assert (budget.worst(KIND, 16) or 0) >= 1160
    assert other.worst(KIND, 16) == budget.worst(KIND, 16)


def test_an_answer_longer_than_its_max_tokens_raises_the_next_worst_case() -> None:
    """max_tokens does not always limit reasoning, and own traffic may have none."""
    for most in (16, None):
        budget = Budget.of("tokens", 1e6)
        first = budget.reserve(KIND, most)
        assert first is not None
        budget.settle(first, used(None, 100, 900, max_tokens=most))  # type: ignore[arg-type]
        assert budget.worst(KIND, most) == pytest.approx(1000)


def test_costs_without_tokens_are_learned_per_request() -> None:
    """Streams without usage, with their cost in a header, need not go one at a time for ever."""
    budget, other = Budget.of("money", 1.0), Budget.of("money", 1.0)
    fee = budget.reserve(KIND, 16)
    assert fee is not None
    budget.settle(fee, row(api_cost=0.001, outcome="bad_request", success=False))
    assert budget.worst(KIND, 16) is None
    for cost in (0.01, 0.03):
        reservation = budget.reserve(KIND, 16)
        assert reservation is not None
        budget.settle(reservation, row(api_cost=cost))
    other.learn_from(budget.experience())
    assert budget.worst(KIND, 16) == other.worst(KIND, 16) == 0.03
    budget.priced = lambda model, prompt, output: 0.02
    assert budget.worst(KIND, 16, prompt_tokens=100) == 0.03


def test_a_negative_cost_frees_no_budget() -> None:
    """A gateway that miscounts must not be able to raise the limit."""
    budget = Budget.of("money", 1.0)
    for cost in (0.01, -5.0):
        reservation = budget.reserve(KIND, 16)
        assert reservation is not None
        budget.settle(reservation, used(cost))  # type: ignore[arg-type]
    assert budget.spent == pytest.approx(0.01 + 0.013)
    assert budget.unstated == 1
