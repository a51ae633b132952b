"""Audits of many days: does a difference stay, day after day? Pure.

One audit errs in at most 1 of 100, so that an alarm of every single one would be a false one in
about a hundred days. A difference that is there on each of several days is hardly chance, unless
the days' common reference is an odd one.
"""

from collections.abc import Mapping, Sequence
from datetime import date

from identity.looks import Verdict

DAYS = 3
"""In a row, as B3IT's watch asks for (arXiv 2602.11083)."""


def by_day(audits: Sequence[tuple[date, Verdict]]) -> Mapping[date, Verdict]:
    """The verdict of each day, in order. A day differs where each of its audits that has a verdict
    says so; where none has one, there is not enough."""
    days: dict[date, set[Verdict]] = {}
    for day, verdict in sorted(audits):
        days.setdefault(day, set()).add(verdict)
    return {day: _of(verdicts) for day, verdicts in days.items()}


def watched(days: Mapping[date, Verdict], in_a_row: int = DAYS) -> Verdict:
    """Of the last days on which it was asked: differs where each of them does, no difference shown
    where any shows none, and else not enough."""
    last = [days[day] for day in sorted(days)][-in_a_row:]
    if Verdict.NOT_SHOWN in last:
        return Verdict.NOT_SHOWN
    if len(last) == in_a_row and set(last) == {Verdict.DIFFERS}:
        return Verdict.DIFFERS
    return Verdict.NOT_ENOUGH


def _of(audits: set[Verdict]) -> Verdict:
    for verdict in (Verdict.NOT_SHOWN, Verdict.DIFFERS):
        if verdict in audits:
            return verdict
    return Verdict.NOT_ENOUGH
