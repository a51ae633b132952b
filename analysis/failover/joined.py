"""Joins each request with the gateway's attempts for it, and the fault that it met."""

from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from analysis.failover.upstream_log import DEAD, Attempt, UpstreamLog, Window
from analysis.reading.load import Run, RunError
from analysis.reading.moment import moment
from analysis.reconcile.joining import NAMES, Names, known
from recording.outcome import ON_PURPOSE, Outcome

_COLUMNS = (
    *NAMES, "outcome", "http_status", "elapsed_sec", "timestamp", "stream", "retry_after_s",
    "marker_ok", "content", "refused_sends",
)  # fmt: skip

_OURS = frozenset({Outcome.DROPPED, Outcome.CANCELLED, *ON_PURPOSE, None})
"""Outcomes of requests that were never sent, or that we left ourselves: no gateway failed them."""


@dataclass(frozen=True, slots=True)
class Request:
    """One request that was sent. Seconds, Unix seconds; None: not known.

    `window` is the first fault that it met: that of an attempt, else that of an upstream that was
    dead when it was sent.
    """

    task_id: str | None
    outcome: str
    status: int | None
    elapsed_s: float | None
    sent_unix_s: float | None
    stream: bool
    retry_after_s: float | None
    marker_ok: bool | None
    content: str | None
    attempts: tuple[Attempt, ...]
    window: Window | None

    @property
    def ok(self) -> bool:
        """Whether the client had its answer."""
        return self.outcome == Outcome.OK

    @property
    def answering(self) -> Attempt | None:
        """The attempt whose answer the client was given: the last whole one; None: none."""
        return next(
            (attempt for attempt in reversed(self.attempts) if self.ok and attempt.answered), None
        )


@dataclass(frozen=True, slots=True)
class Joined:
    """A run's requests with their attempts; `foreign` are attempts that name none of them.

    `apart_s` is by how many seconds, at least, the upstream's clock is behind the run's.
    """

    run: Run
    log: UpstreamLog
    requests: Sequence[Request]
    foreign: int
    apart_s: float


def join(run: Run, log: UpstreamLog) -> Joined:
    """Join a run with the log behind its gateway. Raises RunError where nothing can be joined."""
    run = run.gateway_alone()
    frame = run.rows.frame(list(_COLUMNS))
    names = Names(frame)
    matched: dict[int, list[Attempt]] = defaultdict(list)
    foreign = 0
    for attempt in log.attempts:
        place = names.place(attempt.ids)
        if place is None:
            foreign += 1
        else:
            matched[place].append(attempt)
    check_joined(log, sum(map(len, matched.values())))
    rows = zip(*(known(frame[name]) for name in _COLUMNS), strict=True)
    requests = [
        _request(row, matched.get(place, []), log.windows)
        for place, row in enumerate(rows)
        if row[len(NAMES)] not in _OURS
    ]
    apart = [
        request.attempts[0].arrived_unix_s - request.sent_unix_s
        for request in requests
        if request.attempts and request.sent_unix_s is not None
    ]
    return Joined(run, log, requests, foreign, max(0.0, -min(apart, default=0.0)))


def check_joined(log: UpstreamLog, matched: int) -> None:
    """Check that the attempts that belong to a run's requests are known: `matched` of them joined.

    Where most attempts have no name, a request without attempts may have had several. Raises
    RunError.
    """
    nameless, count = sum(not attempt.ids for attempt in log.attempts), len(log.attempts)
    if nameless > matched:
        raise RunError(
            f"{nameless} of {count} attempts in the upstream's log have neither a task_id nor a "
            "trace id: let the gateway pass on the body's task_id (of streams: run with "
            "--task-id-on-streams) or the traceparent."
        )
    if count and not matched:
        raise RunError(
            "the upstream's log names no request of this run: give the log of the same hour."
        )


def _request(row: tuple[Any, ...], attempts: list[Attempt], windows: Sequence[Window]) -> Request:
    named = len(NAMES)
    task_id, (outcome, status, elapsed_s, label) = row[0], row[named : named + 4]
    stream, retry_after_s, marker_ok, content, refused = row[named + 4 :]
    if refused:  # we sent it again ourselves, without a field that was refused
        attempts = [
            attempt
            for attempt in attempts
            if attempt.fault or attempt.status not in (400, 404, 422)
        ]
    ended = moment(label)
    sent = None if ended is None else ended.timestamp() - (elapsed_s or 0.0)
    return Request(
        task_id, outcome, status, elapsed_s, sent, bool(stream), retry_after_s, marker_ok, content,
        tuple(attempts), _met(attempts, sent, windows),
    )  # fmt: skip


def _met(
    attempts: Sequence[Attempt], sent: float | None, windows: Sequence[Window]
) -> Window | None:
    for attempt in attempts:
        for window in windows:
            if window.met(attempt):
                return window
    if sent is None:
        return None
    return next(
        (possible for possible in windows if possible.fault == DEAD and possible.holds(sent)), None
    )
