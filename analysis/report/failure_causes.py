"""Why the requests of a phase failed: outcome, status and the most frequent message."""

import re
from dataclasses import dataclass
from typing import Any

from analysis.report.view import View
from recording.outcome import ENDED_BY_US

_SAMPLE = 500  # at most about twice so many messages are read: texts take much memory
_VARIABLE = re.compile(r"[0-9a-fA-F-]{8,}|\d+")
"""What may differ between messages of one kind: ids, counts, times to wait."""


@dataclass(frozen=True, slots=True)
class Cause:
    """Failures of one kind. `words` is the most frequent message as received; empty: none."""

    outcome: str
    status: int | None
    count: int
    words: str


@dataclass(frozen=True, slots=True)
class Failures:
    """The number of a phase's sent requests, and the causes of its failures, most frequent first.

    Requests that we ended ourselves (`dropped`, `cancelled`), or that were to be cancelled on
    purpose, count neither as sent nor as failed.
    """

    sent: int
    causes: tuple[Cause, ...]

    @property
    def failed(self) -> int:
        """How many failed."""
        return sum(cause.count for cause in self.causes)

    @property
    def share(self) -> float:
        """Failed / sent; 0 if nothing was sent."""
        return self.failed / self.sent if self.sent else 0.0


def failures(view: View, phase: str, expected: frozenset[str] = frozenset()) -> Failures:
    """The failures of a phase; outcomes in `expected` do not count."""
    import numpy as np

    frame = view.run.rows.frame(["outcome", "http_status", "success", "cancel_after"], phase)
    sent = frame.loc[~frame["outcome"].isin(ENDED_BY_US) & frame["cancel_after"].isna()]
    failed = sent.loc[~sent["success"] & ~sent["outcome"].isin(expected)]
    key = ["outcome", "http_status"]
    kind = failed.groupby(key, dropna=False, sort=False).ngroup().to_numpy()
    kinds = failed.drop_duplicates(key)
    counts = np.bincount(kind, minlength=len(kinds))
    causes = [
        Cause(
            str(row["outcome"]),
            None if np.isnan(status := float(row["http_status"])) else int(status),
            int(counts[number]),
            _words(view, failed.index[kind == number].to_numpy()),
        )
        for number, row in enumerate(kinds.astype({"http_status": float}).to_dict("records"))
    ]
    return Failures(len(sent), tuple(sorted(causes, key=lambda cause: -cause.count)))


def _words(view: View, places: Any) -> str:
    """The most frequent message of the rows, ignoring numbers and ids in it."""
    step = max(1, len(places) // _SAMPLE)
    frame = view.run.rows.at(places[::step].tolist(), ["error_message"])
    alike: dict[str, list[str]] = {}
    for message in frame["error_message"].dropna():
        alike.setdefault(_VARIABLE.sub("#", message), []).append(str(message))
    return max(alike.values(), key=len)[0] if alike else ""
