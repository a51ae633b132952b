"""The notebook runs as it is, on a run of any kind."""

import importlib.util
import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from tests.analysis.runs import everything
from tests.locust_run import ROOT

NOTEBOOK = ROOT / "docs" / "notebook.ipynb"


def execute(notebook: dict[str, Any]) -> dict[str, Any]:
    spec = importlib.util.spec_from_file_location("notebook", ROOT / "docs" / "notebook.py")
    assert spec is not None and spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    executed: dict[str, Any] = module.execute(notebook)
    return executed


def test_every_cell_of_the_notebook_runs(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """In order, in one namespace; each code cell except the imports shows something."""
    monkeypatch.setenv("WEIGHBRIDGE_RUN", str(everything(tmp_path / "r")))
    executed = execute(json.loads(NOTEBOOK.read_text(encoding="utf-8")))
    cells = [cell for cell in executed["cells"] if cell["cell_type"] == "code"]
    assert len(cells) >= 7
    assert all(cell["outputs"] for cell in cells)
    assert "r" in "".join(cells[0]["outputs"][0]["text"])


def test_the_stored_outputs_are_of_a_simulated_run() -> None:
    """Every cell's, in the order of execution."""
    cells = [c for c in json.loads(NOTEBOOK.read_text("utf-8"))["cells"] if "outputs" in c]
    assert [cell["execution_count"] for cell in cells] == list(range(1, len(cells) + 1))
    assert "on the simulator" in "".join(cells[0]["outputs"][0]["text"])


def test_the_notebook_runs_in_its_own_folder(tmp_path: Path) -> None:
    """As Jupyter runs it, with nothing of ours on the path."""
    folder = everything(tmp_path / "r")
    script = (
        "import sys, json, pathlib, notebook; "
        "print(notebook.execute(json.loads(notebook.NOTEBOOK.read_text()))['cells'][1]['outputs'])"
    )
    env = {name: value for name, value in os.environ.items() if name != "PYTHONPATH"}
    completed = subprocess.run(
        [sys.executable, "-c", script], cwd=ROOT / "docs", text=True, capture_output=True,
        env=env | {"WEIGHBRIDGE_RUN": str(folder)}, timeout=120,
    )  # fmt: skip
    assert completed.returncode == 0, completed.stderr
    assert f"{folder.name}" in completed.stdout
