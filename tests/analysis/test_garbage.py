"""Whatever a run's files hold, it is read, or refused with the file and line at fault."""

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
def intact(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return make(tmp_path_factory.mktemp("runs") / "r", record(0, content='a "b"\n\nc'), record(1))


def changed(folder: Path, name: str, change: Callable[[bytes], bytes]) -> None:
    """Load the run with one file changed:

    it must be read or refused by name. Then restore the file.
    """
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
        with contextlib.suppress(OSError, ValueError):  # the locustfile makes it one sentence
            read(folder)  # what --resume reads
    finally:
        path.write_bytes(before)


@few
@given(name=st.sampled_from(FILES), noise=st.binary(max_size=200))
def test_a_file_of_noise_is_read_or_refused_by_name(intact: Path, name: str, noise: bytes) -> None:
    changed(intact, name, lambda _: noise)


@few
@given(name=st.sampled_from(FILES[1:]), noise=st.binary(min_size=1, max_size=60), data=st.data())
def test_inserted_noise_is_read_or_refused_by_name_and_line(
    intact: Path, name: str, noise: bytes, data: st.DataObject
) -> None:
    def insert(text: bytes) -> bytes:
        at = data.draw(st.integers(0, len(text)))
        return text[:at] + noise + text[at:]

    changed(intact, name, insert)


@few
@given(name=st.sampled_from(FILES), data=st.data())
def test_a_lost_piece_is_read_over_or_refused_by_name_and_line(
    intact: Path, name: str, data: st.DataObject
) -> None:
    def lose(text: bytes) -> bytes:
        at, size = data.draw(st.integers(0, len(text))), data.draw(st.integers(1, 200))
        return text[:at] + text[at + size :]

    changed(intact, name, lose)


@few
@given(event=json_values)
def test_any_json_value_is_read_as_an_event_or_refused(intact: Path, event: object) -> None:
    line = json.dumps(event).encode() + b"\n"
    changed(intact, "events.jsonl", lambda text: line + text)


@few
@given(manifest=json_values)
def test_any_json_value_is_read_as_a_manifest_or_refused(intact: Path, manifest: object) -> None:
    changed(intact, "manifest.json", lambda _: json.dumps(manifest).encode())


@few
@given(key=st.sampled_from(["plan", "run_id", "schema_version", "gateway"]), value=json_values)
def test_any_value_in_a_manifest_is_read_or_refused(intact: Path, key: str, value: object) -> None:
    def change(text: bytes) -> bytes:
        return json.dumps({**json.loads(text), key: value}).encode()

    changed(intact, "manifest.json", change)


@pytest.mark.parametrize("lost", [1, 2, 3, 40])
def test_a_torn_last_row_is_sent_again_on_resume(intact: Path, lost: int) -> None:
    """Even if only its line ending is missing:

    the report drops such a row, so --resume must too.
    """
    path = intact / "requests-local.csv"
    before = path.read_bytes()
    try:
        path.write_bytes(before[:-lost])
        (known,) = read(intact).finished.values()
        assert known == {0}
        assert list(load(intact).requests["request_index"]) == [0]
    finally:
        path.write_bytes(before)


def test_a_row_torn_within_a_character_is_sent_again_on_resume(intact: Path) -> None:
    path = intact / "requests-local.csv"
    before = path.read_bytes()
    try:
        path.write_bytes(before + "x,三".encode()[:-1])
        (known,) = read(intact).finished.values()
        assert known == {0, 1}
    finally:
        path.write_bytes(before)


csv.field_size_limit(1 << 24)
