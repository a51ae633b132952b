"""What the checks may use at most, before anything is sent. Pure."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace

from compat.check import Bound, Check, Setting
from compat.verdict import MOST_ROUNDS
from compat.words import Words


@dataclass(frozen=True, slots=True)
class Plan:
    """What is made for one model: of each check one round's bound, and what is not tried and why.

    `once`: when everything works at once; the number of requests is exact. `at_most`: when nothing
    does, and every check is sent three times.
    """

    model: str
    checks: Mapping[str, Bound]
    not_tried: Mapping[str, Words]
    worst: Mapping[str, Bound]

    @property
    def once(self) -> Bound:
        return _sum(self.checks.values())

    @property
    def at_most(self) -> Bound:
        return _sum(self.worst.values()).times(MOST_ROUNDS)


def plan(checks: Sequence[Check], setting: Setting) -> Plan:
    """The plan of one model."""
    reasons = {check.id: check.not_tried(setting) for check in checks}
    tried = [check for check in checks if reasons[check.id] is None]
    return Plan(
        setting.model,
        {check.id: check.bound(setting, works=True) for check in tried},
        {name: why for name, why in reasons.items() if why is not None},
        {check.id: check.bound(setting) for check in tried},
    )


def cost(bound: Bound, input_price: float, output_price: float) -> float:
    """The most that a bound costs, by prices per million tokens."""
    return (bound.prompt_tokens * input_price + bound.output_tokens * output_price) / 1e6


@dataclass(frozen=True, slots=True)
class Outlook:
    """What the survey of a model may use: `once` where everything works, `reasoning` the same where
    the model turns out to reason, `most` where nothing works (and it may reason). What a rate limit
    refuses and is sent again is not counted: it costs nothing."""

    once: Bound
    reasoning: Bound
    most: Bound


def outlook(checks: Sequence[Check], setting: Setting, looks: int) -> Outlook:
    """The outlook; the first check is sent at most `looks` times to learn about the model."""
    reasons = replace(setting, reasons=True)
    learning = checks[0].bound(reasons).times(looks - 1)
    return Outlook(
        plan(checks, setting).once,
        plan(checks, reasons).once.plus(checks[0].bound(setting)),
        plan(checks, reasons).at_most.plus(learning),
    )


def _sum(bounds: Iterable[Bound]) -> Bound:
    total = Bound()
    for one in bounds:
        total = total.plus(one)
    return total
