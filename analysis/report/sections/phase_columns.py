"""Columns that several tables of phases have: a number by its name, percentiles, goodput."""

from collections.abc import Callable
from typing import Any

from analysis.page.blocks import Column
from analysis.report.sections import slo
from analysis.report.view import View

Phase = dict[str, Any]
PhaseColumn = Column[Phase]


def number(header: str, name: str, shown: Callable[[Any], str] = str) -> PhaseColumn:
    """One of a phase's numbers (analysis/numbers/summarize.py), as `shown` writes it."""
    return Column(header, lambda phase: shown(phase[name]))


def ranked(
    view: View, header: tuple[str, str], name: str, shown: Callable[[float | None], str]
) -> list[PhaseColumn]:
    """A column for each percentile of the run; `{}` in `header` (English, Chinese) is its rank."""

    def column(place: int, rank: str) -> PhaseColumn:
        title = view.t(*header).format(rank)
        return Column(title, lambda phase: shown(view.ranked(phase, name)[place]))

    return [column(place, rank) for place, rank in enumerate(view.ranks)]


def goodput(view: View) -> list[PhaseColumn]:
    """Goodput and attainment, in a run with objectives."""

    def column(place: int, header: str) -> PhaseColumn:
        return Column(header, lambda phase: slo.cells(view, phase)[place])

    return [column(place, header) for place, header in enumerate(slo.headers(view))]
