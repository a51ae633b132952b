"""One measured process: its command, and what it and its children used."""

import os
import socket
import subprocess
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path


@dataclass(frozen=True, slots=True)
class Used:
    """What a finished process and every child it waited for used.

    `cpu_s` is user + system, `own_cpu_s` without its children's; `peak_rss_bytes` that of the
    largest single process among them.
    """

    cpu_s: float
    own_cpu_s: float
    peak_rss_bytes: int
    wall_s: float
    output: str


class Failed(RuntimeError):
    """Raised when a measured command did not end with exit code 0, or not in time."""


def run(
    command: Sequence[str | Path],
    log: Path,
    *,
    env: Mapping[str, str] | None = None,
    cwd: Path | None = None,
    longest_s: float = 300.0,
    watch: Callable[[int], None] | None = None,
) -> Used:
    """Run a command to its end, its output in `log`; `watch(pid)` is called meanwhile.

    Raises Failed.
    """
    began = time.monotonic()
    with log.open("wb") as out:
        process = subprocess.Popen(
            list(map(str, command)),
            stdin=subprocess.DEVNULL,
            stdout=out,
            stderr=subprocess.STDOUT,
            env=None if env is None else dict(env),
            cwd=cwd,
        )
    spent_s = 0.0
    while True:
        spent_s = own_cpu_s(process.pid) or spent_s
        ended, status, usage = os.wait4(process.pid, os.WNOHANG)
        if ended:
            break
        if time.monotonic() - began > longest_s:
            process.kill()
            os.wait4(process.pid, 0)
            raise Failed(f"{command[0]} did not end within {longest_s:g} s: {log}")
        if watch is not None:
            watch(process.pid)
        time.sleep(0.02)
    process.returncode = code = os.waitstatus_to_exitcode(status)
    if code != 0:
        tail = log.read_text(errors="replace")[-2000:]
        raise Failed(f"{' '.join(map(str, command))} ended with {code}:\n{tail}")
    return Used(
        cpu_s=usage.ru_utime + usage.ru_stime,
        own_cpu_s=spent_s,
        peak_rss_bytes=usage.ru_maxrss * 1024,
        wall_s=time.monotonic() - began,
        output=log.read_text(errors="replace"),
    )


def free_port() -> int:
    """A loopback port that nobody listens on."""
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port: int = free.getsockname()[1]
    return port


def own_cpu_s(pid: int) -> float:
    """User + system time so far of a process alone (proc(5): fields 14 and 15 of stat)."""
    try:
        fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    except OSError:
        return 0.0
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


def rss_bytes(pid: int) -> int:
    """Resident memory of a process now; 0: it is gone."""
    try:
        pages = int(Path(f"/proc/{pid}/statm").read_text().split()[1])
    except (OSError, IndexError):
        return 0
    return pages * os.sysconf("SC_PAGE_SIZE")
