"""A run's folder is read strictly: torn ends are remarked on, other faults are refused by name."""

import csv
import dataclasses
import io
import json
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from analysis.reading.load import RunError, load, rows
from recording.record import COLUMNS, RequestRecord, clean, encode
from tests.analysis.runs import cells, dropped, failed, make, part, record


def known(one: RequestRecord) -> dict[str, object]:
    return {name: getattr(one, name) for name in COLUMNS}


def test_rows_are_read_as_the_recorder_wrote_them(tmp_path: Path) -> None:
    """Every column, with its type, and None where nothing was known."""
    full_record = record(0, content='line\n"two", ünd 三', http_status=200, connection_reused=True)
    records = [full_record, record(1, content="=1+1", target=None), failed(2), dropped(3)]
    run = load(make(tmp_path / "r", *records))
    assert rows(run.requests) == [known(one) for one in records]
    assert run.remarks == []


@settings(max_examples=25)
@given(text=st.text(max_size=40), number=st.floats(allow_nan=False, allow_infinity=False))
def test_hostile_text_of_a_reply_is_read_unchanged(
    tmp_path_factory: pytest.TempPathFactory, text: str, number: float
) -> None:
    """Newlines, quotes and formulas; what a CSV cannot hold is U+FFFD, and "" is unknown."""
    folder = make(tmp_path_factory.mktemp("r"), record(0, content=text, elapsed_sec=number))
    (row,) = rows(load(folder).requests)
    assert row["content"] == (clean(text) or None)
    assert row["elapsed_sec"] == number


@pytest.mark.parametrize("lost", [1, 2, 5, 40, 200])
def test_a_torn_last_line_is_dropped_with_a_remark(tmp_path: Path, lost: int) -> None:
    folder = make(tmp_path / "r", record(0), record(1, content="three\nlines\nhere"))
    path = folder / "requests-local.csv"
    path.write_bytes(path.read_bytes()[:-lost])
    run = load(folder)
    assert list(run.requests["request_index"]) == [0]
    assert [odd.en for odd in run.remarks] == [
        "requests-local.csv: the torn last line 3 was dropped."
    ]


def test_a_file_cut_anywhere_keeps_its_whole_rows_and_remarks_on_a_torn_one(tmp_path: Path) -> None:
    """A crash may leave any first part of a file."""
    folder = make(tmp_path / "r", record(0, content='a "b"\n\nc'), record(1), record(2))
    path = folder / "requests-local.csv"
    complete = path.read_bytes()
    out = io.StringIO(newline="")
    csv.writer(out).writerows(cells(record(0, content='a "b"\n\nc')))
    first_two_lines = len(out.getvalue().encode())
    for size in range(0, len(complete), 61):
        path.write_bytes(complete[:size])
        rows_read = len(load(folder).requests)
        assert rows_read == 0 if size < first_two_lines else rows_read >= 1


@pytest.mark.parametrize(
    ("column", "cell", "why"),
    [
        ("success", "maybe", "success is 'maybe', not true or false"),
        ("success", "", "success is '', not true or false"),
        ("elapsed_sec", "fast", "elapsed_sec is 'fast', not float"),
        ("http_status", "2xx", "http_status is '2xx', not int"),
        ("request_index", "", "request_index is '', not int"),
    ],
)
def test_a_malformed_cell_is_refused_with_its_file_and_line(
    tmp_path: Path, column: str, cell: str, why: str
) -> None:
    folder = make(tmp_path / "r")
    lines = cells(record(0, content="two\nlines"), record(1), record(2))
    lines[2][COLUMNS.index(column)] = cell
    path = folder / "requests-local.csv"
    with path.open("w", encoding="utf-8", newline="") as file:
        csv.writer(file).writerows(lines)
    with pytest.raises(RunError) as caught:
        load(folder)
    assert str(caught.value) == f"{path}, line 4: {why}."


def test_a_row_of_too_few_or_too_many_cells_is_refused(tmp_path: Path) -> None:
    folder = make(tmp_path / "r")
    path = folder / "requests-local.csv"
    for row in (encode(record(0))[:-1], [*encode(record(0)), "x"], []):
        with path.open("w", encoding="utf-8", newline="") as file:
            csv.writer(file).writerows([list(COLUMNS), row, encode(record(1))])
        with pytest.raises(RunError, match="line 2: .*cells instead of"):
            load(folder)


