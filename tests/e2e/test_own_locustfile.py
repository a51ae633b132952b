"""The operator's own locustfile drives the run, or one sentence says why it cannot."""

import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from tests.locust_run import ROOT, LocustRun, environment
from tests.simulated import Simulator

Start = Callable[..., Simulator]
IMPORTS = "from locust import HttpUser, LoadTestShape, task\n"
SHAPE = "class Stages(LoadTestShape):\n    def tick(self):\n        return (1, 1)\n"
HTTP = "class Other(HttpUser):\n    host = 'http://127.0.0.1:9'\n    @task\n    def t(self): pass\n"


def locust(file: Path, *arguments: object, results: Path) -> LocustRun:
    """Locust with a locustfile in a folder of the operator's that has none of our files."""
    result = subprocess.run(
        [sys.executable, "-m", "locust", "-f", str(file), "--headless", "--results", str(results),
         *map(str, arguments)],
        cwd=file.parent, env=environment(PYTHONPATH=str(ROOT)), capture_output=True, text=True,
        timeout=60, stdin=subprocess.DEVNULL,
    )  # fmt: skip
    folders = sorted(results.iterdir()) if results.exists() else []
    return LocustRun(
        result.returncode, result.stdout, result.stderr, folders[-1] if folders else None
    )


def test_the_example_drives_its_own_users_by_its_own_shape(
    simulator: Start, tmp_path: Path
) -> None:
    """The rows agree with what the server saw."""
    gateway = simulator("--profile", "fast")
    completed = locust(
        ROOT / "docs" / "examples" / "stages.py", "-H", gateway.url, "--mode", "interactive",
        "--model", "m", results=tmp_path / "r",
    )  # fmt: skip
    assert completed.code == 0, completed.text
    assert len(completed.rows()) == len(gateway.rows()) > 10
    assert all(row.success for row in completed.rows())
    early = [row for row in completed.rows() if (row.sent_offset_s or 0) < 2.5]
    assert len(early) <= 2 * (2.5 / 0.2 + 1), "two users that rest 0.2 s after each answer"
    for users in (2, 5):
        assert f'All users spawned: {{"Reader": {users}}} ({users} total users)' in completed.err
    assert '"GatewayUser"' not in completed.err, "ours is not spawned beside it"


@pytest.mark.parametrize(
    ("text", "mode", "sentence"),
    [
        (f"from weighbridge.users import GatewayUser\n{SHAPE}", "rpm",
         "the locustfile's shape Stages works only with --mode interactive"),
        (f"from weighbridge.users import GatewayUser\n{HTTP}", "interactive",
         "the locustfile holds Other: Weighbridge plans and records requests of GatewayUser alone"),
        (f"from weighbridge.users import GatewayUser\n{SHAPE}{SHAPE.replace('Stages', 'More')}",
         "interactive", "the locustfile holds 2 shapes (Stages, More): leave one of them."),
    ],
)  # fmt: skip
def test_unsupported_locustfiles_are_refused_in_one_sentence(
    simulator: Start, tmp_path: Path, text: str, mode: str, sentence: str
) -> None:
    """Exit code 2, nothing sent, no traceback, no hang."""
    gateway = simulator("--profile", "fast")
    (tmp_path / "own.py").write_text(IMPORTS + text, encoding="utf-8")
    target = ("--target", 60) if mode == "rpm" else ()
    completed = locust(
        tmp_path / "own.py", "-H", gateway.url, "--mode", mode, "--model", "m", *target,
        results=tmp_path / "r",
    )  # fmt: skip
    assert completed.code == 2, completed.text
    (said,) = [line for line in completed.text.splitlines() if line.startswith("weighbridge: ")]
    assert sentence in said
    assert "Traceback" not in completed.text
    assert gateway.rows() == [] and completed.folder is None


def test_a_user_class_without_the_rest_is_told_where_to_import_it_from(tmp_path: Path) -> None:
    text = "from tasks.users import GatewayUser\nclass Mine(GatewayUser):\n    pass\n"
    (tmp_path / "own.py").write_text(text, encoding="utf-8")
    result = subprocess.run(
        [sys.executable, "-m", "locust", "-f", str(tmp_path / "own.py"), "--headless", "-u", "1"],
        cwd=tmp_path, env=environment(PYTHONPATH=str(ROOT)), capture_output=True, text=True,
        timeout=60, stdin=subprocess.DEVNULL,
    )  # fmt: skip
    assert result.returncode == 2, result.stderr
    assert "import it from weighbridge.users" in result.stderr
    assert "Traceback" not in result.stderr


def test_a_shape_that_fails_ends_the_run(simulator: Start, tmp_path: Path) -> None:
    """Its error is logged, and the exit code is not 0."""
    gateway = simulator("--profile", "fast")
    text = SHAPE.replace("return (1, 1)", "return (1, 1) if self.get_run_time() < 2 else 1 / 0")
    (tmp_path / "own.py").write_text(
        f"{IMPORTS}from weighbridge.users import GatewayUser\n{text}", encoding="utf-8"
    )
    completed = locust(
        tmp_path / "own.py", "-H", gateway.url, "--mode", "interactive", "--model", "m",
        results=tmp_path / "r",
    )  # fmt: skip
    assert completed.code == 1, completed.text
    assert "the locustfile's shape Stages failed" in completed.err
    assert len(completed.rows()) == len(gateway.rows()) > 0
