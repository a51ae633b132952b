"""The run's budget on the node that commands it: dealt out to the generators phase by phase. Pure.

Each generator gets an equal share of what is left and keeps to it by itself (rules/budget.py),
for a request must not wait for a message. When a phase is over, what each has spent is taken off.
A generator that was lost is taken to have spent its whole share: nobody knows better.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from rules.budget import MONEY, TOKENS, Budget, Kind
from rules.prices import Prices

Report = Mapping[str, Any]
"""A budget in a message: unit, limit, spent, seen and what else Budget.as_dict says."""


@dataclass(slots=True)
class RunBudget:
    """What the run may use in all, by unit; a unit that is not limited is absent."""

    limits: dict[str, float] = field(default_factory=dict)
    spent: dict[str, float] = field(default_factory=dict)
    largest_underestimate: dict[str, float] = field(default_factory=dict)
    unstated: dict[str, int] = field(default_factory=dict)
    _seen: dict[str, Budget] = field(default_factory=dict)
    _dealt: dict[str, float] = field(default_factory=dict)

    @classmethod
    def of(
        cls,
        money: float,
        tokens: int,
        spent: Mapping[str, float] | None = None,
        known: Mapping[str, Budget] | None = None,
    ) -> "RunBudget":
        """A budget; 0 is no limit. `spent`, `known`: by earlier attempts at the run."""
        asked = {MONEY: money, TOKENS: float(tokens)}
        limits = {unit: limit for unit, limit in asked.items() if limit > 0}
        before = {unit: (spent or {}).get(unit, 0.0) for unit in limits}
        return cls(
            limits, before, _seen={u: (known or {}).get(u) or Budget.of(u, 0.0) for u in limits}
        )

    @property
    def kinds(self) -> set[Kind]:
        """The kinds of request of which it knows what they use, in every unit that is limited."""
        known = [budget.seen.keys() for budget in self._seen.values()]
        return set.intersection(*map(set, known)) if known else set()

    def left(self, unit: str) -> float | None:
        """What is left of a unit, as of the last phase that ended; None: it is not limited."""
        limit = self.limits.get(unit)
        return None if limit is None else limit - self.spent[unit]

    def share(self, generators: int) -> list[dict[str, Any]]:
        """The budgets of one generator of so many, for a message."""
        dealt = []
        for unit, limit in self.limits.items():
            self._dealt[unit] = max(0.0, limit - self.spent[unit]) / generators
            seen = self._seen[unit].experience()
            dealt.append({"unit": unit, "limit": self._dealt[unit], "seen": seen})
        return dealt

    def take(self, reports: Sequence[Sequence[Report] | None]) -> None:
        """Take off what each generator has spent; None: it was lost."""
        for report in reports:
            if report is None:
                for unit, dealt in self._dealt.items():
                    self.spent[unit] += dealt
                continue
            for said in report:
                unit = said["unit"]
                self.spent[unit] += said["spent"]
                most = max(self.largest_underestimate.get(unit, 0.0), said["largest_underestimate"])
                self.largest_underestimate[unit] = most
                self.unstated[unit] = self.unstated.get(unit, 0) + said["unstated"]
                self._seen[unit].learn_from(said["seen"])

    def as_dict(self) -> dict[str, Any]:
        """What the event log says of it, by unit."""
        return {
            unit: {
                "limit": limit,
                "spent": round(self.spent[unit], 9),
                "largest_underestimate": self.largest_underestimate.get(unit, 0.0),
                "unstated": self.unstated.get(unit, 0),
            }
            for unit, limit in self.limits.items()
        }


def opened(shares: Sequence[Report], prices: Prices | None = None) -> list[Budget]:
    """A generator's budgets of the shares that it was dealt; money by the price table, if any."""
    budgets = []
    for share in shares:
        made = Budget.of(share["unit"], share["limit"])
        if prices is not None and made.unit == MONEY:
            made.priced = prices.worst
        made.learn_from(share["seen"])
        budgets.append(made)
    return budgets


def report(budgets: Sequence[Budget]) -> list[Report]:
    """What a generator says of its budgets when its phase is over."""
    return [{"unit": p.unit, "seen": p.experience(), **p.as_dict()} for p in budgets]
