"""A full or read-only disk: the run ends, reports it, and its rows are readable."""

import os
import socket
import subprocess
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from analysis.reading.load import load
from tests.chaos.trial import report
from tests.locust_run import LocustRun, run
from tests.simulated import Simulator

Start = Callable[..., Simulator]
WINDOW = ("--mode", "rpm", "--model", "m", "--target", 3000, "--duration", 6)


@contextmanager
def small_disk(place: Path, size: str, *more: str) -> Iterator[Path]:
    """A file system of this size; the test is skipped if none can be mounted."""
    if os.geteuid() != 0:
        pytest.skip("only root can mount a small disk")
    place.mkdir()
    mounted = subprocess.run(
        ["mount", "-t", "tmpfs", "-o", ",".join([f"size={size}", *more]), "tmpfs", str(place)],
        capture_output=True, text=True,
    )  # fmt: skip
    if mounted.returncode != 0:
        pytest.skip(f"no small disk can be mounted: {mounted.stderr.strip()}")
    try:
        yield place
    finally:
        subprocess.run(["umount", "-l", str(place)], check=True)


def two_processes() -> list[object]:
    """Options for two processes that communicate on their own port."""
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    return ["--processes", 2, "--master-bind-port", port, "--master-port", port]


def assert_ended_well(result: LocustRun, gateway: Simulator) -> None:
    """One sentence, exit code 1, nothing more sent; the server knows every recorded row."""
    assert result.code == 1, result.text
    assert "cannot be written (No space left on device)" in result.text
    assert "make room, then go on with --resume" in result.text
    assert "rows are not in" in result.text
    answered = {row["task_id"] for row in gateway.rows() if row["status"] == "200"}
    assert len(answered) < 250, "it went on sending"
    assert result.folder is not None
    frame = load(result.folder).requests
    assert 0 < len(frame) < 300
    assert set(frame[frame["success"]]["task_id"]) <= answered
    missing = len(answered) - int(frame["success"].sum())
    assert missing <= 20, "only what was in flight when the disk was full may be in no file"


def test_a_full_disk_ends_the_run(simulator: Start, tmp_path: Path) -> None:
    """One process: the rows that fit stay intact, and resuming after making room sends the rest."""
    gateway = simulator("--profile", "fast", "--latency", 0.05)
    with small_disk(tmp_path / "disk", "64k") as disk:
        result = run("-H", gateway.url, *WINDOW, results=disk / "results")
        assert_ended_well(result, gateway)
        assert result.folder is not None
        subprocess.run(["mount", "-o", "remount,size=4m", str(disk)], check=True)
        report(result.folder)
        again = run(
            "-H", gateway.url, "--resume", result.folder, "--resume-windows",
            results=tmp_path / "elsewhere",
        )  # fmt: skip
        assert again.code == 0, again.text
        report(result.folder)


@pytest.mark.parametrize("size", ["84k", pytest.param("96k", marks=pytest.mark.long)])
def test_a_full_disk_ends_a_run_of_two_processes(
    simulator: Start, tmp_path: Path, size: str
) -> None:
    """Workers and master share the disk: all of them stop, whichever file failed first."""
    gateway = simulator("--profile", "fast", "--latency", 0.05)
    with small_disk(tmp_path / "disk", size) as disk:
        result = run("-H", gateway.url, *WINDOW, *two_processes(), results=disk / "results")
        assert result.code == 1, result.text
        assert "cannot be written (No space left on device)" in result.text
        assert len(gateway.rows()) < 250, "it went on sending"
        assert result.folder is not None
        assert len(load(result.folder).requests) > 0


def test_a_disk_full_from_the_start_sends_nothing(simulator: Start, tmp_path: Path) -> None:
    """Not even the manifest fits: one sentence, exit code 2, nothing paid."""
    gateway = simulator("--profile", "fast")
    with small_disk(tmp_path / "disk", "16k") as disk:
        (disk / "filler").write_bytes(b"x" * 8192)
        result = run("-H", gateway.url, *WINDOW, results=disk / "results")
    assert result.code == 2, result.text
    assert "is full (No space left on device): make room" in result.text
    assert "Traceback" not in result.text
    assert gateway.rows() == []


def test_a_read_only_results_folder_is_refused(simulator: Start, tmp_path: Path) -> None:
    """Before anything is sent, in one sentence, with exit code 2."""
    gateway = simulator("--profile", "fast")
    with small_disk(tmp_path / "disk", "16k", "ro") as disk:
        result = run("-H", gateway.url, *WINDOW, results=disk / "results")
    assert result.code == 2, result.text
    assert "cannot be made (Read-only file system)" in result.text
    assert gateway.rows() == []
