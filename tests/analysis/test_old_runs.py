"""Runs that an earlier version made are read as they were written.

`tests/data/runs-0.1` was made by Weighbridge 0.1 (schema version 1) against the simulator; its
summaries are what that version wrote.
"""

import csv
import json
import shutil
from pathlib import Path
from typing import Any

import pytest

from analysis.__main__ import main
from analysis.export import csv_parquet
from analysis.reading.load import RunError, load, rows
from analysis.report.report import look, write
from recording.formats import FIRST
from recording.record import COLUMNS, SCHEMA_VERSION, RequestRecord, encode
from tests.locust_run import ROOT

DATA = ROOT / "tests" / "data" / "runs-0.1"
RUNS = sorted(path.name for path in DATA.iterdir())
REPORTED = [name for name in RUNS if (DATA / name / "summary.json").is_file()]
COUNTED = ("phase", "planned", "requests", "success", "total_tokens", "cost", "outcomes", "wall_s")


@pytest.fixture
def old(tmp_path: Path) -> Path:
    """A copy of the stored runs."""
    return shutil.copytree(DATA, tmp_path / "runs")


def written(folder: Path) -> dict[tuple[str, int], dict[str, str]]:
    """The cells of every part file by name, read with the standard library alone."""
    cells_of = {}
    for path in sorted(folder.glob("requests-*.csv")):
        with path.open(encoding="utf-8", newline="") as file:
            for cells in csv.DictReader(file):
                cells_of[cells["phase"], int(cells["request_index"])] = cells
    return cells_of


@pytest.mark.parametrize("name", RUNS)
def test_every_old_row_is_read_by_its_files_own_columns(name: str) -> None:
    truth = written(DATA / name)
    read_rows = rows(load(DATA / name).requests)
    assert len(read_rows) == len(truth) > 0
    for read_row in read_rows:
        cells = truth[read_row["phase"], read_row["request_index"]]
        assert tuple(cells) == FIRST
        again = dict(zip(COLUMNS, encode(RequestRecord(**read_row)), strict=True))
        assert {n: again[n] for n in FIRST} == cells
        assert all(again[n] == "" for n in COLUMNS if n not in FIRST)


@pytest.mark.parametrize("name", REPORTED)
def test_the_report_of_an_old_run_has_the_numbers_of_the_version_that_made_it(
    old: Path, name: str
) -> None:
    before = DATA / name / "summary.json"
    write(look(load(old / name)))
    then, now = (json.loads(p.read_text()) for p in (before, old / name / "summary.json"))
    assert len(then["phases"]) == len(now["phases"]) > 0
    for before_phase, phase in zip(then["phases"], now["phases"], strict=True):
        assert {n: phase.get(n) for n in COUNTED} == {n: before_phase.get(n) for n in COUNTED}


def test_old_rows_are_exported_and_compared_with_new_ones(old: Path, tmp_path: Path) -> None:
    """As one table with today's columns; a copy with rows of today's version compares as equal."""
    run = load(old / "windows")
    new = shutil.copytree(old / "windows", tmp_path / "new")
    manifest: dict[str, Any] = json.loads((new / "manifest.json").read_text())
    (new / "manifest.json").write_text(json.dumps(manifest | {"schema_version": SCHEMA_VERSION}))
    csv_parquet.write(run, new / "requests-local.csv")
    assert (new / "requests-local.csv").read_text("utf-8").splitlines()[0] == ",".join(COLUMNS)
    assert rows(load(new).requests) == rows(run.requests)
    assert main(["compare", str(old / "windows"), str(new), "--force"]) == 0
    csv_parquet.write_parquet(run, tmp_path / "old.parquet")
    assert (tmp_path / "old.parquet").stat().st_size > 0


def test_a_run_resumed_by_a_newer_version_is_one_run(old: Path) -> None:
    """It has a part file with old columns and one with today's."""
    folder = old / "interrupted"
    before = rows(load(folder).requests)
    new_records = [RequestRecord(**one) for one in before if one["phase"].endswith("/8")]
    new = [encode(one)[:] for one in new_records]
    place = COLUMNS.index("request_index")
    for number, cells in enumerate(new):
        cells[place] = str(100 + number)
    with (folder / "requests-local.2.csv").open("w", encoding="utf-8", newline="") as file:
        csv.writer(file).writerows([COLUMNS, *new])
    assert len(load(folder).requests) == len(before) + len(new)


@pytest.mark.parametrize("newer", [SCHEMA_VERSION + 1, 99])
def test_a_newer_run_is_refused_with_the_version_to_use(old: Path, newer: int) -> None:
    path = old / "smoke" / "manifest.json"
    manifest = json.loads(path.read_text())
    path.write_text(json.dumps(manifest | {"schema_version": newer, "needs_version": "0.9"}))
    with pytest.raises(RunError, match=f"schema version {newer}.*use Weighbridge 0.9 or newer"):
        load(path.parent)


def test_a_column_of_a_newer_version_is_refused_with_the_version_to_use(old: Path) -> None:
    folder = old / "smoke"
    part = folder / "requests-local.csv"
    lines = part.read_bytes().split(b"\r\n")
    part.write_bytes(
        b"\r\n".join([lines[0] + b",colour", *(li + b",red" for li in lines[1:-1]), b""])
    )
    manifest = json.loads((folder / "manifest.json").read_text())
    (folder / "manifest.json").write_text(json.dumps(manifest | {"needs_version": "0.9"}))
    with pytest.raises(RunError, match=r"line 1: .*\(colour\): use Weighbridge 0.9 or newer"):
        load(folder)
