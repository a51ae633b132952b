"""Locust's own options and files work as documented, or are refused with a reason."""

import csv
import json
import os
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from tests.locust_run import ROOT, command, environment, run
from tests.simulated import Simulator

Start = Callable[..., Simulator]


def test_config_file_environment_csv_and_html(simulator: Start, tmp_path: Path) -> None:
    """locust.conf < environment < command line; --csv and --html show what was sent."""
    gateway = simulator("--profile", "fast")
    (tmp_path / "locust.conf").write_text("mode = rpm\nmodel = m\ntarget = 60\nduration = 9\n")
    result = run(
        "-H", gateway.url, "--duration", 2, "--csv", tmp_path / "locust", "--html",
        tmp_path / "locust.html", results=tmp_path / "results", cwd=tmp_path,
        env=environment(WEIGHBRIDGE_TARGET="600", WEIGHBRIDGE_DURATION="7"),
    )  # fmt: skip
    assert result.code == 0, result.text
    assert len(gateway.rows()) == len(result.rows()) == 20
    with (tmp_path / "locust_stats.csv").open(newline="") as file:
        entry, total = csv.DictReader(file)
    assert (entry["Type"], entry["Name"]) == ("CHAT", "rpm/m/600")
    assert entry["Request Count"] == total["Request Count"] == "20"
    longest_ms = max(row.elapsed_sec or 0 for row in result.rows()) * 1000
    assert float(entry["Max Response Time"]) == pytest.approx(longest_ms, abs=0.01)
    assert "rpm/m/600" in (tmp_path / "locust.html").read_text(encoding="utf-8")


@pytest.mark.parametrize(
    ("arguments", "sentence"),
    [
        (("-u", 5, "-t", "1s"), "weighbridge: -u, -t: only mode interactive reads"),
        (("--tags", "any"), "weighbridge: --tags finds no task"),
        (("--hold", 5), "weighbridge: --hold works only with --mode ladder or full; remove it."),
        (("m2",), "weighbridge: m2 is neither an option nor a user class: write --name VALUE"),
        (("--targt", 5), "weighbridge: --targt is not an option: did you mean --target?"),
    ],
)
def test_options_without_effect_are_refused(
    simulator: Start, tmp_path: Path, arguments: tuple[object, ...], sentence: str
) -> None:
    """A shape ignores users and run time, a tag matches no task: one sentence, nothing sent."""
    gateway = simulator("--profile", "fast")
    window = ("--mode", "rpm", "--model", "m", "--target", 60, "--duration", 2)
    result = run("-H", gateway.url, *window, *arguments, results=tmp_path / "results")
    assert result.code == 2, result.text
    assert sentence in result.err
    assert gateway.rows() == [] and result.folder is None


def test_json_has_stdout_to_itself(simulator: Start, tmp_path: Path) -> None:
    """Locust's --json is for a program that reads stdout: our summary goes to stderr."""
    gateway = simulator("--profile", "fast")
    result = run(
        "-H", gateway.url, "--mode", "smoke", "--model", "m", "--json", results=tmp_path / "r"
    )
    assert result.code == 0, result.text
    names = [entry["name"] for entry in json.loads(result.out)]
    assert names == ["smoke/chat/m", "smoke/stream/m"]
    assert "report.html" in result.err and "smoke/chat/m" in result.err


@pytest.mark.parametrize("option", ["--model", "--results"])
def test_an_argument_that_is_not_text_is_refused_in_one_sentence(
    simulator: Start, tmp_path: Path, option: str
) -> None:
    """The byte cannot be written to the manifest; the process used to hang."""
    gateway = simulator("--profile", "fast")
    window = {"--mode": "smoke", "--model": "m", "--results": str(tmp_path / "r")}
    words = [os.fsencode(word) for pair in (window | {option: "?"}).items() for word in pair]
    words[words.index(b"?")] = b"caf\xe9"
    result = subprocess.run(
        [*map(os.fsencode, command("-H", gateway.url)), *words], cwd=tmp_path, env=environment(),
        capture_output=True, timeout=60, stdin=subprocess.DEVNULL,
    )  # fmt: skip
    assert result.returncode == 2
    assert f"weighbridge: {option} contains bytes that are not UTF-8 text".encode() in result.stderr
    assert gateway.rows() == []


@pytest.mark.parametrize("mode", ["smoke", "interactive"])
def test_an_exception_while_the_run_begins_ends_the_process(tmp_path: Path, mode: str) -> None:
    """Any exception, in a mode with a plan and in one without: exit code 1, no hang."""
    broken = (
        "from weighbridge.users import GatewayUser\n"
        "import engine.run_manifest as s\n"
        "def fails(*a, **k): raise KeyError('no such thing')\n"
        "s.write_json = fails\n"
    )
    (tmp_path / "own.py").write_text(broken, encoding="utf-8")
    result = subprocess.run(
        [sys.executable, "-m", "locust", "-f", "own.py", "--headless", "--simulator", "--mode",
         mode, "--model", "gpt-5.4-nano"],
        cwd=tmp_path, env=environment(PYTHONPATH=str(ROOT)), capture_output=True, text=True,
        timeout=60, stdin=subprocess.DEVNULL,
    )  # fmt: skip
    assert result.returncode == 1, result.stderr
    assert "the run cannot be recorded" in result.stderr


@pytest.mark.long
def test_processes_of_the_environment_get_a_port_of_their_own() -> None:
    """Otherwise two runs with LOCUST_PROCESSES on one machine would take each other's workers."""
    script = (
        "import sys, os; sys.argv = ['locust']; import weighbridge.users; "
        "print(os.environ.get('LOCUST_MASTER_BIND_PORT', 'none'))"
    )
    two = {"LOCUST_PROCESSES": "2"}
    ports = [
        subprocess.run(
            [sys.executable, "-c", script], cwd=ROOT, env=environment(**more), text=True,
            capture_output=True, timeout=60, check=True,
        ).stdout.strip()
        for more in ({}, two, two | {"LOCUST_MODE_WORKER": "1"})
    ]  # fmt: skip
    assert ports[0] == ports[2] == "none"
    assert ports[1].isdigit()


def test_running_the_locustfile_with_python_explains_what_to_do() -> None:
    result = subprocess.run(
        [sys.executable, "locustfile.py"], cwd=ROOT, env=environment(), capture_output=True,
        text=True, timeout=60,
    )  # fmt: skip
    assert result.returncode == 2
    assert result.stderr.startswith("weighbridge: this file is for Locust: run weighbridge, or ")
