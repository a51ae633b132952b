"""A watch alarms on a difference that lasts for days, and not on chance."""

from datetime import date, timedelta
from random import Random

import pytest

from identity.looks import Verdict
from identity.watch import by_day, watched
from tests.identity.endpoint import Endpoint, audited, enrolled

FIRST = date(2026, 11, 1)
D, N, U = Verdict.DIFFERS, Verdict.NOT_SHOWN, Verdict.NOT_ENOUGH


def history(*verdicts: Verdict) -> dict[date, Verdict]:
    return {FIRST + timedelta(days=n): verdict for n, verdict in enumerate(verdicts)}


@pytest.mark.parametrize(
    ("verdicts", "alarm"),
    [
        ((N, D, D, D), D),
        ((D, D, D, N), N),
        ((D, D, N, D), N),
        ((D, D), U),
        ((N, D, U, D), U),
        ((N, U, U, U), U),
        ((N,), N),
        ((), U),
    ],
)
def test_only_a_difference_on_each_of_the_last_three_days_alarms(
    verdicts: tuple[Verdict, ...], alarm: Verdict
) -> None:
    assert watched(history(*verdicts)) is alarm


def test_a_second_run_without_a_difference_clears_its_day() -> None:
    assert by_day([(FIRST, D), (FIRST, N), (FIRST, U)]) == {FIRST: N}
    assert by_day([(FIRST, D), (FIRST, U)]) == {FIRST: D}


def month(served: Endpoint, dice: Random, days: int = 30) -> list[Verdict]:
    """What the watch says on each day, all days against one reference."""
    known = enrolled(Endpoint(), dice)
    verdicts = [audited(known, served, dice)[0].verdict for _ in range(days)]
    return [watched(history(*verdicts[: day + 1])) for day in range(days)]


def test_another_model_alarms_on_the_third_day() -> None:
    for seed in range(3):
        assert month(Endpoint(weights=2), Random(seed), 3) == [U, U, D]


def test_false_alarms_of_one_percent_a_day_give_none_in_a_thousand_months() -> None:
    """By chance there would be one alarm in 35,000 months."""
    dice = Random(1)
    for _ in range(1000):
        verdicts = [D if dice.random() < 0.01 else N for _ in range(30)]
        days = history(*verdicts)
        assert all(
            watched({day: days[day] for day in list(days)[:end]}) is not D for end in range(1, 31)
        )


@pytest.mark.slow
def test_an_honest_gateway_has_no_alarm_in_a_month_against_one_reference() -> None:
    assert D not in month(Endpoint(), Random(1))


@pytest.mark.slow
def test_a_fifth_of_answers_from_another_model_alarms_within_a_week() -> None:
    for seed in range(3):
        assert D in month(Endpoint(share=0.2), Random(seed), 7), seed
