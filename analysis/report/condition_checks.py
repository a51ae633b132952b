"""Conditions of `--fail-on` and objectives of `--slo`, judged on each phase they apply to.

An unknown number is never good enough: it fails its condition. So does a phase that was planned but
not run, because nobody knows what it would have shown.
"""

from collections.abc import Iterator, Mapping, Sequence
from math import fsum, inf
from typing import Any, Literal

from analysis.numbers.phase_numbers import PhaseNumbers
from analysis.numbers.unanswered import READ, percentile, time_and_percent
from analysis.numbers.warmup import NEEDED, trimmed, warmup_s
from analysis.pairs.verdict import Conclusion
from analysis.report.check import RUN, Check, figure
from analysis.report.flags import flagged, outliers_of
from analysis.report.run_metric import of_run
from analysis.report.view import View
from recording.arms import SUFFIX
from rules import condition_names
from rules.censoring import bears, enough
from rules.conditions import Condition, Metric, Where, has, metric_of
from rules.percentiles import decimal
from rules.slo import Slo

_WHOLE = frozenset({Where.RUN, Where.PAIRS})
ABSTAINED = frozenset({Conclusion.NOT_COMPARABLE, Conclusion.NOT_ENOUGH})


def judge_conditions(view: View, conditions: Sequence[Condition]) -> list[Check]:
    """Every condition, on everything that it applies to.

    In a run with two routes only the gateway's is judged, but costs are those of both.
    """
    gateway = view.of_gateway()
    return [
        check
        for condition in conditions
        for check in _judge(view if _metric(condition).where in _WHOLE else gateway, condition)
    ]


def judge_objectives(view: View, slo: Slo) -> list[Check]:
    """Every objective of an SLO, on each phase that it applies to.

    The phases of a capacity search are left out: they miss their objectives on purpose.
    """
    phases_of: dict[Condition, list[str]] = {}
    for name, (mode, model) in modes_and_models(view).items():
        if mode == "capacity":
            continue
        for condition in slo.of(mode, model).statements:
            phases_of.setdefault(condition, []).append(name)
    return [
        check for condition in phases_of for check in _judge(view, condition, phases_of[condition])
    ]


def modes_and_models(view: View) -> dict[str, tuple[str | None, str | None]]:
    """The mode and the model of every phase that was planned or measured, by its name."""
    planned: dict[str, tuple[str | None, str | None]] = {
        phase["name"]: (phase.get("mode"), phase.get("model")) for phase in view.run.plan
    }
    measured = {p.phase: (p.mode, p.model_requested) for p in view.phases}
    return planned | measured


def _judge(view: View, condition: Condition, among: Sequence[str] | None = None) -> Iterator[Check]:
    """A condition on every phase it applies to, limited to `among` if given."""
    metric, metric_name = _metric(condition), condition.metric
    if metric.where is Where.RUN:
        amount, gap = of_run(view, metric)
        yield _compare(view, RUN, condition, amount, gap, wall_s_of(view))
        return
    skipped = set(view.not_run)
    measured = {phase.phase: phase for phase in view.phases}
    planned = {phase["name"]: phase for phase in view.run.plan}
    names = [
        name
        for name in (dict.fromkeys([*planned, *measured]) if among is None else among)
        if _applies(metric, planned.get(name, {}), measured.get(name))
    ]
    if metric.where is Where.PAIRS:
        yield from _overhead(view, condition, names)
        return
    if metric.where is Where.OBJECTIVES:
        slo, phases = view.slo, modes_and_models(view)
        names = [name for name in names if slo is not None and slo.of(*phases[name])]
    for name in names:
        numbers = measured.get(name)
        gap = "it was not run" if name in skipped else _gap(metric, numbers)
        wall_s = (numbers and numbers.wall_s) or 0.0
        if time_and_percent(metric_name) and numbers:
            yield _ranked(view, numbers, condition, gap, wall_s)
        else:
            yield _compare(view, name, condition, _value(view, metric, numbers), gap, wall_s)
    if not names:
        yield _compare(view, RUN, condition, None, "no phase has one", 0.0)


def _overhead(view: View, condition: Condition, phases: Sequence[str]) -> Iterator[Check]:
    """A condition on the gateway's overhead: certain only if both ends of its interval agree."""
    name = _metric(condition).number
    phases = [phase for phase in phases if not phase.endswith(SUFFIX)]
    for phase in phases:
        comparison = view.routes.verdict(phase, name) if view.routes is not None else None
        low, high = (None, None) if comparison is None else (comparison.low, comparison.high)
        if comparison is None or low is None or high is None or comparison.conclusion in ABSTAINED:
            why = "there are no pairs" if comparison is None else str(comparison.conclusion)
            text = f"{condition.metric} is unknown, {why}"
            yield Check(phase, condition, "unknown", text)
            continue
        ends = [condition.met(end * 1000) for end in (low, high)]
        verdict: Literal["passed", "failed", "unknown"] = "failed" if all(ends) else "passed"
        text = f"{condition.metric} is {low * 1000:.1f} to {high * 1000:.1f} ms (95 % interval)"
        if any(ends) and not all(ends):
            verdict, text = "unknown", f"{text}, which contains the limit: send more pairs"
        interval = f"{low * 1000:.1f} … {high * 1000:.1f} ms"
        yield Check(phase, condition, verdict, text, cell=interval)
    if not phases:
        yield _compare(view, RUN, condition, None, "the run has one route (--against)", 0.0)


