"""Starves a load generator of CPU while it measures, and restores it afterwards."""

import contextlib
import os
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager
from pathlib import Path

from tests.locust_run import ROOT, LocustRun, command, environment

LONGEST_S = 180.0
CGROUP = Path("/sys/fs/cgroup/cpu")
Process = subprocess.Popen[str]
Starve = Callable[[Process], AbstractContextManager[None]]


def run(*arguments: object, results: Path, starve: Starve) -> LocustRun:
    """Run Locust as tests/locust_run.py does, starved from its first phase's start to its end."""
    process = subprocess.Popen(
        command("--results", results, *arguments),
        cwd=ROOT, env=environment(), stdin=subprocess.DEVNULL, stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT, text=True,
    )  # fmt: skip
    try:
        _wait(process, results, "phase_start")
        with starve(process):
            _wait(process, results, "phase_end")
        out, _ = process.communicate(timeout=LONGEST_S)
    finally:
        process.kill()
        process.wait()
    folders = sorted(results.iterdir()) if results.exists() else []
    return LocustRun(process.returncode, out, "", folders[-1] if folders else None)


def _wait(process: Process, results: Path, event: str) -> None:
    deadline = time.monotonic() + LONGEST_S
    while process.poll() is None and not _happened(results, event):
        assert time.monotonic() < deadline, f"no {event}"
        time.sleep(0.02)


def _happened(results: Path, event: str) -> bool:
    return any(
        f'"{event}"' in path.read_text(encoding="utf-8") for path in results.glob("*/events.jsonl")
    )


@contextmanager
def stopped(process: Process) -> Iterator[None]:
    """It is stopped for a fifth of a second and runs for a tenth, repeatedly."""
    over = threading.Event()

    def pulse() -> None:
        while not over.is_set() and process.poll() is None:
            process.send_signal(signal.SIGSTOP)
            time.sleep(0.2)
            process.send_signal(signal.SIGCONT)
            time.sleep(0.1)

    pulses = threading.Thread(target=pulse)
    pulses.start()
    try:
        yield
    finally:
        over.set()
        pulses.join()


@contextmanager
def hogged(process: Process) -> Iterator[None]:
    """It shares one core with two busy loops, at a lower priority."""
    cores = os.sched_getaffinity(process.pid)
    core = {min(cores)}
    loop = f"import time\nend = time.time() + {LONGEST_S}\nwhile time.time() < end: pass"
    hogs = [subprocess.Popen([sys.executable, "-c", loop]) for _ in range(2)]
    for hog in hogs:
        os.sched_setaffinity(hog.pid, core)
    os.sched_setaffinity(process.pid, core)
    os.setpriority(os.PRIO_PROCESS, process.pid, 19)
    try:
        yield
    finally:
        for hog in hogs:
            hog.kill()
            hog.wait()
        with contextlib.suppress(OSError):  # it may be gone; only root may make it less nice
            os.sched_setaffinity(process.pid, cores)
            os.setpriority(os.PRIO_PROCESS, process.pid, 0)


@contextmanager
def quota(process: Process) -> Iterator[None]:
    """It gets a seventieth of a core from a cgroup. Raises OSError if none can be created."""
    group = CGROUP / f"weighbridge-{process.pid}"
    group.mkdir()
    try:
        (group / "cpu.cfs_quota_us").write_text("1500")  # of every 100,000
        (group / "cgroup.procs").write_text(str(process.pid))
        yield
    finally:
        (group / "cpu.cfs_quota_us").write_text("-1")
        with contextlib.suppress(OSError):
            (CGROUP / "cgroup.procs").write_text(str(process.pid))
        with contextlib.suppress(OSError):
            group.rmdir()


def can_have_quota() -> bool:
    """Whether a cgroup with a CPU quota can be made here."""
    group = CGROUP / f"weighbridge-trial-{os.getpid()}"
    try:
        group.mkdir()
        possible = (group / "cpu.cfs_quota_us").exists()
        group.rmdir()
    except OSError:
        return False
    return possible
