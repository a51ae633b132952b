"""kill -9 at random moments: nothing finished is lost or doubled, and everything is readable.

`make chaos` runs WEIGHBRIDGE_TRIALS trials (default 36); the ordinary suite runs a few of them.
A trial is named by its number and can be run again by it:
`pytest tests/chaos -m chaos -k "trial and 17"`.
"""

import os
import random
import time
from collections import Counter
from pathlib import Path

import pytest

from analysis.reading.load import load
from tests.chaos.trial import Crash, Trial, judge, report
from tests.locust_run import run
from tests.simulated import Simulator

TRIALS = int(os.environ.get("WEIGHBRIDGE_TRIALS", "36"))
FIRST = int(os.environ.get("WEIGHBRIDGE_FIRST_TRIAL", "0"))
EVERY_TIME = (0, 18)  # a local ladder, a master: see Trial; the others are `make chaos`
RESUMABLE = ("ladder", "cache", "tools", "reasoning", "vision", "smoke")


@pytest.mark.chaos
@pytest.mark.parametrize("number", range(FIRST, FIRST + TRIALS))
def test_trial(tmp_path: Path, number: int) -> None:
    """One process, several, a worker, the master or all of them die; the server's log judges."""
    survive(number, tmp_path)


@pytest.mark.parametrize(
    "number",
    [EVERY_TIME[0], *(pytest.param(number, marks=pytest.mark.long) for number in EVERY_TIME[1:])],
)
def test_a_few_trials(tmp_path: Path, number: int) -> None:
    """The same, for the ordinary suite."""
    survive(number, tmp_path)


def survive(number: int, place: Path) -> None:
    trial = Trial(number)
    gateway = Simulator(place / "simulator.csv", "--profile", "fast", "--latency", 0.15)
    crash = Crash(trial, gateway, place)
    try:
        crash.until_phase()
        time.sleep(trial.moment_s)
        crash.strike(trial)
        judge(crash.folder, gateway, crash.killed)
        tear(crash.folder, random.Random(number))
        if trial.victim in ("local", "processes") and trial.mode in RESUMABLE:
            go_on(crash.folder, gateway, place)
    except BaseException as error:
        error.add_note(f"trial {trial}\n{(place / 'run.log').read_text()[-3000:]}")
        raise
    finally:
        crash.end()
        gateway.stop()


def tear(folder: Path, dice: random.Random) -> None:
    """A power failure may leave any first part of a file: it is readable, complete rows stay."""
    for path in folder.glob("requests-*.csv"):
        whole = path.read_bytes()
        before = len(load(folder).requests)
        path.write_bytes(whole[: len(whole) - dice.randint(1, min(300, len(whole) - 1))])
        try:
            assert len(load(folder).requests) >= before - 3
            report(folder)
        finally:
            path.write_bytes(whole)


def go_on(folder: Path, gateway: Simulator, place: Path) -> None:
    """--resume sends what is missing, once, and the run is whole."""
    finished = set(load(folder).requests.query("success")["task_id"])
    result = run("-H", gateway.url, "--resume", folder, results=place / "elsewhere")
    assert result.code in (0, 2), result.text
    assert result.code == 0 or "nothing of it is left" in result.text
    sent = Counter(row["task_id"] for row in gateway.rows())
    assert all(sent[task] == 1 for task in finished), "paid for twice"
    frame = load(folder).requests
    assert not frame.duplicated(["phase", "request_index"]).any()
    assert set(frame["outcome"]) == {"ok"}
