"""The events of a run, as events.jsonl holds them: one class per event. Pure.

A line of the file is a JSON object: `at`, its wall time in ISO 8601; `event`, its name; and the
fields of its class. A field that is None (unknown, or none) is left out. Lines of an earlier
version lack the fields that were added later; unknown fields of a later version are ignored.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from recording.events.event import Event
from recording.events.phase import (
    BodyChanged,
    LoopLag,
    NotSent,
    PacerReport,
    PhaseEnd,
    PhaseSkipped,
    PhaseStart,
    PrecisionReached,
    Uncalibrated,
)
from recording.events.run import (
    Account,
    Accounts,
    Doubtful,
    Ended,
    Failed,
    RunEnd,
    RunStart,
    Stopped,
)
from recording.events.trip import (
    BudgetSpent,
    PaymentRequired,
    Refused,
    RunTripped,
    StopRule,
    Trip,
    Unpriced,
    Unwritable,
)
from recording.events.worker import WorkerBack, WorkerLate, WorkerLost

__all__ = [
    "EVENTS", "Account", "Accounts", "BodyChanged", "BudgetSpent", "Doubtful", "Ended", "Event",
    "Failed", "LoopLag", "NotSent", "PacerReport", "PaymentRequired", "PhaseEnd", "PhaseSkipped",
    "PhaseStart", "PrecisionReached", "Refused", "RunEnd", "RunStart", "RunTripped", "StopRule",
    "Stopped", "Trip", "Uncalibrated", "Unknown", "Unpriced", "Unwritable", "WorkerBack",
    "WorkerLate", "WorkerLost", "typed",
]  # fmt: skip

EVENTS: dict[str, type[Event]] = {
    kind.name: kind
    for kind in (
        RunStart, Doubtful, PhaseStart, PhaseEnd, PhaseSkipped, NotSent, WorkerLost, WorkerBack,
        WorkerLate, BodyChanged, StopRule, Refused, PrecisionReached, BudgetSpent, Unpriced,
        PaymentRequired, Unwritable, Stopped, Ended, Uncalibrated, Accounts, Failed, RunEnd,
    )
}  # fmt: skip
"""Every event by its name. To add one, write its class in the file of what it happens to (the run,
a phase, a worker; a trip ends one of them) and add it here."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Unknown(Event):
    """An event of another version or program, under its original `event` name."""

    event: str = ""


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
