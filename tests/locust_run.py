"""Runs Locust as a user would, in a process of its own, and reads what it left."""

import csv
import json
import os
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from loadshapes.phase import Phase
from recording.not_sent import EVENT, Unsent
from recording.record import COLUMNS, RequestRecord, decode
from tasks.job import Job, Origin
from tasks.row import planned_only

ROOT = Path(__file__).resolve().parent.parent
CANARY = "sk-canary-4d1f0c7a9b"  # the key of every test run; it must appear nowhere


@dataclass
class LocustRun:
    """A finished process, and the run folder it wrote (None: none)."""

    code: int
    out: str
    err: str
    folder: Path | None

    @property
    def text(self) -> str:
        return self.out + self.err

    def rows(self) -> list[RequestRecord]:
        """Every row of the run, by phase and index; what was not sent is unfolded."""
        assert self.folder is not None, self.text
        found = []
        for path in sorted(self.folder.glob("requests-*.csv")):
            with path.open(encoding="utf-8", newline="") as file:
                cells = csv.reader(file)
                assert tuple(next(cells)) == COLUMNS
                found += map(decode, cells)
        lines = [Unsent.of(event) for event in self.events(EVENT)]
        seen = {(row.phase, row.request_index) for row in found}
        plan = {phase["name"]: Phase.of(phase) for phase in self.manifest()["plan"]}
        for line in lines:
            for index in line.indices:
                if (line.phase, index) not in seen:
                    job = Job(plan[line.phase], index, 0.0, None, lambda _: None)
                    origin = Origin(line.run_id, line.worker, "")
                    found.append(planned_only(job, origin, line.reason))
        return sorted(found, key=lambda row: (row.phase, row.request_index))

    def events(self, name: str = "") -> list[dict[str, Any]]:
        """The run's events, of one name or all."""
        assert self.folder is not None, self.text
        lines = (self.folder / "events.jsonl").read_text(encoding="utf-8").splitlines()
        events = [json.loads(line) for line in lines]
        return [event for event in events if not name or event["event"] == name]

    def manifest(self) -> dict[str, Any]:
        assert self.folder is not None, self.text
        made: dict[str, Any] = json.loads((self.folder / "manifest.json").read_text("utf-8"))
        return made


def environment(**more: str) -> dict[str, str]:
    """An environment without this machine's gateways and proxies, with the canary key."""
    hidden = ("NONELINEAR_", "OPENAI_", "WEIGHBRIDGE_", "LOCUST_")
    kept = {
        name: value
        for name, value in os.environ.items()
        if not name.startswith(hidden) and not name.lower().endswith("_proxy")
    }
    return {**kept, "OPENAI_API_KEY": CANARY, **more}


def command(*arguments: object) -> list[str]:
    """The command line of a headless run."""
    file = str(ROOT / "locustfile.py")
    return [sys.executable, "-m", "locust", "-f", file, "--headless", *map(str, arguments)]


def run(
    *arguments: object,
    results: Path,
    env: dict[str, str] | None = None,
    cwd: Path = ROOT,
    timeout_s: float = 240,
) -> LocustRun:
    """Run Locust headless to its end; `results` must hold no run yet."""
    done = subprocess.run(
        command("--results", results, *arguments),
        cwd=cwd,
        env=env or environment(),
        capture_output=True,
        text=True,
        timeout=timeout_s,
        stdin=subprocess.DEVNULL,
    )
    folders = sorted(results.iterdir()) if results.exists() else []
    return LocustRun(done.returncode, done.stdout, done.stderr, folders[-1] if folders else None)
