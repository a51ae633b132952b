"""More processes: what a request costs with a master and two workers, and the master's part of it.

Marginal CPU as in benchmarks/cpu.py, for each process by itself: the master's part is the cost of a
row sent to it.
"""

import os
import shutil
import subprocess
from collections import defaultdict
from pathlib import Path

from benchmarks.nginx import Nginx
from benchmarks.process import free_port, run
from benchmarks.results import Finding, save
from benchmarks.tools import KEY, WEIGHBRIDGE, Load

SIZES = (1000, 9000)
WORKERS = 2


def measure(target: Nginx, folder: Path, rounds: int, quick: bool) -> None:
    """Write results/scale.json."""
    samples: dict[tuple[str, str], list[float]] = defaultdict(list)
    for _ in range(rounds):
        alone, together, master = [], [], []
        for size in SIZES:
            used = WEIGHBRIDGE.send(target, Load(target.plain, size), folder / "alone")
            alone.append(used.own_cpu_s)
            master_s, workers_s = _distributed(target, size, folder / "together")
            together.append(workers_s)
            master.append(master_s)
        extra = SIZES[1] - SIZES[0]
        for what, cpu_s in (("alone", alone), ("worker", together), ("master", master)):
            samples[f"CPU per request: {what}", "ms"].append((cpu_s[1] - cpu_s[0]) / extra * 1000)
        efficiency = (alone[1] - alone[0]) / (together[1] - together[0]) * 100
        samples["efficiency of two workers against one process", "%"].append(efficiency)
    for (what, unit), values in samples.items():
        print(what, *(f"{value:.3f} {unit}" for value in values), flush=True)
    findings = [Finding("weighbridge", w, u, tuple(v)) for (w, u), v in samples.items()]
    save("scale", findings, quick=quick)


def _distributed(target: Nginx, size: int, folder: Path) -> tuple[float, float]:
    """The CPU time of the master itself, and of all workers together."""
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir(parents=True)
    port = free_port()
    env = {**os.environ, "OPENAI_API_KEY": KEY}
    whole = WEIGHBRIDGE.command(Load(target.plain, size), folder)
    head = whole[: whole.index("--headless")]
    worker = [*head, "--worker", "--master-host", "127.0.0.1", "--master-port", str(port)]
    workers = []
    for number in range(WORKERS):
        with (folder / f"worker-{number}.log").open("wb") as log:
            workers.append(
                subprocess.Popen(
                    list(map(str, worker)), env=env, stdout=log, stderr=log, cwd=folder
                )
            )
    try:
        bind = ["--master", "--master-bind-port", str(port), "--expect-workers", str(WORKERS)]
        used = run([*whole, *bind], folder / "master.log", env=env)
        cpu_s = 0.0
        for process in workers:
            _, _, usage = os.wait4(process.pid, 0)
            process.returncode = 0
            cpu_s += usage.ru_utime + usage.ru_stime
    finally:
        for process in workers:
            if process.returncode is None:
                process.kill()
                process.wait()
    return used.own_cpu_s, cpu_s
