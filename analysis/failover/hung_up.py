"""Whether upstreams went on writing after we had hung up, and what they charged for it.

A request that was cancelled on purpose joins the attempts that a gateway made for it. An upstream
went on if it wrote for more than LATE_S after the connection was closed here: a disconnect that is
passed on is noticed at the next write or two. A reply that was over by then is not judged.
"""

from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass
from decimal import Decimal
from statistics import median
from typing import Any

from analysis.failover.joined import check_joined
from analysis.failover.upstream_log import Attempt, UpstreamLog
from analysis.reading.load import Run, RunError
from analysis.reading.moment import moment
from analysis.reconcile.joining import NAMES, Names, known
from recording.outcome import Outcome

LATE_S = 1.0
_COLUMNS = (*NAMES, "phase", "outcome", "timestamp", "cancel_after", "chunks", "elapsed_sec")


@dataclass(frozen=True, slots=True)
class CancelledRequest:
    """One request that we hung up on. Unix seconds; None: not known."""

    closed_unix_s: float | None
    chunks: int | None
    attempts: tuple[Attempt, ...]

    @property
    def went_on_s(self) -> float | None:
        """The longest time that an upstream wrote after we had left; None: not known."""
        if self.closed_unix_s is None or not self.attempts:
            return None
        ends = [
            attempt.until_unix_s or attempt.ended_unix_s or attempt.arrived_unix_s
            for attempt in self.attempts
        ]
        return max(0.0, max(ends) - self.closed_unix_s)

    @property
    def noticed(self) -> bool:
        """Whether every upstream that was asked noticed that its client had left."""
        return bool(self.attempts) and all(
            attempt.gone_unix_s is not None for attempt in self.attempts
        )

    @property
    def asked_after(self) -> int:
        """Attempts that arrived after the connection was closed here: a first one more than LATE_S
        after, for it may have been on its way; any other at once.
        """
        closed = self.closed_unix_s
        if closed is None or not self.attempts:
            return 0
        first, *others = sorted(attempt.arrived_unix_s for attempt in self.attempts)
        return (first > closed + LATE_S) + sum(arrived > closed for arrived in others)

    @property
    def tokens(self) -> int | None:
        """Output tokens that the upstreams wrote for it."""
        counts = [attempt.tokens for attempt in self.attempts if attempt.tokens is not None]
        return sum(counts) if counts else None

    @property
    def billed(self) -> Decimal:
        """What the upstreams charged for it."""
        return sum((attempt.billed for attempt in self.attempts), Decimal(0))


@dataclass(frozen=True, slots=True)
class HungUp:
    """The cancelled requests of a phase that were to be cancelled at one moment.

    `arrived` reached an upstream, `noticed` were missed there, `went_on` were written for more than
    LATE_S longer; for `again` of them the gateway asked an upstream `asked_after` times afterwards.
    Times in seconds, money exact; `whole` is what the same number of answered requests of the phase
    were charged (None: there are none).
    """

    phase: str
    when: str
    requests: int
    arrived: int
    noticed: int
    went_on: int
    again: int
    asked_after: int
    went_on_p50_s: float | None
    went_on_max_s: float | None
    chunks_p50: float | None
    tokens_p50: float | None
    tokens_max: int | None
    charged: Decimal
    whole: Decimal | None


@dataclass(frozen=True, slots=True)
class Statement:
    """The phases of a run with cancelled requests; its clock and the upstreams' differ by at least
    `apart_s` seconds.
    """

    run: Run
    phases: Sequence[HungUp]
    apart_s: float


def hung_up(run: Run, log: UpstreamLog) -> Statement:
    """Join the cancelled requests of a run with the log behind its gateway. Raises RunError."""
    run = run.gateway_alone()
    frame = run.rows.frame(list(_COLUMNS))
    names, matched = Names(frame), defaultdict[int, list[Attempt]](list)
    for attempt in log.attempts:
        if (place := names.place(attempt.ids)) is not None:
            matched[place].append(attempt)
    check_joined(log, sum(map(len, matched.values())))
    cancelled = defaultdict[tuple[str, str], list[CancelledRequest]](list)
    charges_of_answered = defaultdict[str, list[Decimal]](list)
    apart = [0.0]
    rows = zip(*(known(frame[name]) for name in _COLUMNS), strict=True)
    for place, row in enumerate(rows):
        phase, outcome, label, when, chunks, elapsed_s = row[len(NAMES) :]
        attempts = tuple(matched.get(place, ()))
        ended = moment(label)
        closed = None if ended is None else ended.timestamp()
        if closed is not None and attempts:
            apart.append(closed - (elapsed_s or 0.0) - attempts[0].arrived_unix_s)
        if outcome == Outcome.ABANDONED:
            cancelled[phase, when or ""].append(CancelledRequest(closed, chunks, attempts))
        elif outcome == Outcome.OK and when is None and attempts:
            charges_of_answered[phase].append(sum((each.billed for each in attempts), Decimal(0)))
    if not cancelled:
        raise RunError(
            "no request of this run was cancelled on purpose: use a run made with --cancel-after, "
            "or of mode billing."
        )
    phases = [
        _of(phase, when, group, charges_of_answered[phase])
        for (phase, when), group in cancelled.items()
    ]
    return Statement(run, phases, max(apart))


def _of(
    phase: str,
    when: str,
    requests: Sequence[CancelledRequest],
    charges_of_answered: Sequence[Decimal],
) -> HungUp:
    went_on_s = [request.went_on_s for request in requests if request.went_on_s is not None]
    tokens = [request.tokens for request in requests if request.tokens is not None]
    return HungUp(
        phase=phase,
        when=when,
        requests=len(requests),
        arrived=sum(bool(request.attempts) for request in requests),
        noticed=sum(request.noticed for request in requests),
        went_on=sum(request > LATE_S for request in went_on_s),
        again=sum(bool(request.asked_after) for request in requests),
        asked_after=sum(request.asked_after for request in requests),
        went_on_p50_s=_median(went_on_s),
        went_on_max_s=max(went_on_s, default=None),
        chunks_p50=_median([request.chunks for request in requests if request.chunks is not None]),
        tokens_p50=_median(tokens),
        tokens_max=max(tokens, default=None),
        charged=sum((request.billed for request in requests), Decimal(0)),
        whole=sum(charges_of_answered, Decimal(0)) / len(charges_of_answered) * len(requests)
        if charges_of_answered
        else None,
    )


def _median(values: Sequence[Any]) -> float | None:
    return float(median(values)) if values else None
