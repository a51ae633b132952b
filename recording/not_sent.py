"""Planned requests that were not sent, in one line: a stopped window may have a million left. Pure.

Each generator reports once per phase which of its requests it never began: every `step`-th index
from `first` to `last`. The line is an event of events.jsonl (`not_sent`). If there is also a row of
the same request, the row counts: a resumed run sends what an earlier attempt did not.
"""

from collections.abc import Mapping
from dataclasses import asdict, dataclass, fields
from typing import Any

EVENT = "not_sent"


@dataclass(frozen=True, slots=True, kw_only=True)
class Unsent:
    """`count` requests of a phase, none of which was handed to a user; `reason` is why.

    Their indices are `first`, `first + step`, ... up to `last`, except those that an earlier
    attempt has finished. They were due from `due_first_s` to `due_last_s` after the phase began
    (None: as soon as a user was free). `attempt` is the attempt at the run, from 1, that left them.
    """

    run_id: str
    worker: str
    phase: str
    model: str
    first: int
    last: int
    step: int
    count: int
    reason: str
    due_first_s: float | None = None
    due_last_s: float | None = None
    attempt: int = 1

    @classmethod
    def of(cls, stored: Mapping[str, Any]) -> "Unsent":
        """The inverse of `as_dict`, also for an event. Raises ValueError for anything else."""
        values: dict[str, Any] = {item.name: stored.get(item.name) for item in fields(cls)}
        whole_numbers = [values[name] for name in ("first", "last", "step", "count", "attempt")]
        texts = [values[name] for name in ("run_id", "worker", "phase", "model", "reason")]
        if not all(type(number) is int for number in whole_numbers) or not all(
            isinstance(text, str) for text in texts
        ):
            raise ValueError("it does not say which requests were not sent")
        dues = (values["due_first_s"], values["due_last_s"])
        if not all(due is None or isinstance(due, int | float) for due in dues):
            raise ValueError("it does not say when they were due")
        unsent = cls(**values)
        if unsent.first < 0 or unsent.step < 1 or not 0 <= unsent.count <= len(unsent.indices):
            raise ValueError("it does not say which requests were not sent")
        return unsent

    def as_dict(self) -> dict[str, Any]:
        """The line as plain data, for a message and for the event log."""
        return asdict(self)

    @property
    def indices(self) -> range:
        """The indices it covers, including those that an earlier attempt has finished."""
        return range(self.first, self.last + 1, self.step)
