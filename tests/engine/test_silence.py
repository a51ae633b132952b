"""A warning if the first request of a trace is minutes away, however the slice is given."""

from pathlib import Path

import pytest

from loadshapes.modes import plan
from recording.row_notes import clause
from settings.options import Options

ROWS = (
    "TIMESTAMP,ContextTokens,GeneratedTokens\n"
    "2023-11-16T00:00:00Z,100,10\n"
    "2023-11-16T00:10:00Z,100,10\n"
)


@pytest.mark.parametrize(
    ("begin", "warned"),
    (("60", True), ("2023-11-16T00:01:00Z", True), ("2023-11-16T00:10:00Z", False), ("600", False)),
)
def test_a_distant_first_request_gets_a_warning(tmp_path: Path, begin: str, warned: bool) -> None:
    trace = tmp_path / "azure.csv"
    trace.write_text(ROWS)
    replay = plan(Options(mode="replay", model="m", trace=str(trace), trace_from=begin))
    assert replay.traffic is not None
    notes = [clause(note) for note in replay.traffic.notes]
    assert any("first request is due after 9.0 minutes" in note for note in notes) == warned
