"""Events of workers: lost, back, or late. Pure."""

from dataclasses import dataclass
from typing import ClassVar

from recording.events.event import Event
from recording.reasons import Reason


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
