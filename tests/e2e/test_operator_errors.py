"""An operator error: one sentence, exit code 2, no stack trace, and nothing sent."""

import socket
from collections.abc import Callable
from pathlib import Path

import pytest

from tests.locust_run import environment, run
from tests.simulated import Simulator

Start = Callable[..., Simulator]
WINDOW = ("--mode", "rpm", "--model", "m", "--target", "60", "--duration", "1")


def refused(done_text: str, code: int) -> str:
    """The one sentence, after checking that there is nothing else."""
    assert code == 2, done_text
    assert "Traceback" not in done_text
    sentences = [line for line in done_text.splitlines() if line.startswith("weighbridge: ")]
    assert len(sentences) == 1, done_text
    return sentences[0]


@pytest.mark.parametrize(
    ("arguments", "sentence"),
    [
        (("--mode", "rpm", "--target", "60"), "--model is missing"),
        (("--mode", "vision", "--image", "/nonexistent.png"), "cannot be read"),
    ],
)
def test_a_bad_option_is_refused_before_anything_is_sent(
    simulator: Start, tmp_path: Path, arguments: tuple[str, ...], sentence: str
) -> None:
    """One mistake in options and one in a file represent all: tests/loadshapes and tests/tasks
    have the whole table in one process."""
    gateway = simulator("--profile", "fast")
    result = run("-H", gateway.url, *arguments, results=tmp_path / "results")
    assert sentence in refused(result.text, result.code)
    assert gateway.rows() == []


def test_no_gateway_named(tmp_path: Path) -> None:
    """Without -H, environment, .env or --simulator, the sentence says how to name one."""
    result = run(*WINDOW, results=tmp_path / "results", cwd=tmp_path)
    assert "--simulator" in refused(result.text, result.code)


def test_no_key(tmp_path: Path) -> None:
    """A gateway without a key is refused; the sentence names the variables."""
    env = {k: v for k, v in environment().items() if k != "OPENAI_API_KEY"}
    result = run(
        *WINDOW, "-H", "http://127.0.0.1:9/v1", results=tmp_path / "r", cwd=tmp_path, env=env
    )
    assert "NONELINEAR_API_KEY or OPENAI_API_KEY" in refused(result.text, result.code)


def test_an_unreadable_env_file(tmp_path: Path) -> None:
    """A .env that is not text is an error, not silence."""
    (tmp_path / ".env").write_bytes(b"\xff\xfe\x00broken")
    result = run(*WINDOW, results=tmp_path / "results", cwd=tmp_path)
    assert ".env cannot be read" in refused(result.text, result.code)


def test_an_unreachable_gateway(tmp_path: Path) -> None:
    """A refused connection is detected before the run begins; no run folder is left."""
    with socket.socket() as held:  # until the end: another test's server might take a free port
        held.bind(("127.0.0.1", 0))
        url = f"http://127.0.0.1:{held.getsockname()[1]}/v1"
        result = run(*WINDOW, "-H", url, results=tmp_path / "results")
    assert "cannot be reached" in refused(result.text, result.code)
    assert result.folder is None


def test_an_output_that_cannot_be_written(simulator: Start, tmp_path: Path) -> None:
    """--output onto a folder is refused before a request is paid for."""
    gateway = simulator("--profile", "fast")
    result = run(*WINDOW, "-H", gateway.url, "--output", tmp_path, results=tmp_path / "results")
    assert "--output" in refused(result.text, result.code)
    assert gateway.rows() == []


def test_a_run_id_that_was_used(simulator: Start, tmp_path: Path) -> None:
    """An existing run folder is never written to again."""
    gateway = simulator("--profile", "fast")
    folder = tmp_path / "results" / "mine"
    folder.mkdir(parents=True)
    result = run(*WINDOW, "-H", gateway.url, "--run-id", "mine", results=tmp_path / "results")
    assert "exists" in refused(result.text, result.code)
    assert list(folder.iterdir()) == [] and gateway.rows() == []
