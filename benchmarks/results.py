"""Results of a benchmark: its samples as JSON, with the machine they were taken on."""

import json
import os
import platform
import statistics
import time
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from pathlib import Path

FOLDER = Path(__file__).resolve().parent / "results"


@dataclass(frozen=True, slots=True)
class Finding:
    """One measured quantity of one tool, with all samples, in `unit`."""

    tool: str
    what: str
    unit: str
    samples: tuple[float, ...]

    @property
    def median(self) -> float:
        return statistics.median(self.samples)


def machine() -> dict[str, object]:
    """The machine and the versions that the figures depend on."""
    cpu = ""
    for line in Path("/proc/cpuinfo").read_text().splitlines():
        if line.startswith("model name"):
            cpu = line.partition(":")[2].strip()
            break
    return {
        "cpu": cpu,
        "cores": os.cpu_count(),
        "kernel": platform.release(),
        "python": platform.python_version(),
        "load_before": round(os.getloadavg()[0], 2),
    }


def save(name: str, findings: Sequence[Finding], notes: str = "", quick: bool = False) -> Path:
    """Writes the results of one benchmark, replacing an earlier file of that name."""
    FOLDER.mkdir(exist_ok=True)
    path = FOLDER / f"{name}.json"
    result = {
        "benchmark": name,
        "when": time.strftime("%Y-%m-%dT%H:%MZ", time.gmtime()),
        "quick": quick,
        "machine": machine(),
        "notes": notes,
        "findings": [asdict(finding) for finding in findings],
    }
    path.write_text(json.dumps(result, indent=1) + "\n")
    return path


def load(name: str) -> dict[str, object] | None:
    """A benchmark's last result; None if it has not been run."""
    path = FOLDER / f"{name}.json"
    return json.loads(path.read_text()) if path.exists() else None
