"""An interrupted run resumes without paying for any finished request again."""

import os
import random
import shutil
import signal
import subprocess
import time
from collections import Counter
from collections.abc import Callable
from pathlib import Path

import pytest

from analysis.reading.load import load
from tests.locust_run import ROOT, LocustRun, command, environment, run
from tests.simulated import Simulator

Start = Callable[..., Simulator]
TRIALS = int(os.environ.get("WEIGHBRIDGE_KILLS", "2"))  # how often to kill; more by hand
PLAN = ("--mode", "ladder", "--model", "m", "--steps", "3,10,20,5", "--step-pause", 0)


def cut_off(gateway: Simulator, results: Path, after_s: float, *plan: object) -> Path:
    """Starts a run and kills it `after_s` after its first phase began; returns its folder."""
    process = subprocess.Popen(
        command("--results", results, "-H", gateway.url, *plan),
        env=environment(), stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL,
    )  # fmt: skip
    deadline = time.monotonic() + 120
    while time.monotonic() < deadline and process.poll() is None:
        if any("phase_start" in path.read_text() for path in results.glob("*/events.jsonl")):
            break
        time.sleep(0.02)
    time.sleep(after_s)
    process.send_signal(signal.SIGKILL)
    process.wait()
    (folder,) = results.iterdir()
    return folder


def resume(gateway: Simulator, folder: Path, *more: str) -> LocustRun:
    """Resumes the run in a folder."""
    elsewhere = folder.parent.parent / "elsewhere"
    result = run("-H", gateway.url, "--resume", folder, *more, results=elsewhere)
    return LocustRun(result.code, result.out, result.err, folder)


@pytest.mark.parametrize(
    "trial",
    [pytest.param(n, marks=[pytest.mark.long] * (n > 0)) for n in range(TRIALS)],
)
def test_no_finished_request_is_lost_or_sent_again(
    simulator: Start, tmp_path: Path, trial: int
) -> None:
    """kill -9 at a random moment: every request in the file is sent once, the rest on resume."""
    gateway = simulator("--profile", "fast", "--latency", "0.3")
    moment = random.Random(trial).uniform(0.2, 2.6)
    folder = cut_off(gateway, tmp_path / "results", moment, *PLAN)
    assert load(folder).interrupted
    finished = set(load(folder).requests.query("outcome == 'ok'")["task_id"])
    # Nothing that was finished is missing: what the server answered and we lack was in flight.
    answered = {row["task_id"] for row in gateway.rows() if row["status"] == "200"}
    assert finished <= answered
    result = resume(gateway, folder)
    assert result.code == 0, result.text
    sent = Counter(row["task_id"] for row in gateway.rows())
    assert all(sent[task] == 1 for task in finished)
    frame = load(folder).requests
    assert len(frame) == 38 and set(frame["outcome"]) == {"ok"}
    assert not load(folder).interrupted


@pytest.mark.long
def test_a_resumed_run_is_judged_by_the_resuming_commands_conditions(
    simulator: Start, tmp_path: Path
) -> None:
    """--fail-on and --junit of the resuming command apply, not those of the first attempt."""
    gateway = simulator("--profile", "fast", "--latency", "0.3")
    folder = cut_off(gateway, tmp_path / "results", 0.7, *PLAN, "--fail-on", "cost>1000")
    junit = tmp_path / "junit.xml"
    result = resume(gateway, folder, "--fail-on", "cost>0", "--junit", str(junit))
    assert result.code == 1, result.text
    assert "weighbridge: 1 of 2 checks failed: the run: cost is " in result.text
    assert 'failures="1"' in junit.read_text()


def test_the_web_ui_cannot_resume_a_run(tmp_path: Path) -> None:
    """Its form could not change the options of the run: one sentence, before anything is served."""
    refused = subprocess.run(
        [word for word in command("--resume", tmp_path, "-H", "http://127.0.0.1:9/v1",
                                  "--web-port", 0) if word != "--headless"],
        env=environment(), capture_output=True, text=True, timeout=240,
    )  # fmt: skip
    assert refused.returncode == 2, refused.stderr
    assert "--resume needs --headless" in refused.stderr


def test_a_finished_run_has_nothing_left_to_send(simulator: Start, tmp_path: Path) -> None:
    """--resume of a complete run is refused in one sentence; nothing is sent."""
    gateway = simulator("--profile", "fast")
    result = run("-H", gateway.url, *PLAN, results=tmp_path / "results")
    assert result.folder is not None
    before = len(gateway.rows())
    more = resume(gateway, result.folder)
    assert more.code == 2 and "nothing of it is left" in more.text
    assert len(gateway.rows()) == before


@pytest.mark.long
def test_an_interrupted_window_is_restarted_only_on_request(
    simulator: Start, tmp_path: Path
) -> None:
    """Half a window measures nothing: it is left as is, or runs again under another name."""
    gateway = simulator("--profile", "fast")
    window = ("--mode", "rpm", "--model", "m", "--target", 600, "--duration", 4)
    folder = cut_off(gateway, tmp_path / "results", 2.5, *window)
    assert resume(gateway, folder).code == 2
    result = resume(gateway, folder, "--resume-windows")
    assert result.code == 0, result.text
    frame = load(folder).requests
    assert (frame["phase"] == "rpm/m/600/again").sum() == 40
    assert max(Counter(row["task_id"] for row in gateway.rows()).values()) == 1


def test_a_run_of_an_earlier_version_resumes_where_it_stopped(
    simulator: Start, tmp_path: Path
) -> None:
    """What 0.1 finished is not sent again, and the rest is sent as 0.1 would have sent it."""
    gateway = simulator("--profile", "fast")
    folder = tmp_path / "results" / "interrupted"
    shutil.copytree(ROOT / "tests" / "data" / "runs-0.1" / "interrupted", folder)
    paid = set(load(folder).requests["task_id"])
    result = resume(gateway, folder)
    assert result.code == 0, result.text
    sent = Counter(row["task_id"] for row in gateway.rows())
    assert not paid & set(sent) and set(sent.values()) == {1}
    frame = load(folder).requests
    assert len(frame) == 1 + 3 + 4 + 8 + 6 and set(frame["outcome"]) == {"ok"}
    assert set(frame["task_id"]) == paid | set(sent)
    assert {path.name for path in folder.glob("*.csv")} == {
        "requests-local.csv", "requests-local.2.csv",
    }  # fmt: skip
    assert result.manifest()["needs_version"] == "0.1.0"
    assert set(frame["trace_id"].isna()) == {True}, "a header that 0.1 did not send is not sent"
