"""The row of a request: what every row states, and the rows of requests without an answer."""

from collections.abc import Sequence
from datetime import UTC, datetime
from typing import Any

from recording.outcome import Outcome
from recording.record import CONTENT_LIMIT_CHARS, RequestRecord
from recording.redaction import redacted
from tasks.job import Job, Origin
from tasks.wire import Wire


def row(job: Job, origin: Origin, **facts: Any) -> RequestRecord:
    """The row of a request with these columns, beside those that its phase and job decide."""
    phase = job.phase
    return RequestRecord(
        run_id=origin.run_id,
        timestamp=datetime.now(UTC).isoformat(),
        worker=origin.worker,
        attempt=origin.attempt,
        phase=phase.name,
        mode=phase.mode,
        scenario=phase.scenario,
        target=phase.target,
        duration_s=phase.duration_s,
        model_requested=job.model,
        arm=job.arm or None,
        task_id=phase.task_id(job.index),
        stream=phase.stream,
        request_index=job.index,
        cancel_after=None if job.cancel is None else str(job.cancel),
        scheduled_offset_s=since(job.began + job.moved_s, job.due),
        **{"max_tokens": phase.max_tokens, **facts},
    )


def planned_only(job: Job, origin: Origin, why: str) -> RequestRecord:
    """The row of a request that was planned and never sent."""
    return row(
        job,
        origin,
        outcome=Outcome.DROPPED.value,
        success=False,
        error_type="dropped",
        error_message=why,
    )


def unread(job: Job, origin: Origin, wire: Wire, error: Exception) -> RequestRecord:
    """The row of a request of which a fault in Weighbridge left only its times."""
    kind = type(error).__name__
    text = kind if origin.mute else guarded(f"{kind}: {error}", origin.secret)
    return row(
        job,
        origin,
        outcome=Outcome.INTERNAL_ERROR.value,
        success=False,
        sent_offset_s=since(job.began, wire.sent),
        done_offset_s=since(job.began, wire.now()),
        send_lag_s=since(job.due, wire.sent),
        http_status=wire.status,
        in_flight=job.in_flight,
        error_type=kind,
        error_message=text,
    )


def lost(job: Job, origin: Origin) -> RequestRecord:
    """The row of a request whose generator was lost: it is unknown whether it was sent."""
    return row(
        job,
        origin,
        outcome=Outcome.LOST.value,
        success=False,
        error_type="lost",
        error_message="its generator was lost: it may have been sent, and paid for",
    )


def since(start: float | None, end: float | None) -> float | None:
    """Seconds between two moments, to the microsecond; None: one of them is not known."""
    return None if start is None or end is None else round(end - start, 6)


def guarded(value: str, secret: str | Sequence[str]) -> str:
    """Text without the secrets (gateways echo them in errors), cut to the length of a row's
    text.
    """
    return redacted(value, secret)[:CONTENT_LIMIT_CHARS]
