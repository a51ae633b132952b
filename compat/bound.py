"""What the checks may use at most, before anything is sent. Pure."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

from compat.check import Bound, Check, Setting, Words
from compat.verdict import MOST_ROUNDS


@dataclass(frozen=True, slots=True)
class Plan:
    """What is made for one model: of each check one round's bound, and what is not tried and why.

    `once`: when everything works at once. `at_most`: when nothing does, and every check is sent
    three times.
    """

    model: str
    checks: Mapping[str, Bound]
    not_tried: Mapping[str, Words]

    @property
    def once(self) -> Bound:
        return _sum(self.checks.values())

    @property
    def at_most(self) -> Bound:
        return self.once.times(MOST_ROUNDS)


def plan(checks: Sequence[Check], setting: Setting) -> Plan:
    """The plan of one model."""
    reasons = {check.id: check.not_tried(setting) for check in checks}
    return Plan(
        setting.model,
        {check.id: check.bound(setting) for check in checks if reasons[check.id] is None},
        {name: why for name, why in reasons.items() if why is not None},
    )


def cost(bound: Bound, input_price: float, output_price: float) -> float:
    """The most that a bound costs, by prices per million tokens."""
    return (bound.prompt_tokens * input_price + bound.output_tokens * output_price) / 1e6


def _sum(bounds: Iterable[Bound]) -> Bound:
    total = Bound()
    for one in bounds:
        total = total.plus(one)
    return total
