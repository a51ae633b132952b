"""Rows for requests that were in flight when their process died. Pure."""

from collections.abc import Iterable, Mapping, Sequence
from datetime import UTC, datetime
from typing import Any

from recording.arms import arm
from recording.cancel import Cancel
from recording.errors import InputError
from recording.in_flight_file import Orphan
from recording.manifest_content import PlannedPhase
from recording.outcome import Outcome
from recording.record import RequestRecord

WHY = "its process died while it was in flight: it may have been answered, and paid for"


def lost_rows(
    died: Iterable[Orphan], run_id: str, plan: Sequence[PlannedPhase]
) -> list[RequestRecord]:
    """A `lost` row for each request that was in flight when its process died.

    `plan`: the manifest's phases. A request that already has a row of the same attempt is left out.
    Raises InputError if a request belongs to none of the phases.
    """
    planned = {phase["name"]: phase for phase in plan}
    rows = []
    for event in died:
        if event.phase not in planned:
            raise InputError("in-flight-*.bin: one belongs to a phase that is not in the manifest")
        rows.append(_row(event, run_id, planned[event.phase]))
    return rows


def _row(request: Orphan, run_id: str, phase: Mapping[str, Any]) -> RequestRecord:
    seed = str(phase.get("pairs") or "")
    place = request.index // (2 if seed else 1)
    number = int(phase.get("first_number") or 0) + place
    cancel = Cancel.of(phase.get("cancel"))
    return RequestRecord(
        run_id=run_id,
        timestamp=datetime.fromtimestamp(request.sent_unix_s, UTC).isoformat(),
        worker=request.worker,
        attempt=request.attempt,
        phase=request.phase,
        mode=str(phase.get("mode") or ""),
        scenario=str(phase.get("scenario") or ""),
        target=phase.get("target"),
        duration_s=phase.get("duration_s"),
        model_requested=str(phase.get("model") or ""),
        task_id=f"{phase.get('task_prefix') or ''}{number}",
        stream=bool(phase.get("stream")),
        max_tokens=phase.get("max_tokens"),
        request_index=request.index,
        outcome=Outcome.LOST.value,
        success=False,
        error_type=Outcome.LOST.value,
        error_message=WHY,
        arm=arm(seed, request.index) if seed else None,
        cancel_after=str(cancel) if cancel is not None and cancel.applies_to(place) else None,
    )
