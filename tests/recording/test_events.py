"""The typed events of a run are read as they were written, by this version and since 0.1."""

import json
from dataclasses import replace
from typing import Any

import pytest

from recording.body_change import BodyChange
from recording.events import (
    EVENTS,
    Account,
    Accounts,
    BodyChanged,
    Ended,
    Event,
    LoopLag,
    NotSent,
    PacerReport,
    PhaseEnd,
    PhaseSkipped,
    PhaseStart,
    Refused,
    Stopped,
    StopRule,
    Unknown,
    WorkerLost,
    typed,
)
from recording.not_sent import Unsent
from recording.reasons import Reason

CHANGE = BodyChange(
    model="m", field="task_id", sent_as="body", to="header", status=400, said="no", phase="p",
    task_id="t-0",
)  # fmt: skip
UNSENT = Unsent(
    run_id="r", worker="w", phase="p", model="m", first=2, last=8, step=2, count=4,
    reason="halted", due_first_s=0.5, due_last_s=2.0, attempt=1,
)  # fmt: skip
FULL: dict[str, Event] = {
    "phase_start": PhaseStart(
        phase="p", t0_unix_s=1.5, generators=("a", "b"), clock_offsets_s=(0.0, -1.0),
        round_trips_s=(None, 0.1),
    ),
    "phase_end": PhaseEnd(
        phase="p", sent=3, dropped=0, cut="", generator=LoopLag(0.1, 0.2), held_by_budget=1,
        pacers=(PacerReport(1.0, 2.0, 0.01, 3, 4, 5.0),),
    ),
    "phase_skipped": PhaseSkipped(phase="p", why=Reason.CLIMB_ENDED),
    "not_sent": NotSent(phase="p", unsent=UNSENT),
    "worker_lost": WorkerLost(phase="p", worker="w", reason=Reason.HEARTBEATS_STOPPED),
    "body_changed": BodyChanged(phase="p", generator="local", change=CHANGE),
    "stop_rule": StopRule(phase="p", counted=4, completed=5, outcomes={"auth": 4}),
    "refused": Refused(phase="p", ends="run", which="first", counted=5, http_status=None),
    "stopped": Stopped(reason=Reason.STOPPED_BY_HAND),
    "ended": Ended(cause=Reason.DISK, reason="the disk is full"),
    "accounts": Accounts(money=Account(1.0, 0.5, 0.0, 2)),
}  # fmt: skip


def through_the_file(event: Event) -> Event:
    return replace(typed(json.loads(json.dumps(event.as_dict()))), at=None)


@pytest.mark.parametrize("name", EVENTS)
def test_an_event_is_read_as_it_was_written(name: str) -> None:
    event = FULL[name] if name in FULL else EVENTS[name](phase="p")
    assert event.name == name
    assert through_the_file(event) == event


@pytest.mark.parametrize("reason", Reason)
def test_a_reason_has_both_languages_and_is_read_from_the_sentence_of_0_1(reason: Reason) -> None:
    sentences = reason.clause
    assert sentences.en and sentences.zh and sentences.en != sentences.zh
    assert Reason.of(reason.value) is reason
    assert (known := Reason.of(sentences.en)) is not None and known.clause == sentences


@pytest.mark.parametrize("text", [None, 5, "", "something else", ["budget"]])
def test_a_text_that_is_no_reason_is_none(text: Any) -> None:
    assert Reason.of(text) is None


def test_an_unknown_reason_keeps_its_words() -> None:
    line = {"event": "stopped", "reason": "it rained", "by": "SIGTERM"}
    assert typed(line).details() == "reason: it rained, by: SIGTERM"


def test_an_event_of_another_version_keeps_its_name() -> None:
    event = typed({"event": "eclipse", "phase": "p", "sun": 1})
    assert isinstance(event, Unknown)
    assert (event.event, event.phase, event.details()) == ("eclipse", "p", "sun: 1")


def test_an_event_without_a_required_field_is_a_value_error() -> None:
    for line in ({"event": "not_sent"}, {"event": "body_changed", "model": "m"},
                 {"event": "accounts", "money": {"limit": 1.0}}):  # fmt: skip
        with pytest.raises(ValueError, match=r"damaged|does not say"):
            typed(line)
