"""The tools we compare with, each in its own virtual environment outside the repository."""

import os
import subprocess
import sys
from pathlib import Path

HOME = Path(os.environ.get("XDG_CACHE_HOME", Path.home() / ".cache")) / "weighbridge-bench"
REQUIREMENTS = {
    "evalscope": "evalscope[perf]==1.14.1",
    "aiperf": "aiperf==0.13.0",
    "guidellm": "guidellm==0.8.1",
}


def program(tool: str) -> Path:
    """The command of a peer."""
    return HOME / tool / "bin" / tool


def install(tool: str) -> bool:
    """Installs a peer unless it is installed already; returns whether it is available."""
    marker = HOME / tool / "installed"
    if marker.exists() and marker.read_text() == REQUIREMENTS[tool]:
        return True
    HOME.mkdir(parents=True, exist_ok=True)
    print(f"installing {REQUIREMENTS[tool]} in {HOME / tool}", flush=True)
    python = HOME / tool / "bin" / "python"
    completed = subprocess.run([sys.executable, "-m", "venv", HOME / tool])
    if completed.returncode == 0:
        completed = subprocess.run([python, "-m", "pip", "install", "-q", REQUIREMENTS[tool]])
    if completed.returncode == 0 and program(tool).exists():
        marker.write_text(REQUIREMENTS[tool])
        return True
    print(f"{tool} could not be installed: it is left out", flush=True)
    return False
