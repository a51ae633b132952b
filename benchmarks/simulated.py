"""What the simulator can serve on one core, so that its limit is not taken for the generator's."""

import shutil
import subprocess
import sys
from pathlib import Path

from benchmarks.process import own_cpu_s
from benchmarks.results import Finding, save
from benchmarks.tools import ROOT

_SCRIPT = """
wrk.method = "POST"
wrk.headers["Content-Type"] = "application/json"
wrk.headers["Authorization"] = "Bearer sk-bench"
wrk.body = '{"model": "m", "messages": [{"role": "user", "content": "hi"}], "stream": %s}'
"""


def measure(folder: Path, rounds: int, quick: bool) -> None:
    """Writes results/simulator.json. Raises RuntimeError without wrk."""
    if shutil.which("wrk") is None:
        raise RuntimeError("wrk is not installed: apt-get install wrk")
    folder.mkdir(parents=True)
    plain, streamed = [], []
    seconds = 3 if quick else 10
    for _ in range(rounds):
        plain.append(_per_core_second(folder, seconds, stream=False))
        streamed.append(_per_core_second(folder, seconds, stream=True))
        print(
            f"simulator: {plain[-1]:.0f} requests, {streamed[-1]:.0f} streams per core s",
            flush=True,
        )
    findings = [
        Finding("simulator", "requests a core serves", "1/s", tuple(plain)),
        Finding("simulator", "200-token streams a core serves", "1/s", tuple(streamed)),
    ]
    save("simulator", findings, quick=quick)


def _per_core_second(folder: Path, seconds: int, *, stream: bool) -> float:
    script = folder / "post.lua"
    script.write_text(_SCRIPT % ("true" if stream else "false"))
    pace = ["--reply-tokens", "200", "--tokens-per-s", "0"] if stream else []
    command = [sys.executable, "-m", "simulator", "--port", "0", "--profile", "fast", *pace]
    server = subprocess.Popen(command, stdout=subprocess.PIPE, text=True, cwd=ROOT)
    assert server.stdout is not None
    try:
        base_url = server.stdout.readline().strip().rsplit(" ", 1)[1]
        before = own_cpu_s(server.pid)
        completed = subprocess.run(
            ["wrk", "-t1", "-c16", f"-d{seconds}s", "-s", script, f"{base_url}/chat/completions"],
            capture_output=True, text=True, check=True,
        ).stdout  # fmt: skip
        used_s = own_cpu_s(server.pid) - before
    finally:
        server.terminate()
        server.wait(10)
    assert "Non-2xx" not in completed, completed
    return int(completed.partition(" requests in")[0].split()[-1]) / used_s
