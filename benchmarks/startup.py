"""How soon after its start the process sends the first request, and what imports cost."""

import csv
import os
import sys
import time
from pathlib import Path

from benchmarks.process import run
from benchmarks.results import Finding, save
from benchmarks.tools import ROOT


def measure(folder: Path, rounds: int, quick: bool) -> None:
    """Write results/startup.json."""
    first, analysis = [], []
    for number in range(rounds + 2):
        place = folder / str(number)
        place.mkdir(parents=True)
        log = place / "truth.csv"
        began = time.time()
        command = [
            sys.executable, "-m", "locust", "-f", ROOT / "locustfile.py", "--headless",
            "--mode", "smoke", "--simulator", "--simulator-profile", "fast", "--model", "m",
            "--simulator-log", log, "--results", place / "results",
        ]  # fmt: skip
        run(command, place / "out.log", env=os.environ, cwd=ROOT)
        with log.open(newline="") as file:
            arrivals = [float(row["arrival_unix_s"]) for row in csv.DictReader(file)]
        used = run([sys.executable, "-c", "import analysis.__main__"], place / "import", cwd=ROOT)
        if number:  # the first run fills the file and bytecode caches
            first.append(min(arrivals) - began)
            analysis.append(used.wall_s)
            print(f"first request after {first[-1]:.2f} s", flush=True)
    findings = [
        Finding("weighbridge", "start of the process to first request", "s", tuple(first)),
        Finding("weighbridge", "import of the analysis", "s", tuple(analysis)),
    ]
    save("startup", findings, quick=quick)
