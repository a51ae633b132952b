"""Goodput and attainment: how many requests were good enough for their users.

A request is good when it succeeded and every time that its SLO limits is at most the limit.
TTFT and TPOT are limited of streams alone; a stream of fewer than two tokens has no TPOT to
exceed. A time that should be known but is not counts as not good enough: chunks that do not show
when their tokens came have no TPOT, and meet no limit on it.
"""

from typing import TYPE_CHECKING

from analysis.numbers import streaming
from analysis.numbers.phase_numbers import Goodput
from analysis.reading.groups import groups
from rules.slo import Objectives, Slo, parse

if TYPE_CHECKING:
    from pandas import DataFrame, Series

    from analysis.reading.load import Run


def slo_of(run: "Run") -> Slo | None:
    """The SLO that a run is judged by; None when it has none. Raises SloError."""
    content = run.manifest.get("slo")
    return parse(content, f"{run.folder / 'manifest.json'}, slo") if content else None


def of(rows: "DataFrame", planned: int, wall_s: float | None, slo: Slo | None) -> Goodput:
    """How many of the rows are good; all None if a row has no objective.

    Failed and dropped requests count in `planned`.
    """
    good = 0
    known = slo is not None and len(rows) > 0
    if slo is not None:
        for (mode, model), group in groups(rows, ("mode", "model_requested")):
            objectives = slo.of(str(mode), str(model))
            known = known and bool(objectives)
            good += int(meets(group, objectives).sum())
    if not known:
        return Goodput(good=None, goodput_rps=None, attainment=None)
    return Goodput(
        good=good,
        goodput_rps=good / wall_s if wall_s else None,
        attainment=good / planned if planned else None,
    )


def meets(rows: "DataFrame", objectives: Objectives) -> "Series[bool]":
    """Whether each request is good."""
    met = rows["success"].astype(bool)
    limits, streamed = objectives.limits, rows["stream"].astype(bool)
    if limit := limits.get("e2e"):
        met = met & _at_most(rows["elapsed_sec"], limit.seconds)
    if limit := limits.get("ttft"):
        met = met & (~streamed | _at_most(rows["ttft_s"], limit.seconds))
    if (limit := limits.get("tpot")) and streamed.any():
        too_few_tokens = streaming.tokens(rows) < 2
        met = met & (~streamed | too_few_tokens | _at_most(streaming.tpot_s(rows), limit.seconds))
    return met


def _at_most(times: "Series[float]", limit_s: float) -> "Series[bool]":
    """False if the time is not known. Rounded as conditions are, so binary dust does not count."""
    return times.round(12) <= round(limit_s, 12)
