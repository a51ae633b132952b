"""What a generator met that ends its phase, or the whole run. Pure."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import ClassVar

from recording.events.event import Event


@dataclass(frozen=True, slots=True, kw_only=True)
class Trip(Event):
    """Something a generator met that ends at least its phase; `generator` is its name."""

    generator: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class StopRule(Trip):
    """The stop rule ended a phase: `counted` of the last `completed` requests failed."""

    name: ClassVar[str] = "stop_rule"
    counted: int | None = None
    completed: int | None = None
    outcomes: Mapping[str, int] | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Refused(Trip):
    """The first (or last) `counted` requests all ended in the same refusal; `ends` is what that
    ends, `arm` the route that they took (recording/arms.py; absent: there is only one).
    """

    name: ClassVar[str] = "refused"
    ends: str | None = None
    which: str | None = None
    counted: int | None = None
    outcome: str | None = None
    http_status: int | None = None
    words: str | None = None
    arm: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class RunTripped(Trip):
    """Something a generator met that ends the run; `budgets` are its budgets at that moment."""

    budgets: tuple[Mapping[str, float], ...] | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class BudgetSpent(RunTripped):
    """The next request may need more than the budget has left."""

    name: ClassVar[str] = "budget"


@dataclass(frozen=True, slots=True, kw_only=True)
class Unpriced(RunTripped):
    """Answers do not state what they used, so a budget cannot be kept."""

    name: ClassVar[str] = "unpriced"


@dataclass(frozen=True, slots=True, kw_only=True)
class PaymentRequired(RunTripped):
    """The gateway wants payment."""

    name: ClassVar[str] = "payment_required"


@dataclass(frozen=True, slots=True, kw_only=True)
class Unwritable(RunTripped):
    """A generator's rows cannot be written."""

    name: ClassVar[str] = "unwritable"
