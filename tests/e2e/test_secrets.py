"""The API key, a marker string, is looked for in everything a run writes and prints."""

import subprocess
import time
from collections.abc import Callable
from pathlib import Path

import pytest

from tests.locust_run import CANARY, command, environment, run
from tests.simulated import Simulator

Start = Callable[..., Simulator]


def leaks(folder: Path) -> list[str]:
    """The files below the folder that hold the key."""
    files = [path for path in folder.rglob("*") if path.is_file() and "simulator" not in path.name]
    return [str(path) for path in files if CANARY.encode() in path.read_bytes()]


@pytest.mark.parametrize("stream", [False, True])
def test_the_key_is_in_no_file_and_no_line(simulator: Start, tmp_path: Path, stream: bool) -> None:
    """Not in answers, not in refusals, and not when the gateway echoes the Authorization header."""
    gateway = simulator("--profile", "fast", "--fault", "echo_auth=0.25",
                        "--fault", "error_401=0.25", "--fault", "error_500=0.25")  # fmt: skip
    done = run(
        "-H", gateway.url, "--mode", "rpm", "--model", "m", "--target", 600, "--duration", 2,
        "--output", tmp_path / "out.jsonl", "--csv", tmp_path / "locust", "--html",
        tmp_path / "locust.html", "--loglevel", "DEBUG", "--stop-rule", "off",
        *(["--stream"] if stream else []),
        results=tmp_path / "results", env=environment(OPENAI_LOG="debug"),
    )  # fmt: skip
    rows = done.rows()
    assert len(rows) == 20
    assert {"ok", "auth", "server_error"} <= {row.outcome for row in rows}
    assert any("[key]" in (row.error_message or "") for row in rows)
    assert CANARY not in done.text
    assert leaks(tmp_path) == []


def test_the_key_is_not_in_the_process_list(simulator: Start, tmp_path: Path) -> None:
    """Neither Locust nor its simulator show it on their command lines."""
    gateway = simulator("--profile", "fast")
    process = subprocess.Popen(
        command("--results", tmp_path / "results", "-H", gateway.url, "--mode", "rpm",
                "--model", "m", "--target", 60, "--duration", 3),
        env=environment(), stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL,
    )  # fmt: skip
    time.sleep(3)
    shown = Path(f"/proc/{process.pid}/cmdline").read_bytes()
    assert process.wait(240) == 0
    assert CANARY.encode() not in shown


def test_what_a_run_writes_is_its_owners_alone(simulator: Start, tmp_path: Path) -> None:
    """Files that hold replies are readable by their owner only."""
    gateway = simulator("--profile", "fast")
    done = run(
        "-H", gateway.url, "--mode", "rpm", "--model", "m", "--target", 60, "--duration", 2,
        results=tmp_path / "results",
    )  # fmt: skip
    assert done.folder is not None
    modes = {path.name: oct(path.stat().st_mode & 0o077) for path in done.folder.iterdir()}
    assert set(modes.values()) == {"0o0"}, modes
