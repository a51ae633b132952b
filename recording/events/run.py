"""Events of the run as a whole: its start, its end, its budgets. Pure."""

from dataclasses import dataclass
from typing import ClassVar

from recording.events.event import Event
from recording.reasons import Reason


@dataclass(frozen=True, slots=True, kw_only=True)
class RunStart(Event):
    """An attempt at the run begins with these generators."""

    name: ClassVar[str] = "run_start"
    run_id: str | None = None
    generators: tuple[str, ...] = ()
    resumed: bool | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Doubtful(Event):
    """The free check before the run found something doubtful: `kind` is base_url or model."""

    name: ClassVar[str] = "doubt"
    kind: str | None = None
    asked: str | None = None
    near: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Stopped(Event):
    """Somebody stopped the run."""

    name: ClassVar[str] = "stopped"
    reason: Reason | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Ended(Event):
    """The run ended before its plan was complete; `reason` is one sentence, which may quote the
    gateway.
    """

    name: ClassVar[str] = "ended"
    cause: Reason | None = None
    reason: str | None = None


@dataclass(frozen=True, slots=True)
class Account:
    """The use of a budget in its unit, over all attempts at the run.

    `largest_underestimate` is the most by which a request exceeded its reservation; `unstated`
    requests did not say what they used.
    """

    limit: float
    spent: float
    largest_underestimate: float
    unstated: float


@dataclass(frozen=True, slots=True, kw_only=True)
class Accounts(Event):
    """The use of the run's budgets."""

    name: ClassVar[str] = "accounts"
    money: Account | None = None
    tokens: Account | None = None

    def unit(self, name: str) -> Account | None:
        """The account of `money` or `tokens`."""
        return self.money if name == "money" else self.tokens


@dataclass(frozen=True, slots=True, kw_only=True)
class Failed(Event):
    """The run ended because of a fault in Weighbridge."""

    name: ClassVar[str] = "failed"
    error: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class RunEnd(Event):
    """An attempt at the run is over; `foreign_rows` is how many rows of other runs were refused."""

    name: ClassVar[str] = "run_end"
    completed: bool | None = None
    foreign_rows: int | None = None
