"""Whether answers or counts changed under load, by the probes mixed into it. Pure."""

import json
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from analysis.reading.load import Run, rows
from analysis.reading.moment import moment
from identity.asked import Row, questions_asked
from identity.mixed import Course, ProbeAnswer, course
from recording.json_values import mapping
from recording.probe_place import is_probe

if TYPE_CHECKING:
    from pandas import DataFrame

COLUMNS = (
    "request_index", "outcome", "success", "check_detail", "completion_id", "prompt_tokens",
    "sent_offset_s", "timestamp",
)  # fmt: skip


def courses(run: Run) -> Mapping[str, Course]:
    """By model, in the plan's order; empty: the run has no probes."""
    by_model = probes(run)
    return {model: course(answers, len(by_model)) for model, answers in by_model.items()}


def probes(run: Run) -> Mapping[str, list[ProbeAnswer]]:
    """The answered probes of each model, in the plan's order; models without any are left out."""
    by_model: dict[str, list[ProbeAnswer]] = {}
    for phase in run.plan:
        if every := int(phase.get("probe_every") or 0):
            frame = run.rows.frame(list(COLUMNS), phase["name"])
            by_model.setdefault(str(phase.get("model")), []).extend(
                _answers_of(phase["name"], every, frame)
            )
    return {model: answers for model, answers in by_model.items() if answers}


def _answers_of(phase: str, every: int, frame: "DataFrame") -> list[ProbeAnswer]:
    sent: list[dict[str, Any]] = [
        row
        for row in rows(frame)
        if is_probe(every, int(row["request_index"])) and row["sent_offset_s"] is not None
    ]
    questions = [row for row in sent if isinstance(_place(row).get("question"), int)]
    words = questions_asked(
        Row(row["outcome"], row["check_detail"], row["completion_id"], int(row["request_index"]))
        for row in questions
    )
    answers = [
        ProbeAnswer(
            phase, row["sent_offset_s"], answer.question, answer.word, at_unix_s=_unix_s(row)
        )
        for row, answer in zip(questions, words, strict=True)
        if answer.word
    ]
    counts = [
        ProbeAnswer(
            phase, row["sent_offset_s"], tokens=int(row["prompt_tokens"]), at_unix_s=_unix_s(row)
        )
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
