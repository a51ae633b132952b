"""The Parquet cache of a big run changes no number, and is used only while it is up to date."""

import os
from pathlib import Path
from typing import Any

import pytest

from analysis.reading import cache
from analysis.reading.load import RunError, load, rows
from analysis.report.report import look
from analysis.report.summary import Summary
from tests.analysis.runs import dropped, everything, failed, make, part, record


@pytest.fixture(autouse=True)
def every_run_is_big(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(cache, "FROM_BYTES", 0)
    monkeypatch.setattr(cache, "_GROUP_ROWS", 3)


def known(folder: Path) -> tuple[list[dict[str, Any]], dict[str, Any], list[str]]:
    run = load(folder)
    return rows(run.requests), Summary.of(look(run)).as_dict(), run.remarks


def small(folder: Path, monkeypatch: pytest.MonkeyPatch) -> Any:
    """The same run read without a cache."""
    with monkeypatch.context() as patch:
        patch.setattr(cache, "FROM_BYTES", 1 << 60)
        return known(folder)


def test_rows_and_numbers_from_the_cache_are_those_of_the_csv(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """On the first reading, which writes the cache, and on the second, which reads it."""
    folder = everything(tmp_path / "r")
    part(folder, *(record(i, content=f"{i}'") for i in (5, 3, 4)), failed(6), worker="w1")
    part(folder, dropped(5, worker="master"), record(4), worker="w1@master")
    with (folder / "requests-w1.csv").open("a", encoding="utf-8") as file:
        file.write("torn")
    wanted = small(folder, monkeypatch)
    assert not (folder / cache.NAME).exists()
    assert known(folder) == wanted
    assert (folder / cache.NAME).stat().st_mode & 0o777 == 0o600
    monkeypatch.setattr(cache, "_write", None)
    assert known(folder) == wanted
    assert len(wanted[2]) == 1 and "torn" in wanted[2][0].en


@pytest.mark.parametrize("change", ["more", "touched", "another part", "part gone"])
def test_changed_part_files_make_the_cache_stale(tmp_path: Path, change: str) -> None:
    folder = make(tmp_path / "r", record(0))
    extra = part(folder, record(7), worker="b")
    load(folder)
    before = (folder / cache.NAME).stat()
    path = folder / "requests-local.csv"
    if change == "more":
        part(folder, record(0), record(1))
    elif change == "touched":
        os.utime(path, ns=(1, 1))
    elif change == "another part":
        part(folder, record(2), worker="c")
    else:
        extra.unlink()
    wanted = {"more": [0, 1, 7], "touched": [0, 7], "another part": [0, 2, 7], "part gone": [0]}
    assert list(load(folder).requests["request_index"]) == wanted[change]
    assert (folder / cache.NAME).stat().st_ino != before.st_ino


@pytest.mark.parametrize("content", [b"", b"PAR1 noise PAR1", b"cut"])
def test_an_unreadable_cache_is_written_anew(tmp_path: Path, content: bytes) -> None:
    folder = make(tmp_path / "r", record(0))
    load(folder)
    path = folder / cache.NAME
    path.write_bytes(path.read_bytes()[:-9] if content == b"cut" else content)
    assert len(load(folder).requests) == 1
    assert path.read_bytes()[:4] == b"PAR1"


def test_a_cache_that_cannot_be_written_does_not_stop_reading(tmp_path: Path) -> None:
    folder = make(tmp_path / "r", record(0))
    (folder / cache.NAME).mkdir()
    assert len(load(folder).requests) == 1
    assert [p.name for p in folder.iterdir() if p.name.startswith(".")] == [cache.NAME]


def test_a_damaged_part_file_leaves_no_cache(tmp_path: Path) -> None:
    folder = make(tmp_path / "r", record(0))
    with (folder / "requests-local.csv").open("a", encoding="utf-8") as file:
        file.write("short,row\r\n")
    with pytest.raises(RunError, match="line 3: 2 cells"):
        load(folder)
    assert not [path for path in folder.iterdir() if path.name.startswith(".")]


def test_a_cache_damaged_while_it_is_read_is_one_sentence(tmp_path: Path) -> None:
    folder = make(tmp_path / "r", *(record(i) for i in range(10)))
    run = load(folder)
    path = folder / cache.NAME
    undamaged = path.read_bytes()
    with path.open("r+b") as file:
        file.write(b"PAR1" + bytes(len(undamaged) // 2))
    with pytest.raises(RunError, match="is damaged: remove it and try again"):
        rows(run.requests)


def test_a_small_run_has_no_cache(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.undo()
    folder = make(tmp_path / "r", record(0))
    load(folder)
    assert not (folder / cache.NAME).exists()
