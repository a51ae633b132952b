"""Locust's own options and files do what its documentation says, or say why not."""

import csv
from collections.abc import Callable
from pathlib import Path

import pytest

from tests.locust_run import environment, run
from tests.simulated import Simulator

Start = Callable[..., Simulator]


def test_config_file_environment_csv_and_html(simulator: Start, tmp_path: Path) -> None:
    """locust.conf < environment < command line; --csv and --html hold what was sent."""
    gateway = simulator("--profile", "fast")
    (tmp_path / "locust.conf").write_text("mode = rpm\nmodel = m\ntarget = 60\nduration = 9\n")
    done = run(
        "-H", gateway.url, "--duration", 2, "--csv", tmp_path / "locust", "--html",
        tmp_path / "locust.html", results=tmp_path / "results", cwd=tmp_path,
        env=environment(WEIGHBRIDGE_TARGET="600", WEIGHBRIDGE_DURATION="7"),
    )  # fmt: skip
    assert done.code == 0, done.text
    assert len(gateway.rows()) == len(done.rows()) == 20
    with (tmp_path / "locust_stats.csv").open(newline="") as file:
        entry, total = csv.DictReader(file)
    assert (entry["Type"], entry["Name"]) == ("CHAT", "rpm/m/600")
    assert entry["Request Count"] == total["Request Count"] == "20"
    longest_ms = max(row.elapsed_sec or 0 for row in done.rows()) * 1000
    assert float(entry["Max Response Time"]) == pytest.approx(longest_ms, abs=0.01)
    assert "rpm/m/600" in (tmp_path / "locust.html").read_text(encoding="utf-8")


@pytest.mark.parametrize(
    ("arguments", "sentence"),
    [
        (("-u", 5, "-t", "1s"), "weighbridge: -u, -t: mode interactive alone reads"),
        (("--tags", "any"), "weighbridge: --tags finds no task"),
    ],
)
def test_what_nobody_reads_is_refused(
    simulator: Start, tmp_path: Path, arguments: tuple[object, ...], sentence: str
) -> None:
    """A shape passes over users and run time, a tag finds no task: one sentence, nothing sent."""
    gateway = simulator("--profile", "fast")
    window = ("--mode", "rpm", "--model", "m", "--target", 60, "--duration", 2)
    done = run("-H", gateway.url, *window, *arguments, results=tmp_path / "results")
    assert done.code == 2, done.text
    assert sentence in done.err
    assert gateway.rows() == [] and done.folder is None
