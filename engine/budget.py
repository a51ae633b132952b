"""The run's budget on the commanding node, divided among the generators phase by phase. Pure.

Each generator gets an equal share of what is left and enforces it locally (rules/budget.py),
because a request must not wait for a message. After each phase, what each generator has spent is
subtracted. A lost generator counts as having spent its whole share, because its use is unknown.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from recording.events import Account, Accounts
from rules.budget import MONEY, TOKENS, Budget, DealtBudget, Kind, ReportedBudget
from rules.prices import Prices


@dataclass(slots=True)
class RunBudget:
    """The run's limits by unit; an unlimited unit is absent."""

    limits: dict[str, float] = field(default_factory=dict)
    spent: dict[str, float] = field(default_factory=dict)
    largest_underestimate: dict[str, float] = field(default_factory=dict)
    unstated: dict[str, int] = field(default_factory=dict)
    _experience_of: dict[str, Budget] = field(default_factory=dict)
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
        limits_or_zero = {MONEY: money, TOKENS: float(tokens)}
        limits = {unit: limit for unit, limit in limits_or_zero.items() if limit > 0}
        before = {unit: (spent or {}).get(unit, 0.0) for unit in limits}
        return cls(
            limits,
            before,
            _experience_of={u: (known or {}).get(u) or Budget.of(u, 0.0) for u in limits},
        )

    @property
    def kinds(self) -> set[Kind]:
        """The kinds of request with a known use in every limited unit."""
        known = [budget.highest_use.keys() for budget in self._experience_of.values()]
        return set.intersection(*map(set, known)) if known else set()

    def remaining(self, unit: str) -> float | None:
        """What is left of a unit after the last phase that ended; None: it is not limited."""
        limit = self.limits.get(unit)
        return None if limit is None else limit - self.spent[unit]

    def share(self, generators: int) -> list[DealtBudget]:
        """The budgets of one of several generators."""
        dealt = []
        for unit, limit in self.limits.items():
            self._dealt[unit] = max(0.0, limit - self.spent[unit]) / generators
            experience = self._experience_of[unit].experience()
            dealt.append(DealtBudget(unit, self._dealt[unit], experience))
        return dealt

    def take(self, reports: Sequence[Sequence[ReportedBudget] | None]) -> None:
        """Subtract what each generator has spent; None: it was lost."""
        for report in reports:
            if report is None:
                for unit, dealt in self._dealt.items():
                    self.spent[unit] += dealt
                continue
            for notice in report:
                unit = notice.unit
                self.spent[unit] += notice.spent
                most = max(self.largest_underestimate.get(unit, 0.0), notice.largest_underestimate)
                self.largest_underestimate[unit] = most
                self.unstated[unit] = self.unstated.get(unit, 0) + notice.unstated
                self._experience_of[unit].learn_from(notice.experience)

    def accounts(self) -> Accounts:
        """What the event log says of it."""
        return Accounts(money=self._account(MONEY), tokens=self._account(TOKENS))

    def _account(self, unit: str) -> Account | None:
        if unit not in self.limits:
            return None
        return Account(
            self.limits[unit],
            round(self.spent[unit], 9),
            self.largest_underestimate.get(unit, 0.0),
            self.unstated.get(unit, 0),
        )


def opened(shares: Sequence[DealtBudget], prices: Prices | None = None) -> list[Budget]:
    """A generator's budgets from its shares; money by the price table, if any."""
    budgets = []
    for share in shares:
        budget = Budget.of(share.unit, share.limit)
        if prices is not None and budget.unit == MONEY:
            budget.priced = prices.worst
        budget.learn_from(share.experience)
        budgets.append(budget)
    return budgets
