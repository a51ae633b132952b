"""Runs of 0.1 are resumed, killed meanwhile, and resumed again: nothing is paid twice."""

import random
import shutil
import subprocess
import time
from collections import Counter
from pathlib import Path

import pytest

from analysis.reading.load import load
from tests.chaos.trial import report
from tests.locust_run import ROOT, command, environment, run
from tests.simulated import Simulator

DATA = ROOT / "tests" / "data" / "runs-0.1"
pytestmark = pytest.mark.chaos


@pytest.mark.parametrize("number", range(4))
@pytest.mark.parametrize("name", ["interrupted", "interrupted-window"])
def test_an_old_run_that_is_killed_again_can_be_resumed(
    tmp_path: Path, name: str, number: int
) -> None:
    folder = shutil.copytree(DATA / name, tmp_path / "results" / name)
    old = set(load(folder).requests.query("success")["task_id"])
    gateway = Simulator(tmp_path / "log.csv", "--profile", "fast", "--latency", 0.3)
    again = ("-H", gateway.url, "--resume", folder, "--resume-windows")
    try:
        going = subprocess.Popen(
            command("--results", tmp_path / "elsewhere", *again),
            env=environment(), stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL,
        )  # fmt: skip
        deadline = time.monotonic() + 60
        while not gateway.rows() and going.poll() is None and time.monotonic() < deadline:
            time.sleep(0.02)
        time.sleep(random.Random(f"{name} {number}").uniform(0.0, 2.5))
        going.kill()
        going.wait()
        report(folder)
        finished = set(load(folder).requests.query("success")["task_id"])
        assert old <= finished
        result = run(*again, results=tmp_path / "elsewhere")
        assert result.code in (0, 2), result.text
        assert result.code == 0 or "nothing of it is left" in result.text
        sent = Counter(row["task_id"] for row in gateway.rows())
        assert not old & set(sent) and all(sent[task] == 1 for task in finished - old)
        frame = load(folder).requests
        assert not frame.duplicated(["phase", "request_index"]).any()
        # What the killed attempt had in flight of a window, which is run anew under another name.
        lost = set(frame[frame["outcome"] == "lost"]["task_id"])
        assert all(sent[task] <= 1 for task in lost) and not lost & old
        assert set(frame["outcome"]) <= {"ok", "dropped", "lost"}
        assert old < set(frame[frame["success"]]["task_id"]) <= old | set(sent)
        report(folder)
    finally:
        gateway.stop()
