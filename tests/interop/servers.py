"""Servers that we did not write, from PyPI, each in its own virtual environment.

They are kept outside the checkout and installed once per machine, because their dependencies
conflict with ours. If the installation fails, the tests are skipped with the reason.
"""

import contextlib
import fcntl
import os
import socket
import subprocess
import sys
import time
import venv
from collections.abc import Iterator
from pathlib import Path

import pytest

HOME = Path(os.environ.get("WEIGHBRIDGE_INTEROP", Path.home() / ".cache" / "weighbridge-interop"))
INSTALL_S = 600
START_S = 240


def installed(name: str, version: str, *packages: str) -> Path:
    """The `bin` folder of the virtual environment that holds these packages."""
    home = HOME / f"{name}-{version}"
    HOME.mkdir(parents=True, exist_ok=True)
    with (HOME / f"{name}.lock").open("w") as lock:  # tests run in several processes
        fcntl.flock(lock, fcntl.LOCK_EX)
        if not (home / "complete").exists():
            try:
                venv.create(home, with_pip=True)
                subprocess.run(
                    [home / "bin" / "python", "-m", "pip", "install", "--quiet",
                     "--disable-pip-version-check", *packages],
                    check=True, capture_output=True, text=True, timeout=INSTALL_S,
                )  # fmt: skip
            except (OSError, subprocess.SubprocessError) as error:
                complaint = str(getattr(error, "stderr", None) or error).strip().splitlines()
                pytest.skip(
                    f"{name} {version} cannot be installed: {complaint[-1] if complaint else error}"
                )
            (home / "complete").touch()
    return home / "bin"


def free_port() -> int:
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port: int = free.getsockname()[1]
        return port


@contextlib.contextmanager
def serving(arguments: list[str], port: int, log: Path, **more: str) -> Iterator[str]:
    """Runs a server process on a loopback port; yields its root URL. `more`: its environment."""
    kept = {k: v for k, v in os.environ.items() if not k.lower().endswith("_proxy")}
    with log.open("w") as out:
        process = subprocess.Popen(
            arguments,
            stdin=subprocess.PIPE,
            stdout=out,
            stderr=out,
            env=kept | more,
            cwd=log.parent,
        )
    try:
        deadline = time.monotonic() + START_S
        while not _listens(port):
            assert process.poll() is None and time.monotonic() < deadline, log.read_text()
            time.sleep(0.1)
        yield f"http://127.0.0.1:{port}"
    finally:
        process.kill()
        process.wait()


def _listens(port: int) -> bool:
    with socket.socket() as probe:
        return probe.connect_ex(("127.0.0.1", port)) == 0


needs_linux = pytest.mark.skipif(sys.platform != "linux", reason="its wheels are tried on Linux")
