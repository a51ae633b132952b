"""Runs one process and measures what it and its children used."""

import os
import socket
import subprocess
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path


@dataclass(frozen=True, slots=True)
class Used:
    """What a finished process and every child that it waited for used.

    `cpu_s` is user + system time, `own_cpu_s` without its children's; `peak_rss_bytes` is that of
    the largest single process among them.
    """

    cpu_s: float
    own_cpu_s: float
    peak_rss_bytes: int
    wall_s: float
    output: str


class Failed(RuntimeError):
    """Raised if a measured command did not end in time with exit code 0."""


def run(
    command: Sequence[str | Path],
    log: Path,
    *,
    env: Mapping[str, str] | None = None,
    cwd: Path | None = None,
    longest_s: float = 300.0,
    watch: Callable[[int], None] | None = None,
) -> Used:
    """Runs a command to its end, with its output in `log`, and calls `watch(pid)` meanwhile.

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
    """A free loopback port."""
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port: int = free.getsockname()[1]
    return port


def own_cpu_s(pid: int) -> float:
    """User + system time of a process so far, without children (proc(5), stat fields 14 and 15)."""
    try:
        fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    except OSError:
        return 0.0
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


def rss_bytes(pid: int) -> int:
    """The current resident memory of a process; 0 if it has ended."""
    try:
        pages = int(Path(f"/proc/{pid}/statm").read_text().split()[1])
    except (OSError, IndexError):
        return 0
    return pages * os.sysconf("SC_PAGE_SIZE")
