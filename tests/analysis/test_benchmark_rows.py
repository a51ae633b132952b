"""The benchmark's runs are what the recorder would have written."""

import csv
from pathlib import Path

from analysis.reading.load import load
from benchmarks.rows import make
from recording.record import decode, encode


def test_the_benchmarks_lines_are_what_the_recorder_writes(tmp_path: Path) -> None:
    folder = make(tmp_path / "r", 2_000)
    for path in folder.glob("requests-*.csv"):
        with path.open(encoding="utf-8", newline="") as file:
            _, *lines = csv.reader(file)
        assert [encode(decode(line)) for line in lines] == lines
    run = load(folder)
    assert (len(run.requests), run.remarks) == (2_000, [])
    assert set(run.requests["outcome"]) == {"ok", "rate_limited"}
