"""Events of one phase: its start, its end, and what it did differently from its plan. Pure."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, ClassVar

from recording.body_change import BodyChange
from recording.events.event import Event
from recording.not_sent import Unsent
from recording.reasons import Reason


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
class PrecisionReached(Event):
    """A phase with two routes was ended after `pairs`: the typical difference is known to
    +/- `half_s` seconds, as `--precision-ms` asked. `after_s`: since the phase began."""

    name: ClassVar[str] = "precision_reached"
    pairs: int | None = None
    half_s: float | None = None
    after_s: float | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Uncalibrated(Event):
    """A token window has no calibration by which to size its prompts."""

    name: ClassVar[str] = "uncalibrated"
    reason: Reason | None = None
