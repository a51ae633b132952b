"""Whether answers or counts changed under load, by the probes mixed into it. Pure."""

import json
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from analysis.reading.load import Run, rows
from analysis.reading.moment import moment
from identity.asked import Row, asked
from identity.mixed import Course, Told, course, is_probe
from recording.json_values import mapping

if TYPE_CHECKING:
    from pandas import DataFrame

COLUMNS = (
    "request_index", "outcome", "success", "check_detail", "completion_id", "prompt_tokens",
    "sent_offset_s", "timestamp",
)  # fmt: skip


def courses(run: Run) -> Mapping[str, Course]:
    """By model, in the plan's order; empty: the run has no probes."""
    told = probes(run)
    return {model: course(own, len(told)) for model, own in told.items()}


def probes(run: Run) -> Mapping[str, list[Told]]:
    """The answered probes of each model, in the plan's order; models without any are left out."""
    told: dict[str, list[Told]] = {}
    for phase in run.plan:
        if every := int(phase.get("probe_every") or 0):
            frame = run.rows.frame(list(COLUMNS), phase["name"])
            told.setdefault(str(phase.get("model")), []).extend(_told(phase["name"], every, frame))
    return {model: own for model, own in told.items() if own}


def _told(phase: str, every: int, frame: "DataFrame") -> list[Told]:
    sent: list[dict[str, Any]] = [
        row
        for row in rows(frame)
        if is_probe(every, int(row["request_index"])) and row["sent_offset_s"] is not None
    ]
    questions = [row for row in sent if isinstance(_place(row).get("question"), int)]
    words = asked(
        Row(row["outcome"], row["check_detail"], row["completion_id"], int(row["request_index"]))
        for row in questions
    )
    answers = [
        Told(phase, row["sent_offset_s"], one.question, one.word, at_unix_s=_unix_s(row))
        for row, one in zip(questions, words, strict=True)
        if one.word
    ]
    counts = [
        Told(phase, row["sent_offset_s"], tokens=int(row["prompt_tokens"]), at_unix_s=_unix_s(row))
        for row in sent
        if _place(row).get("counted") and row["success"] and row["prompt_tokens"] is not None
    ]
    return answers + counts


def _unix_s(row: Mapping[str, Any]) -> float | None:
    at = moment(row["timestamp"])
    return None if at is None else at.timestamp()


def _place(row: Mapping[str, Any]) -> Mapping[str, Any]:
    """What the probe asked, as its row says."""
    try:
        return mapping(json.loads(row["check_detail"] or "{}"))
    except ValueError:
        return {}
