"""Checks before a run that its plan can show the conditions it is judged by. Pure.

A condition or an objective on something that no phase has would be unknown, and so failed, after
everything is paid for.
"""

from collections.abc import Iterator

from loadshapes.phase import Phase
from loadshapes.plan import Plan
from recording.errors import OperatorError
from rules.conditions import METRICS, Where, has, metric_of, parse
from rules.slo import Slo
from settings.options import Options

_STREAMED = ("ttft", "tpot", "itl")


def check_judgeable(plan: Plan, options: Options) -> None:
    """Raise OperatorError for the first condition or objective that the plan cannot show."""
    phases = plan.phases
    if not phases and plan.unfold is not None:
        phases = (
            next(plan.unfold()),
        )  # the first phase of a program shows the kind of all of them
    for why in (*_conditions(phases, options), *_objectives(phases, options.objectives(), options)):
        raise OperatorError(why)


def _conditions(phases: tuple[Phase, ...], options: Options) -> Iterator[str]:
    plans = [phase.as_dict() for phase in phases]
    for condition in parse(options.fail_on):
        metric = metric_of(condition.metric) or METRICS["failures"]
        name, mode = f"--fail-on {condition}", f"mode {options.mode}"
        if metric.number == "price_difference" and not options.prices:
            yield f"{name} needs a price table: give one with --prices."
        if metric.number == "identity_differs" and options.mode != "identity":
            yield f"{name} is of mode identity: remove it."
        if metric.number == "budget_used" and not options.budget:
            yield f"{name} needs --budget: give one."
        if metric.number == "budget_tokens_used" and not options.budget_tokens:
            yield f"{name} needs --budget-tokens: give one."
        if metric.where is Where.OBJECTIVES:
            slo = options.objectives()
            if slo is None:
                yield f"{name} needs objectives: give --slo."
            elif not any(slo.of(phase.mode, phase.model) for phase in phases):
                yield f"{name}: --slo {options.slo} has no objective for a phase of {mode}."
        elif metric.where is Where.STREAMS and not any(phase.stream for phase in phases):
            yield f"{name} applies to streams, and no phase of {mode} requests one: add --stream."
        elif not any(has(metric.where, plan) for plan in plans):
            yield f"{name} is judged on {metric.where}, and {mode} plans none: remove it."


def _objectives(phases: tuple[Phase, ...], slo: Slo | None, options: Options) -> Iterator[str]:
    if slo is None:
        return
    phases_by_key: dict[str, list[Phase]] = {}
    for phase in phases:
        for key in slo.of(phase.mode, phase.model).values:
            phases_by_key.setdefault(key, []).append(phase)
    for key, of in phases_by_key.items():
        if key.startswith(_STREAMED) and not any(phase.stream for phase in of):
            yield (
                f"--slo {options.slo}: {key} applies to streams, and none of its phases requests "
                "one: add --stream."
            )
