"""Probes of many runs by hour and day:

honest timelines do not alarm; busy hours and new days do.
"""

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
    """An hourly run for some days, with so many probes each; `swapped(day, hour)`:

    another model answers.
    """
    probes, number = list[ProbeAnswer](), 0
    for day in range(days):
        for hour in range(24):
            served = OTHER if swapped and swapped(day, hour) else HONEST
            for place in range(a_run):
                at = MIDNIGHT_UNIX_S + day * 86_400 + hour * 3_600 + place
                question = asked(1, number)
                number += 1
                word = "" if question is None else served.answer(question, dice) or ""
                tokens = 64 if question is None else None
                probes.append(ProbeAnswer("soak/m", place, question, word, tokens, at))
    return probes


@pytest.mark.long
def test_about_one_in_a_hundred_of_150_honest_timelines_alarms() -> None:
    """By hour and by day together; the level is exact, and these seeds are fixed."""
    timelines = [week(Random(seed), days=3) for seed in range(150)]
    alarms = sum(bool(by_hour(one).differing or by_day(one).differing) for one in timelines)
    assert alarms <= 150 * ALPHA + 2


def test_another_model_in_busy_hours_is_named_with_its_hours() -> None:
    for seed in range(10):
        probes = week(Random(seed), swapped=lambda _, hour: 8 <= hour < 12)
        differing = by_hour(probes).differing
        assert {"08:00-10:00", "10:00-12:00"} <= {*differing}
        assert by_day(probes).differing == [], "every day has the same hours"


def test_another_model_from_a_day_on_is_named_with_the_day() -> None:
    for seed in range(10):
        probes = week(Random(seed), swapped=lambda day, _: day == 3)
        assert by_day(probes).differing[0] == "2026-11-29"


@pytest.mark.parametrize(("days", "a_run"), [(1, 2), (1, 40), (30, 16)])
def test_parts_of_a_timeline_are_few_and_have_enough_answers_each(days: int, a_run: int) -> None:
    probes = week(Random(1), days=days, a_run=a_run)
    for partition in (by_hour(probes), by_day(probes)):
        parts = partition.course.parts
        assert 1 <= len(parts) <= MOST_PARTS and len(parts) == len(partition.names)
        assert sum(part.answers for part in parts) == sum(
            one.question is not None for one in probes
        )
        assert len(parts) == 1 or all(part.answers >= LEAST_ANSWERS for part in parts)


def test_a_probe_without_a_time_is_left_out() -> None:
    probes = [
        ProbeAnswer("p", 0.0, 0, "a"),
        ProbeAnswer("p", 0.0, 0, "b", at_unix_s=MIDNIGHT_UNIX_S),
    ]
    assert sum(part.answers for part in by_hour(probes).course.parts) == 1
    assert by_day(probes[:1]).course.parts == []
