"""Upper bounds of what the checks may use, known before anything is sent. Pure."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace

from compat.check import Bound, Check, Setting
from compat.verdict import MOST_ROUNDS
from recording.bilingual import Bilingual


@dataclass(frozen=True, slots=True)
class Plan:
    """What is planned for one model: the bound of one round of each check, and what is not tried.

    `not_tried` gives the reason for each check that is left out. `once` is the use if everything
    works the first time; its number of requests is exact. `at_most` is the use if nothing works
    and every check is sent three times.
    """

    model: str
    checks: Mapping[str, Bound]
    not_tried: Mapping[str, Bilingual]
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
    """The most that a bound can cost, given prices per million tokens."""
    return (bound.prompt_tokens * input_price + bound.output_tokens * output_price) / 1e6


@dataclass(frozen=True, slots=True)
class Outlook:
    """What the survey of a model may use.

    `once`: if everything works; `reasoning`: the same, if the model turns out to reason; `most`: if
    nothing works and the model reasons. Requests that a rate limit refuses and that are sent again
    are not counted: they cost nothing.
    """

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
    for bound in bounds:
        total = total.plus(bound)
    return total
