"""One measured process: its command, and what it and its children used."""

import os
import subprocess
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path


@dataclass(frozen=True, slots=True)
class Used:
    """What a finished process and every child it waited for used.

    `cpu_s` is user + system; `peak_rss_bytes` that of the largest single process among them.
    """

    cpu_s: float
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
) -> Used:
    """Run a command to its end, its output in `log`. Raises Failed."""
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
    while True:
        ended, status, usage = os.wait4(process.pid, os.WNOHANG)
        if ended:
            break
        if time.monotonic() - began > longest_s:
            process.kill()
            os.wait4(process.pid, 0)
            raise Failed(f"{command[0]} did not end within {longest_s:g} s: {log}")
        time.sleep(0.02)
    process.returncode = code = os.waitstatus_to_exitcode(status)
    if code != 0:
        tail = log.read_text(errors="replace")[-2000:]
        raise Failed(f"{' '.join(map(str, command))} ended with {code}:\n{tail}")
    return Used(
        cpu_s=usage.ru_utime + usage.ru_stime,
        peak_rss_bytes=usage.ru_maxrss * 1024,
        wall_s=time.monotonic() - began,
        output=log.read_text(errors="replace"),
    )
