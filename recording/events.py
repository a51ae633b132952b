"""The events of a run as a whole: one class per event of events.jsonl. Pure.

A line of the file is a JSON object: `at`, its wall time in ISO 8601; `event`, its name; and the
fields of its class. A field that is None (unknown, or none) is left out. Lines of an earlier
version lack the fields that were added later; unknown fields of a later version are ignored.
"""

import json
from collections.abc import Mapping
from dataclasses import asdict, dataclass, fields, is_dataclass
from typing import Any, ClassVar

from recording.body_change import BodyChange
from recording.not_sent import Unsent
from recording.reasons import Reason


@dataclass(frozen=True, slots=True, kw_only=True)
class Event:
    """The fields of every event; `phase` is the name of its phase, if it belongs to one.

    `beyond` holds the fields of a line that its class does not know, from another version.
    """

    name: ClassVar[str] = ""
    at: str | None = None
    phase: str | None = None
    beyond: Mapping[str, Any] | None = None

    def as_dict(self) -> dict[str, Any]:
        """The fields of the line without its time; the name comes first."""
        given = {
            item.name: _plain(value)
            for item in fields(self)
            if item.name not in ("at", "beyond") and (value := getattr(self, item.name)) is not None
        }
        return {"event": self.name, **given}

    def details(self) -> str:
        """Its fields beyond name, place and time as text, e.g. `counted: 7, completed: 20`."""
        known = {k: v for k, v in self.as_dict().items() if k not in ("event", "phase")}
        known |= self.beyond or {}
        return ", ".join(
            f"{k}: {v if isinstance(v, str) else json.dumps(v, ensure_ascii=False)}"
            for k, v in known.items()
        )

    @classmethod
    def of(cls, line: Mapping[str, Any]) -> "Event":
        """The event that a well-formed line describes."""
        own = {item.name for item in fields(cls)} - {"beyond"}
        known = {name: _typed(cls, name, line[name]) for name in own & line.keys()}
        beyond = {
            name: value
            for name, value in line.items()
            if name != "event" and value is not None and known.get(name) is None
        }
        return cls(**known, beyond=beyond or None)


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
class PhaseStart(Event):
    """A phase begins at `t0_unix_s`; a clock offset is the master's clock minus the generator's."""

    name: ClassVar[str] = "phase_start"
    t0_unix_s: float | None = None
    generators: tuple[str, ...] = ()
    clock_offsets_s: tuple[float, ...] = ()
    round_trips_s: tuple[float | None, ...] = ()


@dataclass(frozen=True, slots=True)
class LoopLag:
    """How late the event loops of a phase's generators were, in seconds; None: not measured."""

    loop_lag_p99_s: float | None = None
    loop_lag_max_s: float | None = None


