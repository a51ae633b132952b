"""Writes a run's report in a separate process, so that no request waits for it."""

import os
import subprocess
import sys
from pathlib import Path
from typing import IO

from recording.manifest import ROOT
from settings.endpoint import without_keys
from settings.options import Options


def report(folder: Path, options: Options, out: IO[str] | None = None) -> int:
    """Summarize, report and judge the run in a folder; the exit code.

    What it prints goes to `out`, a file of this process (None: its stdout).
    """
    command = [sys.executable, "-m", "analysis", "report", str(folder), "--print"]
    command += ["--lang", options.lang, f"--fail-on={options.fail_on}"]
    for name in ("output", "junit"):
        if path := getattr(options, name):
            command += [f"--{name}", str(Path(path).resolve())]
    env = without_keys(os.environ)
    completed = subprocess.run(command, cwd=ROOT, env=env, stdin=subprocess.DEVNULL, stdout=out)
    return completed.returncode
