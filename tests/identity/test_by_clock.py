"""Probes of many runs by the clock: honest timelines have no alarm, busy hours and new days do."""

from collections.abc import Callable
from random import Random

import pytest

from identity.by_clock import by_day, by_hour
from identity.mixed import ALPHA, LEAST_ANSWERS, MOST_PARTS, ProbeAnswer
from identity.mixed import question as asked
from tests.identity.endpoint import Endpoint

HONEST, OTHER = Endpoint(), Endpoint(weights=2)
MIDNIGHT_UNIX_S = 1_795_651_200  # 2026-11-26T00:00Z


def week(
    dice: Random,
    *,
    days: int = 5,
    a_run: int = 16,
    swapped: Callable[[int, int], bool] | None = None,
) -> list[ProbeAnswer]:
    """A run an hour for some days, so many probes each; `swapped(day, hour)`: another model."""
    found, number = list[ProbeAnswer](), 0
    for day in range(days):
        for hour in range(24):
            served = OTHER if swapped and swapped(day, hour) else HONEST
            for place in range(a_run):
                at = MIDNIGHT_UNIX_S + day * 86_400 + hour * 3_600 + place
                question = asked(1, number)
                number += 1
                word = "" if question is None else served.answer(question, dice) or ""
                tokens = 64 if question is None else None
                found.append(ProbeAnswer("soak/m", place, question, word, tokens, at))
    return found


@pytest.mark.long
def test_of_150_honest_timelines_hardly_one_in_a_hundred_alarms() -> None:
    """Hours and days together; the bound is exact, these seeds are fixed."""
    told = [week(Random(seed), days=3) for seed in range(150)]
    alarms = sum(bool(by_hour(one).differing or by_day(one).differing) for one in told)
    assert alarms <= 150 * ALPHA + 2


def test_another_model_in_busy_hours_is_named_by_its_hours() -> None:
    for seed in range(10):
        told = week(Random(seed), swapped=lambda _, hour: 8 <= hour < 12)
        found = by_hour(told).differing
        assert {"08:00-10:00", "10:00-12:00"} <= {*found}
        assert by_day(told).differing == [], "every day has the same hours"


def test_another_model_from_a_day_on_is_named_by_the_day() -> None:
    for seed in range(10):
        told = week(Random(seed), swapped=lambda day, _: day == 3)
        assert by_day(told).differing[0] == "2026-11-29"


@pytest.mark.parametrize(("days", "a_run"), [(1, 2), (1, 40), (30, 16)])
def test_stretches_hold_enough_answers_and_are_not_many(days: int, a_run: int) -> None:
    told = week(Random(1), days=days, a_run=a_run)
    for partition in (by_hour(told), by_day(told)):
        parts = partition.course.parts
        assert 1 <= len(parts) <= MOST_PARTS and len(parts) == len(partition.names)
        assert sum(part.answers for part in parts) == sum(one.question is not None for one in told)
        assert len(parts) == 1 or all(part.answers >= LEAST_ANSWERS for part in parts)


def test_a_probe_whose_time_nobody_knows_is_left_out() -> None:
    told = [ProbeAnswer("p", 0.0, 0, "a"), ProbeAnswer("p", 0.0, 0, "b", at_unix_s=MIDNIGHT_UNIX_S)]
    assert sum(part.answers for part in by_hour(told).course.parts) == 1
    assert by_day(told[:1]).course.parts == []
