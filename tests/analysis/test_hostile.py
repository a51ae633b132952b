"""Whatever is in a run's folder:

a report, or one sentence and exit code 2, and never a traceback. `python -m analysis` catches what
no reader foresaw; that net is taken away here.
"""

import json
import os
import shutil
import socket
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from analysis.__main__ import main
from engine.interrupted import read
from tests.locust_run import ROOT

STORED = ROOT / "tests" / "data" / "runs-0.1"
VALUES: tuple[Any, ...] = (
    None, 0, -1, 1.5, "x", "", [], {}, [1], {"a": 1}, True, 1e308, 10**30, [None], [[]],
    "\ud800", float("nan"), float("inf"), "<script>", "\x1b[2J",
)  # fmt: skip
LOST = object()


@pytest.fixture(autouse=True)
def netless(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("WEIGHBRIDGE_TRACEBACK", "1")


def reported(folder: Path, capsys: pytest.CaptureFixture[str]) -> str:
    """The error that reporting the run printed; empty if there was none."""
    code = main(["report", str(folder), "--print", "--fail-on", "p95_s>10"])
    stderr = capsys.readouterr().err
    assert code in (0, 1, 2)
    if code != 2:
        return ""
    assert stderr.startswith("weighbridge: ") and stderr.count("\n") == 1, stderr
    assert "Traceback" not in stderr and len(stderr) < 1000
    return stderr


def places(value: Any, place: tuple[Any, ...] = ()) -> Iterator[tuple[Any, ...]]:
    """Every place in JSON, the first two of a list."""
    if place:
        yield place
    if isinstance(value, dict):
        for key in value:
            yield from places(value[key], (*place, key))
    elif isinstance(value, list):
        for number, one in enumerate(value[:2]):
            yield from places(one, (*place, number))


def put(content: Any, place: tuple[Any, ...], value: object) -> None:
    for key in place[:-1]:
        content = content[key]
    if value is LOST:
        del content[place[-1]]
    else:
        content[place[-1]] = value


@settings(max_examples=60, deadline=None,
          suppress_health_check=[HealthCheck.function_scoped_fixture])  # fmt: skip
@given(data=st.data())
def test_any_value_anywhere_in_a_manifest_or_event_is_read_or_refused(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], data: st.DataObject
) -> None:
    name = data.draw(st.sampled_from(["held", "two-workers", "interrupted"]))
    folder = tmp_path / "run"
    shutil.rmtree(folder, ignore_errors=True)
    shutil.copytree(STORED / name, folder)
    manifest = json.loads((folder / "manifest.json").read_text())
    events = [json.loads(line) for line in (folder / "events.jsonl").read_text().splitlines()]
    content = {"manifest": manifest, "events": events}
    spots = [p for p in places(manifest, ("manifest",)) if len(p) > 1]
    for number, event in enumerate(events):
        spots += [p for p in places(event, ("events", number)) if len(p) > 2]
    put(content, data.draw(st.sampled_from(spots)), data.draw(st.sampled_from([*VALUES, LOST])))
    (folder / "manifest.json").write_text(json.dumps(manifest))
    (folder / "events.jsonl").write_text("".join(json.dumps(e) + "\n" for e in events))
    reported(folder, capsys)
    try:
        read(folder)  # what --resume reads: one sentence there too
    except ValueError as error:
        assert "\n" not in str(error)


def folder_at(path: Path) -> None:
    path.unlink(missing_ok=True)
    path.mkdir()


def pipe_at(path: Path) -> None:
    path.unlink(missing_ok=True)
    os.mkfifo(path)


def socket_at(path: Path) -> None:
    path.unlink(missing_ok=True)
    here = os.getcwd()
    os.chdir(path.parent)  # the name of a socket is short
    try:
        with socket.socket(socket.AF_UNIX) as listener:
            listener.bind(path.name)
    finally:
        os.chdir(here)


def loop_at(path: Path) -> None:
    path.unlink(missing_ok=True)
    path.symlink_to(path.name)


def device_at(path: Path) -> None:
    path.unlink(missing_ok=True)
    path.symlink_to("/dev/zero")


def holding(text: bytes) -> Callable[[Path], None]:
    def write(path: Path) -> None:
        path.write_bytes(text)

    return write


MADE: dict[str, Callable[[Path], None]] = {
    "a folder": folder_at,
    "a pipe": pipe_at,
    "a socket": socket_at,
    "a link to itself": loop_at,
    "an endless device": device_at,
    "binary": holding(bytes(range(256)) * 200 + b"\n"),
    "NUL bytes": holding(b"\0" * 5000 + b"\n"),
    "one huge line": holding(b"x" * 5_000_000 + b"\n"),
    "deep JSON": holding(b"[" * 100_000 + b"\n"),
    "a huge number": holding(b"1" * 10_000 + b"\n"),
    "NaN": holding(b'{"event": "x", "run_id": NaN}\n'),
    "UTF-16": holding('{"event": "x"}\n'.encode("utf-16")),
}


@pytest.mark.parametrize("made", MADE)
@pytest.mark.parametrize("name", ["manifest.json", "events.jsonl", "requests-local.csv"])
def test_a_file_that_cannot_be_read_is_one_sentence_that_names_it(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], name: str, made: str
) -> None:
    folder = shutil.copytree(STORED / "held", tmp_path / "run")
    MADE[made](folder / name)
    refusal = reported(folder, capsys)
    assert name in refusal, refusal
    with pytest.raises((ValueError, OSError)):
        read(folder)


@pytest.mark.parametrize("made", ["a folder", "a pipe", "a link to itself"])
def test_a_path_that_is_no_run_is_one_sentence(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], made: str
) -> None:
    MADE[made](tmp_path / "run")
    assert "run" in reported(tmp_path / "run", capsys)


@pytest.mark.parametrize("cell", ["nan", "inf", "-inf", "1e999", "NaN", "0x10", "9" * 400])
@pytest.mark.parametrize("column", ["elapsed_sec", "api_cost", "total_tokens", "done_offset_s"])
def test_a_cell_that_is_no_finite_number_is_refused_with_its_line(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], cell: str, column: str
) -> None:
    folder = shutil.copytree(STORED / "smoke", tmp_path / "run")
    part = folder / "requests-local.csv"
    head, *lines = part.read_text("utf-8").splitlines()
    cells = lines[0].split(",")
    cells[head.split(",").index(column)] = cell
    with part.open("w", encoding="utf-8", newline="") as file:
        file.write("\r\n".join([head, ",".join(cells), *lines[1:], ""]))
    refusal = reported(folder, capsys)
    assert "requests-local.csv, line 2: " in refusal and len(refusal) < 1000
