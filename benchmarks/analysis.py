"""What the analysis costs: CPU and memory of `summary` and `report` against the number of rows.

    python -m benchmarks.analysis --rows 100000,1000000,10000000

Each size gets its own run (benchmarks/rows.py) under --scratch; the first command reads the CSV and
leaves the cache for the others. CPU is that of the whole process, user and system, so that a busy
machine matters less; the wall-clock time is listed as well.
"""

import argparse
import json
import os
import shutil
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from typing import Any

from benchmarks.rows import make

ROOT = Path(__file__).resolve().parent.parent
RESULTS = ROOT / "benchmarks" / "results" / "analysis.json"
STEPS = (
    ("report_from_csv", ("report",)),
    ("report_from_cache", ("report",)),
    ("summary_from_cache", ("summary",)),
)


def main() -> None:
    """Measures every size and writes benchmarks/results/analysis.json."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.analysis")
    parser.add_argument(
        "--rows", default="100000,1000000,10000000", help="sizes, separated by commas"
    )
    parser.add_argument("--scratch", type=Path, help="where the runs are created and kept")
    options = parser.parse_args()
    scratch = options.scratch or Path(tempfile.mkdtemp(prefix="weighbridge-"))
    sizes = []
    try:
        for count in map(int, options.rows.split(",")):
            folder = scratch / f"rows-{count}"
            if not folder.is_dir():
                make(folder, count)
            (folder / ".requests.parquet").unlink(missing_ok=True)
            steps = {name: measure(*command, str(folder)) for name, command in STEPS}
            size = (folder / "report.html").stat().st_size
            sizes.append({"rows": count, **steps, "report_html_bytes": size})
            print(json.dumps(sizes[-1]), flush=True)
    finally:
        if options.scratch is None:
            shutil.rmtree(scratch)
    RESULTS.parent.mkdir(parents=True, exist_ok=True)
    machine = {"cores": os.cpu_count(), "python": sys.version.split()[0]}
    report = json.dumps({"machine": machine, "sizes": sizes}, indent=2) + "\n"
    RESULTS.write_text(report, encoding="utf-8")


def measure(*arguments: str) -> dict[str, Any]:
    """Runs one command of the analysis as a process: CPU, wall-clock time and peak memory."""
    begun = time.perf_counter()
    command = [sys.executable, "-m", "analysis", *arguments]
    process = subprocess.Popen(command, cwd=ROOT, stdout=subprocess.DEVNULL)
    _, status, used = os.wait4(process.pid, 0)
    if status:
        raise SystemExit(f"{' '.join(command)} failed.")
    return {
        "cpu_s": round(used.ru_utime + used.ru_stime, 2),
        "wall_s": round(time.perf_counter() - begun, 2),
        "peak_rss_mb": round(used.ru_maxrss / 1024),
    }


if __name__ == "__main__":
    main()
