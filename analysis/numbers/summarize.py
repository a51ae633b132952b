"""The numbers of a run: by phase, and by groups of requests (model, prefix, ...)."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from fractions import Fraction
from math import fsum
from typing import TYPE_CHECKING, Annotated, Any

from analysis.numbers import goodput, measurement, punctuality, streaming, warmup
from analysis.numbers.measurement import MEASURED
from analysis.numbers.phase_numbers import (
    Costs,
    Count,
    MaybeCount,
    Numbers,
    Percentiles,
    PhaseNumbers,
    WarmupLeft,
)
from analysis.reading.groups import groups, runs
from recording.events import PhaseEnd
from recording.manifest_content import PlannedPhase
from rules import percentiles
from rules.slo import Slo

if TYPE_CHECKING:
    from pandas import DataFrame

    from analysis.reading.load import Run

PHASE = ("phase", "mode", "scenario", "model_requested", "target", "duration_s")
GROUPS = {"model": "model_requested", "task-prefix": "task_prefix", "arm": "arm"}
"""What requests can be grouped by beside their phase (`--by`), and the column that says it."""


@dataclass(frozen=True, slots=True)
class Basis:
    """How rows are measured.

    `planned` says how many requests a phase was to send (else: its rows); `walls` its wall clock,
    seconds, if the rows do not give it (else: the last completion); `slo` which requests were
    good; `beyond` how many of a phase were not sent and have no row.
    """

    planned: Mapping[str, int]
    walls: Mapping[str, float]
    slo: Slo | None
    beyond: Mapping[str, int]
    percents: Sequence[Fraction]


def of_phases(run: "Run") -> list[PhaseNumbers]:
    """The numbers of each phase that has rows, in the plan's order, without warm-up."""
    frame, plan, left_out = _frame(run, PHASE, MEASURED), run.plan, dict[str, WarmupLeft]()
    if warm_s := warmup.warmup_s(run):
        frame, left_out = warmup.trimmed(frame, warm_s)
        plan = warmup.shorter(plan, warm_s, left_out)
    basis = _basis(run, plan)
    return [
        _of_phase(run, key, numbers, left_out, basis.percents)
        for key, numbers in _measured(frame, PHASE, basis)
    ]


def of_groups(run: "Run", by: str) -> list[tuple[str | None, Numbers]]:
    """The numbers of all requests that have one value of a column (or `task_prefix`), by value."""
    basis = _basis(run, run.plan)
    frame = _frame(run, (by,), MEASURED)
    return [(key[by], numbers) for key, numbers in _measured(frame, (by,), basis)]


@dataclass(frozen=True, kw_only=True)
class GroupCosts(Costs):
    """The money of a group of requests; `name` None: the requests of none."""

    name: str | None
    sent: Annotated[Count, "requests that were sent"]
    success: Annotated[Count, "requests that succeeded"]
    total_tokens: Annotated[MaybeCount, "the successes' tokens"]


def costs_of_groups(run: "Run", by: str) -> list[GroupCosts]:
    """Of `of_groups`' numbers those about money."""
    frame = _frame(
        run,
        (by,),
        ["success", "outcome", "total_tokens", "api_cost", "cost_source", "cancel_after"],
    )
    costs = []
    for (name,), rows in groups(frame, (by,)):
        good, sent = measurement.good_and_sent(rows, measurement.awaited_of(rows)[0])
        costs.append(
            GroupCosts(
                name=_plain(name),
                sent=len(sent),
                success=len(good),
                total_tokens=measurement.total_tokens(good),
                **vars(measurement.costs(sent, good)),
            )
        )
    return costs


def percents_of(run: "Run") -> tuple[Fraction, ...]:
    """The percentiles that a run's numbers hold: the usual, `--percentiles`, those of a check."""
    try:
        chosen = percentiles.parse(str(run.options.get("percentiles") or ""))
    except percentiles.PercentError:
        chosen = ()
    return tuple(sorted({*percentiles.USUAL, *chosen, *run.percents}))


def _basis(run: "Run", plan: Sequence[PlannedPhase]) -> Basis:
    planned = {p["name"]: count for p in plan if (count := p.get("count")) is not None}
    walls = {p["name"]: wall_s for p in plan if (wall_s := p.get("wall_s")) is not None}
    return Basis(planned, walls, goodput.slo_of(run), run.beyond, percents_of(run))


def _of_phase(
    run: "Run",
    key: Mapping[str, Any],
    numbers: Numbers,
    left_out: Mapping[str, WarmupLeft],
    percents: Sequence[Fraction],
) -> PhaseNumbers:
    name = key["phase"]
    gaps = streaming.of_phase(run, name) if numbers.streams else None
    longest_s = numbers.inter_chunk_max_s
    itl = {p: None if gaps is None else streaming.gap_s(gaps, p, longest_s) for p in percents}
    return PhaseNumbers(
        **key,
        **vars(numbers),
        **vars(punctuality.judge(numbers, run.events_of(PhaseEnd, name))),
        **vars(left_out.get(name, WarmupLeft())),
        itl=Percentiles(itl),
    )


def _frame(run: "Run", by: Sequence[str], columns: Sequence[str]) -> "DataFrame":
    streams = any(phase.get("stream", True) for phase in run.plan)
    more = streaming.COLUMNS if streams and columns is MEASURED else ()
    recorded = dict.fromkeys(name for name in (*by, *columns, *more) if name != "task_prefix")
    frame = run.rows.frame(list(recorded))
    if "task_prefix" in by:
        frame["task_prefix"] = run.rows.task_prefixes()
    return frame


def _measured(
    requests: "DataFrame", by: Sequence[str], basis: Basis
) -> list[tuple[dict[str, Any], Numbers]]:
    """The key (values of `by`) and the numbers of each group of requests, in order of appearance.

    A group's wall clock is the sum of its phases'.
    """
    walls, rows_of = dict[str, float](), dict[str, int]()
    for (name,), rows in groups(requests, ("phase",)):
        rows_of[name] = len(rows)
        if rows["done_offset_s"].notna().any():
            walls[name] = measurement.wall_s_of(rows)
    walls |= basis.walls
    expected = {name: max(n, basis.planned.get(name, 0)) for name, n in rows_of.items()}
    measured = []
    for key, rows in groups(requests, by):
        phases = rows["phase"].iloc[runs(rows, ["phase"])].unique()
        all_rows = len(rows) == sum(rows_of[name] for name in phases)
        count = sum(expected[name] for name in phases) if all_rows else len(rows)
        known = [walls[name] for name in phases if name in walls]
        wall_s = fsum(known) if len(known) == len(phases) else None
        numbers = measurement.measure(rows, count, wall_s, basis.slo, basis.percents)
        if all_rows and (more := sum(basis.beyond.get(name, 0) for name in phases)):
            numbers = measurement.with_unsent(numbers, more)
        measured.append(({k: _plain(v) for k, v in zip(by, key, strict=True)}, numbers))
    return measured


def _plain(value: Any) -> Any:
    """A Python value of a group's key; None when it is missing."""
    import pandas as pd

    if pd.isna(value):
        return None
    return value.item() if hasattr(value, "item") else value
