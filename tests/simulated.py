"""The simulator as a test's oracle: its URL, and its own log of every request."""

import csv
import subprocess
import sys
from pathlib import Path

from tests.locust_run import CANARY, ROOT


class Simulator:
    """`python -m simulator` with the canary key; `rows` reads what it logged."""

    def __init__(self, log: Path, *arguments: object) -> None:
        self._log = log
        self._process = subprocess.Popen(
            [sys.executable, "-m", "simulator", "--port", "0", "--exit-with-parent",
             "--key", CANARY, "--log", str(log), *map(str, arguments)],
            cwd=ROOT, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True,
        )  # fmt: skip
        assert self._process.stdout is not None
        line = self._process.stdout.readline()
        assert line.startswith("simulator ready "), line
        self.url = line.split()[-1]

    def rows(self) -> list[dict[str, str]]:
        """Every request it has answered, as its log has them."""
        csv.field_size_limit(1 << 24)
        with self._log.open(encoding="utf-8", newline="") as file:
            return list(csv.DictReader(file))

    def stop(self) -> None:
        self._process.terminate()
        self._process.wait(10)
