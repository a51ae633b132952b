"""Live counts over a phase or a period of time, record by record. Pure."""

from collections import Counter
from dataclasses import dataclass, field

from recording.not_sent import Unsent
from recording.outcome import ON_PURPOSE, Outcome
from recording.record import RequestRecord


@dataclass(slots=True)
class Tally:
    """What has been recorded so far."""

    done: int = 0
    dropped: int = 0
    succeeded: int = 0
    outcomes: Counter[str] = field(default_factory=Counter)
    total_tokens: int = 0
    cost: float | None = None
    unpriced: int = 0  # successes without a stated cost
    last_done_s: float = 0.0
    waited_for_budget: bool = False  # some did, until the rest of it covered their worst case

    def add(self, record: RequestRecord) -> None:
        """Count one record."""
        self.outcomes[record.outcome] += 1
        if record.outcome == Outcome.DROPPED:
            self.dropped += 1
            return
        self.done += 1
        self.succeeded += record.success
        self.last_done_s = max(self.last_done_s, record.done_offset_s or 0.0)
        if record.success:
            self.total_tokens += record.total_tokens or 0
        if record.api_cost is not None:
            self.cost = (self.cost or 0.0) + record.api_cost
        else:
            self.unpriced += record.success

    def leave(self, unsent: Unsent) -> None:
        """Count planned requests that were not sent."""
        self.outcomes[Outcome.DROPPED] += unsent.count
        self.dropped += unsent.count

    def merge(self, other: "Tally") -> None:
        """Add the counts of another tally."""
        self.done += other.done
        self.dropped += other.dropped
        self.succeeded += other.succeeded
        self.outcomes.update(other.outcomes)
        self.total_tokens += other.total_tokens
        if other.cost is not None:
            self.cost = (self.cost or 0.0) + other.cost
        self.unpriced += other.unpriced
        self.last_done_s = max(self.last_done_s, other.last_done_s)
        self.waited_for_budget = self.waited_for_budget or other.waited_for_budget

    @property
    def failed(self) -> int:
        """Requests that were sent, were not cancelled on purpose, and did not succeed."""
        return self.done - self.succeeded - sum(self.outcomes[name] for name in ON_PURPOSE)
