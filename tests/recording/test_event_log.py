"""events.jsonl has one line per event, whatever the disk and earlier crashes did."""

import json
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from recording.event_log import EventLog
from recording.events import PhaseEnd, PhaseStart, RunStart


def events(path: Path) -> list[dict[str, Any]]:
    return [json.loads(line) for line in path.read_bytes().split(b"\n")[:-1]]


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(text=st.text(st.characters(), max_size=30))
def test_an_event_of_any_text_is_one_line(tmp_path: Path, text: str) -> None:
    """Including Unicode's line separators, lone surrogates and control characters."""
    path = tmp_path / "events.jsonl"
    path.unlink(missing_ok=True)
    event_log = EventLog(path)
    event_log.write(PhaseStart(phase=text))
    event_log.close()
    (event,) = events(path)
    assert event["event"] == "phase_start"
    assert event["phase"] == text


def test_a_torn_line_is_removed_before_the_next_attempt_writes(tmp_path: Path) -> None:
    path = tmp_path / "events.jsonl"
    path.write_bytes(b'{"event": "run_start"}\n{"event": "pha')
    event_log = EventLog(path)
    event_log.write(RunStart(resumed=True))
    event_log.close()
    assert [event["event"] for event in events(path)] == ["run_start", "run_start"]


def test_a_full_disk_does_not_stop_a_run(caplog: pytest.LogCaptureFixture) -> None:
    """The event and the reason are in the log instead."""
    if not Path("/dev/full").exists():
        pytest.skip("this system has no /dev/full")
    event_log = EventLog.__new__(EventLog)
    event_log._file = open("/dev/full", "ab", buffering=0)  # noqa: SIM115
    event_log._size = 0
    event_log.write(PhaseEnd())
    event_log.close()
    assert "phase_end cannot be written" in caplog.text and "No space left" in caplog.text
