"""Failures and their error messages, as the page shows them during the run. Pure."""

from collections import Counter
from typing import Any

from recording.outcome import Outcome
from recording.record import RequestRecord
from recording.untrusted_text import printable, quoted

MOST_KINDS = 200
"""The most kinds that are counted: a gateway may send a new message every time."""
MOST_SHOWN = 8
_SHOWN_CHARS = 300


class Failures:
    """Counts failures by phase, outcome, HTTP status and the gateway's message."""

    def __init__(self) -> None:
        self._kinds: Counter[tuple[str, str, str]] = Counter()
        self._others = 0

    def add(self, record: RequestRecord) -> None:
        """Adds one record. A request that was never sent is not a failure here."""
        if record.success or record.outcome == Outcome.DROPPED:
            return
        status = "" if record.http_status is None else f" (HTTP {record.http_status})"
        words = quoted(record.error_message or "", _SHOWN_CHARS)
        kind = (printable(record.phase), f"{record.outcome}{status}", words)
        if kind in self._kinds or len(self._kinds) < MOST_KINDS:
            self._kinds[kind] += 1
        else:
            self._others += 1

    def rows(self) -> list[dict[str, Any]]:
        """The commonest kinds; the rest, if any, as one row without a message."""
        top = self._kinds.most_common(MOST_SHOWN)
        rows: list[dict[str, Any]] = [
            {"times": count, "phase": phase, "outcome": outcome, "said": words}
            for (phase, outcome, words), count in top
        ]
        rest = self._kinds.total() - sum(count for _, count in top) + self._others
        if rest:
            rows.append({"times": rest, "phase": "", "outcome": "...", "said": ""})
        return rows
