"""A command of `python -m analysis` in a process of its own, so that no request waits for it."""

import os
import subprocess
import sys
from pathlib import Path
from typing import IO

from recording.folder import from_here
from recording.manifest import ROOT
from settings.endpoint import without_keys
from settings.options import Options


def analysis(
    *arguments: object, out: int | IO[str] | None = None, err: int | None = None
) -> "subprocess.CompletedProcess[str]":
    """Run a command to its end, in our working folder: a relative path means what it does here.

    `out` and `err` are as in subprocess.run (None: ours).
    """
    # -P: the working folder may have a package of that name, too.
    command = [sys.executable, "-P", "-m", "analysis", *map(str, arguments)]
    searched = filter(None, (str(ROOT), os.environ.get("PYTHONPATH")))
    env = {**without_keys(os.environ), "PYTHONPATH": os.pathsep.join(searched)}
    return subprocess.run(
        command, env=env, stdin=subprocess.DEVNULL, stdout=out, stderr=err, text=True
    )


def report(folder: Path, options: Options, out: IO[str] | None = None) -> int:
    """Summarize, report and judge the run in a folder; the exit code.

    What it prints goes to `out`, a file of this process (None: its stdout).
    """
    command = ["report", from_here(folder), "--print"]
    command += ["--lang", options.lang, f"--fail-on={options.fail_on}"]
    for name in ("output", "junit"):
        if path := getattr(options, name):
            command.append(f"--{name}={path}")
    return analysis(*command, out=out).returncode
