"""Probes of several runs by hour of day and by day: do answers change with the time? Pure.

Every probe has the same bytes in every run, so that answers of different runs can be compared. The
hours and the days are two partitions of the same answers; each gets half of the false alarms, and
each of several models its part.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime

from identity.alpha import of_each
from identity.mixed import (
    ALPHA,
    LEAST_ANSWERS,
    MOST_PARTS,
    Course,
    ProbeAnswer,
    compared,
    unfiltered,
)

_DAY_S = 86_400


@dataclass(frozen=True, slots=True)
class Partition:
    """Stretches of the clock and the comparison of each with all others: `names[i]` is the name of
    `course.parts[i]`, hours as `08:00-10:00`, days as `2026-11-26` (UTC)."""

    names: Sequence[str]
    course: Course

    @property
    def differing(self) -> list[str]:
        """The names of the stretches whose answers differ, the most different first."""
        names = {id(part): name for name, part in zip(self.names, self.course.parts, strict=True)}
        return [names[id(part)] for part in self.course.differing]


def by_hour(probes: Sequence[ProbeAnswer], models: int = 1) -> Partition:
    """By the hour of the day, whichever day it was; neighbouring hours are joined until they hold
    enough answers to say something. Probes whose time is unknown are left out."""
    return _partition(probes, lambda at_s: int(at_s % _DAY_S // 3600), _hours, models)


def by_day(probes: Sequence[ProbeAnswer], models: int = 1) -> Partition:
    """By the day, UTC; neighbouring days are joined as hours are."""
    return _partition(probes, lambda at_s: int(at_s // _DAY_S), _days, models)


def _partition(
    probes: Sequence[ProbeAnswer],
    number: Callable[[float], int],
    name: Callable[[int, int], str],
    models: int,
) -> Partition:
    units: dict[int, list[ProbeAnswer]] = {}
    usable, filtered = unfiltered(probes)
    for one in sorted(usable, key=lambda one: one.at_unix_s or 0.0):
        if one.at_unix_s is not None:
            units.setdefault(number(one.at_unix_s), []).append(one)
    answers = {
        unit: sum(one.question is not None for one in of_unit) for unit, of_unit in units.items()
    }
    least = max(LEAST_ANSWERS, -(-sum(answers.values()) // MOST_PARTS))
    joined: list[list[int]] = [[]]
    for unit in sorted(units):
        if sum(answers[u] for u in joined[-1]) >= least:
            joined.append([])
        joined[-1].append(unit)
    if len(joined) > 1 and sum(answers[u] for u in joined[-1]) < LEAST_ANSWERS:
        last = joined.pop()  # too few to be compared by themselves
        joined[-1] += last
    groups = [[one for unit in part for one in units[unit]] for part in joined if part]
    names = [name(part[0], part[-1]) for part in joined if part]
    course = compared(groups, of_each(ALPHA, models) / 2)
    return Partition(names, replace(course, filtered=filtered))


def _hours(first: int, last: int) -> str:
    return f"{first:02}:00-{last + 1:02}:00"


def _days(first: int, last: int) -> str:
    begin, end = (
        datetime.fromtimestamp(day * _DAY_S, UTC).date().isoformat() for day in (first, last)
    )
    return begin if first == last else f"{begin} - {end}"
