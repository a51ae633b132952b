"""The GitHub Action of docs/how-to/compat.md: its own steps, run as a shell runs them."""

import re
import subprocess
import sys
from pathlib import Path

import pytest
import yaml

from tests.locust_run import environment

ROOT = Path(__file__).resolve().parent.parent.parent
EXAMPLE = ROOT / "docs" / "examples" / "compat.yml"


def test_the_page_shows_the_example_workflow() -> None:
    page = (ROOT / "docs" / "how-to" / "compat.md").read_text(encoding="utf-8")
    assert EXAMPLE.read_text(encoding="utf-8") in page


@pytest.mark.slow
def test_the_steps_of_the_example_workflow_run(tmp_path: Path) -> None:
    steps = yaml.safe_load(EXAMPLE.read_text(encoding="utf-8"))["jobs"]["compat"]["steps"]
    commands = [step["run"] for step in steps if step.get("run") not in (None, "make setup")]
    assert len(commands) == 2
    for command in commands:
        run_here = re.sub(r"\.venv/bin/(locust|python)", lambda m: _module(m[1]), command)
        run_here = run_here.replace("results/compat.xml", f"{tmp_path}/compat.xml")
        run_here = run_here.replace("--run-id", f"--results {tmp_path} --run-id")
        completed = subprocess.run(
            ["bash", "-e", "-c", run_here], cwd=ROOT, env=environment(), capture_output=True,
            text=True, timeout=120,
        )  # fmt: skip
        assert completed.returncode == 0, completed.stdout + completed.stderr
    assert "<failure" not in (tmp_path / "compat.xml").read_text(encoding="utf-8")
    assert (tmp_path / "compat" / "compat.json").is_file()


def _module(name: str) -> str:
    return f"{sys.executable} -m locust" if name == "locust" else sys.executable