def test_an_unclosed_quote_is_refused_and_not_taken_for_a_torn_end(tmp_path: Path) -> None:
    """Otherwise one stray quote would silently swallow every row after it."""
    folder = make(tmp_path / "r", record(0), record(1), record(2))
    path = folder / "requests-local.csv"
    lines = path.read_bytes().split(b"\r\n")
    lines[1] = lines[1].replace(b"local", b'"local')
    path.write_bytes(b"\r\n".join(lines))
    with pytest.raises(RunError, match="line 2: a quote is never closed"):
        load(folder)


def test_an_integer_beyond_64_bits_is_refused(tmp_path: Path) -> None:
    folder = make(tmp_path / "r", record(0, total_tokens=10**30))
    with pytest.raises(RunError, match="beyond 64 bits"):
        load(folder)


def test_unknown_columns_are_refused_by_name(tmp_path: Path) -> None:
    folder = make(tmp_path / "r")
    (folder / "requests-local.csv").write_text("run_id,colour\r\n", encoding="utf-8")
    with pytest.raises(RunError, match=r"line 1: .*missing: schema_version.*unknown: colour"):
        load(folder)


def test_bytes_that_are_not_utf8_are_refused(tmp_path: Path) -> None:
    folder = make(tmp_path / "r", record(0), record(1))
    path = folder / "requests-local.csv"
    path.write_bytes(path.read_bytes().replace(b"ok-0", b"\xff\xfe"))
    with pytest.raises(RunError, match="line 2: .*utf-8"):
        load(folder)


@settings(max_examples=25)
@given(st.binary(max_size=300))
def test_any_bytes_are_read_or_refused(
    tmp_path_factory: pytest.TempPathFactory, garbage: bytes
) -> None:
    folder = make(tmp_path_factory.mktemp("r"), record(0))
    path = folder / "requests-local.csv"
    path.write_bytes(path.read_bytes() + garbage)
    try:
        run = load(folder)
    except RunError as error:
        assert f"{path}, line " in str(error)
    else:
        assert len(run.requests) == 1


def test_a_row_in_two_part_files_is_counted_once(tmp_path: Path) -> None:
    folder = make(tmp_path / "r")
    part(folder, record(0), record(1), worker="w1")
    part(folder, record(1), record(2), worker="master-copy")
    run = load(folder)
    assert list(run.requests["request_index"]) == [0, 1, 2]
    assert run.remarks == []


def test_a_finished_row_outweighs_the_masters_write_off(tmp_path: Path) -> None:
    """The master writes off what a lost worker owned, but the worker's own file may have it
    finished.
    """
    folder = make(tmp_path / "r")
    part(folder, dropped(0, worker="master"), failed(1, "cancelled"), worker="a")
    part(folder, record(0, worker="w1"), dropped(1), worker="b")
    assert list(load(folder).requests["outcome"]) == ["ok", "cancelled"]


def test_a_request_sent_twice_is_remarked_on(tmp_path: Path) -> None:
    folder = make(tmp_path / "r")
    part(folder, record(0, worker="w1"), worker="w1")
    part(folder, dataclasses.replace(record(0, worker="w2"), timestamp="later"), worker="w2")
    run = load(folder)
    assert len(run.requests) == 1
    assert [odd.en for odd in run.remarks] == [
        "1 request was sent twice; the copy read first is counted."
    ]


def test_rows_are_in_the_order_of_plan_and_index(tmp_path: Path) -> None:
    plan = [{"name": "b"}, {"name": "a"}]
    records = [record(1, phase="a"), record(0, phase="a"), record(0, phase="b")]
    run = load(make(tmp_path / "r", *records, plan=plan))
    places = list(zip(run.requests["phase"], run.requests["request_index"], strict=True))
    assert places == [("b", 0), ("a", 0), ("a", 1)]


def test_a_torn_last_event_is_dropped_and_a_malformed_one_refused(tmp_path: Path) -> None:
    folder = make(tmp_path / "r", record(0))
    path = folder / "events.jsonl"
    path.write_text('{"event": "run_start"}\n{"event": "run_e', encoding="utf-8")
    run = load(folder)
    assert run.interrupted
    assert [odd.en for odd in run.remarks] == ["events.jsonl: the torn last line 2 was dropped."]
    path.write_text('{"event": "run_start"}\nnoise\n', encoding="utf-8")
    with pytest.raises(RunError, match="line 2: not an event"):
        load(folder)


