"""Whatever a run's files hold, the reader reads it or says which file and line is wrong."""

import contextlib
import csv
import json
from collections.abc import Callable
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from analysis.reading.load import RunError, load
from engine.interrupted import read
from tests.analysis.runs import make, record

FILES = ("manifest.json", "events.jsonl", "requests-local.csv")
few = settings(max_examples=40, suppress_health_check=[HealthCheck.function_scoped_fixture])
json_values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=5),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=8), inner),
    max_leaves=6,
)


@pytest.fixture(scope="module")
def whole(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return make(tmp_path_factory.mktemp("runs") / "r", record(0, content='a "b"\n\nc'), record(1))


def changed(folder: Path, name: str, change: Callable[[bytes], bytes]) -> None:
    """Load the run with one file changed: it is read, or refused by name. Then put it back."""
    path = folder / name
    before = path.read_bytes()
    try:
        path.write_bytes(change(before))
        try:
            load(folder)
        except RunError as error:
            assert name in str(error)
            if name != "manifest.json":
                assert ", line" in str(error)
        with contextlib.suppress(OSError, ValueError):  # told in one sentence by the locustfile
            read(folder)  # what --resume reads
    finally:
        path.write_bytes(before)


@few
@given(name=st.sampled_from(FILES), noise=st.binary(max_size=200))
def test_noise_is_refused_by_name(whole: Path, name: str, noise: bytes) -> None:
    changed(whole, name, lambda _: noise)


@few
@given(name=st.sampled_from(FILES[1:]), noise=st.binary(min_size=1, max_size=60), data=st.data())
def test_noise_in_the_middle_is_refused_by_name_and_line(
    whole: Path, name: str, noise: bytes, data: st.DataObject
) -> None:
    def insert(text: bytes) -> bytes:
        at = data.draw(st.integers(0, len(text)))
        return text[:at] + noise + text[at:]

    changed(whole, name, insert)


@few
@given(name=st.sampled_from(FILES), data=st.data())
def test_a_lost_piece_is_refused_by_name_and_line(
    whole: Path, name: str, data: st.DataObject
) -> None:
    def lose(text: bytes) -> bytes:
        at, size = data.draw(st.integers(0, len(text))), data.draw(st.integers(1, 200))
        return text[:at] + text[at + size :]

    changed(whole, name, lose)


@few
@given(event=json_values)
def test_any_json_is_an_event_or_refused(whole: Path, event: object) -> None:
    line = json.dumps(event).encode() + b"\n"
    changed(whole, "events.jsonl", lambda text: line + text)


@few
@given(manifest=json_values)
def test_any_json_is_a_manifest_or_refused(whole: Path, manifest: object) -> None:
    changed(whole, "manifest.json", lambda _: json.dumps(manifest).encode())


@few
@given(key=st.sampled_from(["plan", "run_id", "schema_version", "gateway"]), value=json_values)
def test_any_value_in_a_manifest_is_read_or_refused(whole: Path, key: str, value: object) -> None:
    def change(text: bytes) -> bytes:
        return json.dumps({**json.loads(text), key: value}).encode()

    changed(whole, "manifest.json", change)


@pytest.mark.parametrize("lost", [1, 2, 3, 40])
def test_a_torn_last_row_is_sent_again_on_resume(whole: Path, lost: int) -> None:
    """Even where only the line's end is missing: the report drops such a row, so must --resume."""
    path = whole / "requests-local.csv"
    before = path.read_bytes()
    try:
        path.write_bytes(before[:-lost])
        (known,) = read(whole).finished.values()
        assert known == {0}
        assert list(load(whole).requests["request_index"]) == [0]
    finally:
        path.write_bytes(before)


def test_a_row_torn_within_a_character_is_sent_again_on_resume(whole: Path) -> None:
    path = whole / "requests-local.csv"
    before = path.read_bytes()
    try:
        path.write_bytes(before + "x,三".encode()[:-1])
        (known,) = read(whole).finished.values()
        assert known == {0, 1}
    finally:
        path.write_bytes(before)


csv.field_size_limit(1 << 24)