@dataclass(frozen=True, slots=True)
class PacerReport:
    """How one generator sized the prompts of a token window; `expected_error` is a share."""

    tokens: float | None = None
    goal_tokens: float | None = None
    expected_error: float | None = None
    least_words: int | None = None
    most_words: int | None = None
    tokens_per_word: float | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class PhaseEnd(Event):
    """A phase has ended. `cut` says what ended it early (empty: nothing; None: unknown).

    `held_by_budget` requests waited until the budget covered them.
    """

    name: ClassVar[str] = "phase_end"
    sent: int | None = None
    dropped: int | None = None
    cut: str | None = None
    generator: LoopLag | None = None
    held_by_budget: int | None = None
    pacers: tuple[PacerReport, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class PhaseSkipped(Event):
    """A phase is left out because the climb, model or run it belongs to has ended."""

    name: ClassVar[str] = "phase_skipped"
    why: Reason | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class NotSent(Event):
    """The requests that a generator planned and did not send, in one line; the fields are those of
    `Unsent`.
    """

    name: ClassVar[str] = "not_sent"
    unsent: Unsent

    def as_dict(self) -> dict[str, Any]:
        """The line's fields."""
        return {"event": self.name, **self.unsent.as_dict()}

    @classmethod
    def of(cls, line: Mapping[str, Any]) -> "NotSent":
        """The event that a line describes. Raises ValueError if it does not say which requests were
        not sent.
        """
        unsent = Unsent.of(line)
        return cls(at=line.get("at"), phase=unsent.phase, unsent=unsent)


@dataclass(frozen=True, slots=True, kw_only=True)
class WorkerLost(Event):
    """A worker's heartbeats stopped."""

    name: ClassVar[str] = "worker_lost"
    worker: str | None = None
    reason: Reason | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class WorkerBack(Event):
    """A lost worker has come back."""

    name: ClassVar[str] = "worker_back"
    worker: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class WorkerLate(Event):
    """A worker joined during the run and gets no work before the next run."""

    name: ClassVar[str] = "worker_late"
    worker: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class BodyChanged(Event):
    """A generator changed how it sends a model's bodies after a refusal."""

    name: ClassVar[str] = "body_changed"
    generator: str | None = None
    change: BodyChange

    def as_dict(self) -> dict[str, Any]:
        """The line's fields."""
        by = {} if self.generator is None else {"generator": self.generator}
        return {"event": self.name, **by, **self.change.as_dict()}

    @classmethod
    def of(cls, line: Mapping[str, Any]) -> "BodyChanged":
        """The event that a well-formed line describes."""
        change = BodyChange.of(line)
        return cls(
            at=line.get("at"), phase=change.phase, generator=line.get("generator"), change=change
        )


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
    ends.
    """

    name: ClassVar[str] = "refused"
    ends: str | None = None
    which: str | None = None
    counted: int | None = None
    outcome: str | None = None
    http_status: int | None = None
    words: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class PrecisionReached(Event):
    """A phase with two routes was ended after `pairs`: the typical difference is known to
    +/- `half_s` seconds, as `--precision-ms` asked. `after_s`: since the phase began."""

    name: ClassVar[str] = "precision_reached"
    pairs: int | None = None
    half_s: float | None = None
    after_s: float | None = None


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


@dataclass(frozen=True, slots=True, kw_only=True)
class Uncalibrated(Event):
    """A token window has no calibration by which to size its prompts."""

    name: ClassVar[str] = "uncalibrated"
    reason: Reason | None = None


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


@dataclass(frozen=True, slots=True, kw_only=True)
class Unknown(Event):
    """An event of another version or program, under its original `event` name."""

    event: str = ""


EVENTS: dict[str, type[Event]] = {
    kind.name: kind
    for kind in (
        RunStart, Doubtful, PhaseStart, PhaseEnd, PhaseSkipped, NotSent, WorkerLost, WorkerBack,
        WorkerLate, BodyChanged, StopRule, Refused, PrecisionReached, BudgetSpent, Unpriced,
        PaymentRequired, Unwritable, Stopped, Ended, Uncalibrated, Accounts, Failed, RunEnd,
    )
}  # fmt: skip
"""Every event by its name. To add one, write a class above and add it here."""


def typed(line: Mapping[str, Any]) -> Event:
    """The event of a well-formed line of events.jsonl. Raises ValueError if it lacks a field that
    its kind needs.
    """
    kind = EVENTS.get(line["event"])
    if kind is None:
        beyond = {k: v for k, v in line.items() if k not in ("at", "phase", "event")}
        at, phase = line.get("at"), line.get("phase")
        return Unknown(at=at, phase=phase, event=line["event"], beyond=beyond)
    try:
        return kind.of(line)
    except (KeyError, TypeError) as error:
        raise ValueError(f"its {kind.name} is damaged ({error})") from None


_NESTED: dict[str, type[Any]] = {
    "generator": LoopLag, "pacers": PacerReport, "money": Account, "tokens": Account,
}  # fmt: skip
_REASONS = ("why", "reason", "cause")


def _typed(kind: type[Event], name: str, value: Any) -> Any:
    """A field of a line, converted to the type that its class declares."""
    if name in _REASONS and (kind is not Ended or name == "cause"):
        return Reason.of(value)
    if isinstance(value, list):
        return tuple(None if element is None else _typed(kind, name, element) for element in value)
    if isinstance(value, Mapping) and name in _NESTED:
        known = {item.name for item in fields(_NESTED[name])}
        return _NESTED[name](**{key: element for key, element in value.items() if key in known})
    return () if value is None and name in _LISTS else value


_LISTS = ("generators", "near", "clock_offsets_s", "round_trips_s", "pacers")


def _plain(value: Any) -> Any:
    if is_dataclass(value) and not isinstance(value, type):
        return asdict(value)
    return [_plain(item) for item in value] if isinstance(value, tuple) else value