def test_a_run_that_sent_nothing_is_read(tmp_path: Path) -> None:
    folder = make(tmp_path / "r")
    (folder / "requests-local.csv").unlink()
    assert load(folder).requests.empty


@pytest.mark.parametrize(
    ("event", "why"),
    [
        ({"event": "run_start", "generators": [None]}, r"generators\[0\] is missing"),
        ({"event": "phase_start", "clock_offsets_s": ["1"]}, r"clock_offsets_s\[0\] is '1'"),
        ({"event": "phase_end", "generator": {"loop_lag_p99_s": 1e300}}, "not a number of seconds"),
        ({"event": "phase_end", "sent": -1}, "sent is -1, not a whole number"),
        ({"event": "accounts", "money": {"limit": 1}}, "money.spent is missing"),
        ({"event": "stop_rule", "outcomes": {"lost": None}}, "outcomes.lost is missing"),
        ({"event": "run_end", "completed": 5}, "completed is 5, not true or false"),
        ({"event": "body_changed", "status": "a"}, "status is 'a', not a whole number"),
        ({"event": "not_sent", "first": 0}, "which requests were not sent"),
        ({"event": "of another version", "phase": 3}, "phase is 3, not text"),
    ],
)
def test_a_malformed_event_is_one_sentence_with_its_line(
    tmp_path: Path, event: dict[str, Any], why: str
) -> None:
    folder = make(tmp_path / "r")
    (folder / "events.jsonl").write_text(json.dumps(event) + "\n", encoding="utf-8")
    with pytest.raises(RunError, match=f"line 1: .*{why}"):
        load(folder)


def test_unknown_events_and_fields_may_hold_anything(tmp_path: Path) -> None:
    folder = make(tmp_path / "r")
    line = {"event": "run_end", "completed": None, "round_trips_s": [None], "new": {"a": [1]}}
    (folder / "events.jsonl").write_text(json.dumps(line) + "\n", encoding="utf-8")
    assert len(load(folder).events) == 1


WHOLE = {"run_id": "r", "plan": [], "schema_version": 2}


@pytest.mark.parametrize("lacks", [{}, {"gateway": None, "options": None, "mode": None}])
def test_a_manifest_needs_only_its_run_id_and_plan(tmp_path: Path, lacks: dict[str, None]) -> None:
    folder = make(tmp_path / "r")
    (folder / "manifest.json").write_text(json.dumps(WHOLE | lacks), encoding="utf-8")
    run = load(folder)
    assert (run.mode, run.started_at, run.currency, run.base_url, run.made_by) == (None,) * 5
    assert run.options == {} and not run.simulated


@pytest.mark.parametrize(
    ("manifest", "why"),
    [
        ("{", "is not JSON"),
        ("[]", "does not name its run"),
        ('{"run_id": "r"}', "holds no plan"),
        (json.dumps({"run_id": "r", "plan": [], "schema_version": 99}), "schema version 99"),
        (json.dumps(WHOLE | {"plan": [{"mode": "rpm"}]}), r"plan\[0\].name is missing"),
        (json.dumps(WHOLE | {"plan": [None]}), r"plan\[0\] is missing"),
        (
            json.dumps(WHOLE | {"plan": [{"name": "p", "count": -1}]}),
            r"plan\[0\].count is -1, not a",
        ),
        (
            json.dumps(WHOLE | {"plan": [{"name": "p", "wall_s": 1e300}]}),
            r"plan\[0\].wall_s is 1e\+300, not a number of seconds",
        ),
        (json.dumps(WHOLE | {"gateway": {"simulated": "no"}}), "gateway.simulated is 'no'"),
        (json.dumps(WHOLE | {"options": {"warmup": "60"}}), "options.warmup is '60'"),
        (json.dumps(WHOLE | {"traffic": {"notes": [{"kind": 1}]}}), r"notes\[0\].kind is 1"),
        (json.dumps(WHOLE | {"prices": {"models": 1}}), "prices is no price table"),
    ],
)
def test_a_malformed_manifest_is_one_sentence(tmp_path: Path, manifest: str, why: str) -> None:
    folder = make(tmp_path / "r")
    (folder / "manifest.json").write_text(manifest, encoding="utf-8")
    with pytest.raises(RunError, match=why):
        load(folder)
