"""Takes the processor away from a load generator while it measures."""

import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

from tests.locust_run import ROOT, LocustRun, command, environment

LONGEST_S = 180.0
CGROUP = Path("/sys/fs/cgroup/cpu")


def run(
    *arguments: object,
    results: Path,
    before: tuple[str, ...] = (),
    starve: Callable[["subprocess.Popen[str]"], None] = lambda process: None,
) -> LocustRun:
    """Run Locust as tests/locust_run.py does, behind `before`; `starve` is called again and again
    from the first phase's start to the end."""
    process = subprocess.Popen(
        [*before, *command("--results", results, *arguments)],
        cwd=ROOT, env=environment(), stdin=subprocess.DEVNULL, stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT, text=True,
    )  # fmt: skip
    try:
        deadline = time.monotonic() + LONGEST_S
        while process.poll() is None and not _happened(results, "phase_end"):
            assert time.monotonic() < deadline, "the run does not end"
            if _happened(results, "phase_start"):
                starve(process)
            else:
                time.sleep(0.02)
        out, _ = process.communicate(timeout=LONGEST_S)
    finally:
        process.kill()
        process.wait()
    folders = sorted(results.iterdir()) if results.exists() else []
    return LocustRun(process.returncode, out, "", folders[-1] if folders else None)


def _happened(results: Path, event: str) -> bool:
    name = f'"{event}"'
    return any(name in path.read_text(encoding="utf-8") for path in results.glob("*/events.jsonl"))


def pulse(process: "subprocess.Popen[str]") -> None:
    """Stand still for a fifth of a second, then work for a tenth."""
    process.send_signal(signal.SIGSTOP)
    time.sleep(0.2)
    process.send_signal(signal.SIGCONT)
    time.sleep(0.1)


@contextmanager
def hogs(count: int = 4) -> Iterator[tuple[str, ...]]:
    """Busy loops on one core; the words that put a command on that core, behind them."""
    core = str(min(os.sched_getaffinity(0)))
    loop = [sys.executable, "-c", f"import time\nend = time.time() + {LONGEST_S}\n"
            "while time.time() < end: pass"]  # fmt: skip
    busy = [subprocess.Popen(["taskset", "-c", core, *loop]) for _ in range(count)]
    try:
        yield ("taskset", "-c", core, "nice", "-n", "19")
    finally:
        for one in busy:
            one.kill()
            one.wait()


@contextmanager
def quota(share: float) -> Iterator[Path | None]:
    """A cgroup (version 1) that gets so much of one core; None where none can be made."""
    group = CGROUP / f"weighbridge-{os.getpid()}"
    try:
        group.mkdir()
        (group / "cpu.cfs_period_us").write_text("100000")
        (group / "cpu.cfs_quota_us").write_text(str(int(share * 100_000)))
    except OSError:
        if group.is_dir():
            group.rmdir()
        yield None
        return
    try:
        yield group
    finally:
        for _ in range(200):
            try:
                group.rmdir()
                break
            except OSError:
                time.sleep(0.02)
