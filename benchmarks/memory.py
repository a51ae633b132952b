"""Peak memory of one Locust process at 10,000 and at 200,000 recorded requests.

    python benchmarks/memory.py [--requests 10000,200000] [--fault error_500]

The simulator answers at once; the generator's peak RSS is the kernel's own count (VmHWM). With
`--fault` the gateway fails every request, each with a different error message. The result is
added to benchmarks/results/memory.json.
"""

import argparse
import json
import os
import platform
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parent.parent
RESULT = ROOT / "benchmarks" / "results" / "memory.json"
PER_SECOND = 400  # requests offered: below what one process can send


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("--requests", default="10000,200000")
    parser.add_argument("--fault", default="", help="the simulator's fault for every request")
    parser.add_argument("--per-second", type=int, default=PER_SECOND)
    given = parser.parse_args()
    known = json.loads(RESULT.read_text()) if RESULT.exists() else []
    for count in map(int, given.requests.split(",")):
        known.append(measure(count, given.fault, given.per_second))
        print(json.dumps(known[-1]), flush=True)
        RESULT.parent.mkdir(exist_ok=True)
        RESULT.write_text(json.dumps(known, indent=2) + "\n")


def measure(requests: int, fault: str, per_second: int) -> dict[str, Any]:
    """Makes one run of `requests`; returns the peak memory in megabytes."""
    simulator = [sys.executable, "-m", "simulator", "--port", "0", "--profile", "fast",
                 "--latency", "0.01", "--exit-with-parent"]  # fmt: skip
    if fault:
        simulator += ["--fault", fault]
    gateway = subprocess.Popen(
        simulator, cwd=ROOT, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    )
    assert gateway.stdout is not None
    url = gateway.stdout.readline().split()[-1]
    with tempfile.TemporaryDirectory() as results:
        began = time.monotonic()
        load = subprocess.Popen(
            [sys.executable, "-m", "locust", "-f", str(ROOT / "locustfile.py"), "--headless",
             "-H", url, "--mode", "rpm", "--model", "m", "--target", str(per_second * 60),
             "--duration", str(requests / per_second), "--stop-rule", "off", "--max-workers", "100",
             "--results", results],
            env={**os.environ, "OPENAI_API_KEY": "sk-memory-benchmark"},
            stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL,
        )  # fmt: skip
        peak_mb = 0.0
        while load.poll() is None:
            peak_mb = max(peak_mb, _peak_mb(load.pid))
            time.sleep(0.5)
        lasted_s = time.monotonic() - began
        (part,) = Path(results).glob("*/requests-local.csv")
        rows = part.read_bytes().count(b"\r\n") - 1
    gateway.kill()
    gateway.wait()
    return {
        "requests": requests, "rows": rows, "fault": fault, "exit_code": load.returncode,
        "peak_rss_mb": round(peak_mb, 1), "lasted_s": round(lasted_s), "cores": os.cpu_count(),
        "python": platform.python_version(),
    }  # fmt: skip


def _peak_mb(pid: int) -> float:
    try:
        status = Path(f"/proc/{pid}/status").read_text()
    except OSError:
        return 0.0
    return next((int(x.split()[1]) / 1024 for x in status.split("\n") if "VmHWM" in x), 0.0)


if __name__ == "__main__":
    main()