def _applies(metric: Metric, planned: Mapping[str, Any], numbers: PhaseNumbers | None) -> bool:
    """Whether a phase has the metric: by its plan, or because it was measured anyway."""
    if metric.where is Where.WINDOWS:
        return has(metric.where, planned)
    return has(metric.where, planned) or (
        numbers is not None and numbers.as_dict().get(metric.number) is not None
    )


def _value(view: View, metric: Metric, numbers: PhaseNumbers | None) -> float | None:
    """A metric's value in a phase's numbers; None: unknown."""
    if numbers is None:
        return None
    if metric.number == "flagged":
        return flagged(view, numbers.phase)
    if metric.number == "cost_outlier":
        return len(outliers_of(view, numbers.phase))
    named = numbers.as_dict()
    if metric.number not in named and condition_names.meaning(metric.number) is not None:
        return condition_names.count(metric.number, named)
    value: float | None = named.get(metric.number)
    return value


def _compare(
    view: View, subject: str, condition: Condition, value: float | None, gap: str, wall_s: float
) -> Check:
    """One comparison; `gap` says why there is no value, if it is None."""
    if value is None:
        why = f", {gap}" if gap else ""
        return Check(subject, condition, "unknown", f"{condition.metric} is unknown{why}", wall_s)
    unit = _metric(condition).unit
    value_text = figure(value, condition)
    if unit:
        value_text += f" {view.run.currency or '' if unit == 'money' else unit}"
    verdict: Literal["passed", "failed"] = "failed" if condition.met(value) else "passed"
    text = f"{condition.metric} is {value_text.rstrip()}"
    return Check(subject, condition, verdict, text, wall_s, value)


def _ranked(
    view: View, phase: PhaseNumbers, condition: Condition, gap: str, wall_s: float
) -> Check:
    """A percentile that includes unanswered requests: judged only if every possible value agrees.

    If no request lies beyond its rank, it is the time of the slowest, and is reported as such.
    """
    time, percent = time_and_percent(condition.metric) or ("e2e", 50)
    rows, _ = trimmed(view.requests(phase, *dict.fromkeys([*READ, *NEEDED])), warmup_s(view.run))
    measured = percentile(rows, time, percent)
    unresolved = phase.tpot_unknown_count if time == "tpot" else 0
    if measured is None or measured.count == unresolved:
        return _compare(view, phase.phase, condition, None, gap, wall_s)
    worst, best = condition.met(measured.high), condition.met(measured.low)
    verdict: Literal["passed", "failed", "unknown"] = (
        "unknown" if worst is not best else "failed" if worst else "passed"
    )
    low, high = (figure(value, condition) for value in (measured.low, measured.high))
    if measured.low == measured.high:
        text, cell = f"is {low} s", low
    elif measured.high == inf:
        text, cell = f"is more than {low} s", f"> {low}"
    else:
        text, cell = f"is from {low} to {high} s", f"{low} … {high}"
    if verdict == "unknown":
        text = f"is not known, it {text}"
    if measured.few:
        text = (
            f"cannot be judged from {measured.count} "
            f"(a P{decimal(percent)} takes {enough(percent)}): "
            f"the slowest {text.replace('is ', 'took ', 1) if verdict != 'unknown' else text}"
        )
        cell = f"max {cell} (n = {measured.count})"
    if measured.unanswered > unresolved:
        text += f", {measured.unanswered - unresolved} of {measured.count} had no answer"
    if unresolved:
        text += (
            f", the chunks of {unresolved} of {measured.count} do not tell when their tokens came"
        )
    if verdict == "passed" and not bears(percent, measured.count):
        verdict = "unknown"
        text = text.replace("took ", "took only ", 1) + ", which does not show it"
    value = measured.low if measured.low == measured.high and not measured.few else None
    claimed = f"{condition.metric} {text}"
    return Check(phase.phase, condition, verdict, claimed, wall_s, value, cell=cell)


def _gap(metric: Metric, numbers: PhaseNumbers | None) -> str:
    if numbers is None or not numbers.success:
        return "no request succeeded"
    if metric.unit == "money":
        unpriced, good = numbers.cost_unknown_success_count, numbers.success
        return f"{unpriced} of {good} successes state none"
    if metric.number.startswith("tpot") and (unresolved := numbers.tpot_unknown_count):
        return (
            f"the chunks of {unresolved} of {numbers.streams} streams do not tell when tokens came"
        )
    return "none was measured"


def _metric(condition: Condition) -> Metric:
    metric = metric_of(condition.metric)
    assert metric is not None, condition.metric  # else it could not be parsed
    return metric


def wall_s_of(view: View) -> float:
    return fsum(phase.wall_s for phase in view.phases if phase.wall_s is not None)
