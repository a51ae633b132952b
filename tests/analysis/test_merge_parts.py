"""One row per planned request, against a slow rule over lists."""

import dataclasses
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from analysis.reading.load import load
from recording.counted import counted
from recording.record import RequestRecord
from tests.analysis.runs import dropped, failed, make, part, record

WEIGHT = {"cancelled": 1, "lost": 2, "dropped": 3}


@st.composite
def rows(draw: st.DrawFn) -> RequestRecord:
    kind = draw(st.sampled_from(["ok", "cancelled", "lost", "dropped"]))
    index, phase = draw(st.integers(0, 3)), draw(st.sampled_from(["b", "a", "unplanned", ""]))
    one = {"ok": record, "dropped": dropped}.get(kind, failed)(index, phase=phase)
    sending: dict[str, Any] = {
        "worker": draw(st.sampled_from("xy")),
        "timestamp": draw(st.sampled_from("12")),
    }
    sending["attempt"] = draw(st.sampled_from([1, 2]))
    return dataclasses.replace(one, outcome=kind, **sending)


def united(records: list[RequestRecord]) -> tuple[list[RequestRecord], int, int]:
    """The slow rule:

    the plan's order, then the index; of several rows the least weight, then the first. With how
    many were sent twice, and how many were in flight before they were sent once more.
    """
    place = {"b": 0, "a": 1}
    keys = {(r.phase, r.request_index) for r in records}
    merged, twice, loose = [], 0, 0
    for phase, index in sorted(keys, key=lambda k: (place.get(k[0], 2), k)):
        mine = [r for r in records if (r.phase, r.request_index) == (phase, index)]
        merged.append(min(mine, key=lambda r: WEIGHT.get(r.outcome, 0)))
        finished = {(r.worker, r.timestamp) for r in mine if r.outcome not in WEIGHT}
        twice += max(0, len(finished) - 1)
        if finished:
            loose += any(
                r.outcome == "cancelled"
                or (r.outcome == "lost" and r.attempt != merged[-1].attempt)
                for r in mine
            )
    return merged, twice, loose


@settings(max_examples=40)
@given(st.lists(rows(), max_size=12), st.lists(rows(), max_size=12))
def test_part_files_are_merged_as_by_the_slow_rule(
    tmp_path_factory: pytest.TempPathFactory, one: list[RequestRecord], two: list[RequestRecord]
) -> None:
    folder: Path = tmp_path_factory.mktemp("r")
    make(folder, plan=[{"name": "b"}, {"name": "a"}])
    part(folder, *one, worker="1")
    part(folder, *two, worker="2")
    run = load(folder)
    wanted, twice, loose = united(one + two)
    names = ("phase", "request_index", "outcome", "worker", "timestamp")
    merged = run.requests[list(names)].itertuples(index=False, name=None)
    assert list(merged) == [tuple(getattr(r, n) for n in names) for r in wanted]
    were = ("request was", "requests were")
    remark = f"{counted(twice, *were)} sent twice; the copy read first is counted."
    again = f"{counted(loose, *were)} in flight when an attempt at the run ended"
    odds = [odd.en for odd in run.remarks]
    assert odds[:1] == [remark] if twice else remark not in odds
    assert any(odd.startswith(again) for odd in odds) if loose else len(odds) == bool(twice)
    for phase in run.rows.bounds:
        assert set(run.rows.frame(["phase"], phase)["phase"]) == {phase}
