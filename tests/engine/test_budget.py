"""The budget:

divided among generators and collected again, and how a generator keeps within its share.
"""

import pytest

from engine.budget import RunBudget, opened
from engine.messages import Tripped
from recording.outcome import Outcome
from rules.prices import Price, Prices
from tests.builders import changed
from tests.engine.pool import BASE, Pool
from tests.recording.rows import row

BURST = changed(BASE, kind="burst", users=100, count=100, duration_s=None, max_tokens=16)


def shares(money: float = 0.0, tokens: int = 0, generators: int = 1) -> list[dict[str, object]]:
    return RunBudget.of(money, tokens).share(generators)


def test_a_budget_is_divided_evenly_after_what_was_spent() -> None:
    budget = RunBudget.of(9.0, 0)
    dealt = [opened(budget.share(3)) for _ in range(3)]
    assert [budget.limit for budgets in dealt for budget in budgets] == [3.0, 3.0, 3.0]
    dealt[0][0].spent, dealt[1][0].spent = 1.0, 2.5
    budget.take([[one.report() for one in dealt[0]], [one.report() for one in dealt[1]], None])
    assert budget.remaining("money") == pytest.approx(9.0 - 1.0 - 2.5 - 3.0)


def test_without_a_limit_there_is_no_budget() -> None:
    assert shares() == []
    assert RunBudget.of(0.0, 0).remaining("money") is None


def test_what_earlier_attempts_spent_counts() -> None:
    assert RunBudget.of(2.0, 0, {"money": 1.5, "tokens": 7.0}).remaining("money") == 0.5


@pytest.mark.parametrize("limit", [0.05, 0.5, 0.995])
def test_a_burst_of_a_hundred_stays_within_the_budget(limit: float) -> None:
    """100 at once at 0.01 each: the limit holds, and nearly all of it is used."""
    pool = Pool(BURST, service_s=0.02, cost=0.01)
    ended = pool.run(budgets=shares(limit))
    spent = len(pool.sent) * 0.01
    assert spent <= limit + 1e-9
    assert spent > limit - 0.03
    assert pool.indices() == list(range(100))
    assert ended.budgets[0].spent == pytest.approx(spent)
    (tripped,) = pool.of(Tripped)
    assert tripped.event.name == "budget"
    assert all("budget is spent" in (r.error_message or "") for r in pool.dropped)


def test_a_sufficient_budget_stops_nothing() -> None:
    pool = Pool(BURST, service_s=0.02, cost=0.01)
    ended = pool.run(budgets=shares(2.0))
    assert (ended.sent, ended.halted) == (100, "")


def test_a_sudden_price_rise_exceeds_the_budget_only_by_what_was_in_flight() -> None:
    """Fifty times the price from request 30 on, ten at once: at most ten are overspent."""
    phase = changed(BASE, kind="steady", users=10, count=200, duration_s=None, max_tokens=16)
    pool = Pool(phase, service_s=0.005, cost=lambda index: 0.01 if index < 30 else 0.5)
    ended = pool.run(budgets=shares(2.0))
    (budget,) = ended.budgets
    assert budget.spent <= 2.0 + 10 * 0.5
    assert budget.largest_underestimate > 0.4
    assert pool.of(Tripped)[0].event.name == "budget"


def test_tokens_are_limited_as_money_is() -> None:
    pool = Pool(BURST, service_s=0.01, cost=None)
    pool.run(budgets=shares(tokens=1500))
    assert 0 < len(pool.sent) * 110 <= 1500


def test_a_budget_ends_the_run_after_five_answers_without_a_cost() -> None:
    pool = Pool(BURST, service_s=0.01, cost=None)
    pool.run(budgets=shares(1.0))
    assert len(pool.sent) == 5
    assert "--prices" in pool.of(Tripped)[0].why


def test_http_402_ends_the_run() -> None:
    phase = changed(BASE, kind="steady", users=1, count=20, duration_s=None)
    pool = Pool(phase, outcome=Outcome.PAYMENT_REQUIRED)
    ended = pool.run()
    assert len(pool.sent) == 1
    assert pool.of(Tripped)[0].event.name == "payment_required"
    assert ended.dropped == 19


def test_a_price_table_sizes_reservations_of_money_and_not_of_tokens() -> None:
    """Tokens are reserved by what was seen: at most 7 in and 16 out."""
    prices = Prices({"m": Price(input=1e6, output=1e7)})
    money, tokens = opened(shares(100.0, 100), prices)
    counts = {"prompt_tokens": 7, "completion_tokens": 3, "total_tokens": 10}
    answer = row(api_cost=37.0, **counts)
    for budget in (money, tokens):
        reservation = budget.reserve(("m", "marker"), 16)
        assert reservation is not None
        budget.settle(reservation, answer)
    assert money.worst(("m", "marker"), 16) == 7 + 160
    assert tokens.worst(("m", "marker"), 16) == 7 + 16
    assert money.worst(("unpriced", "marker"), 16) is None
