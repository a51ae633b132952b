"""Runs started in the web UI are stopped at random moments, and the next is started at once.

The endpoints are those that the browser calls; the server's log is the oracle. Each run's folder
has its own rows: all that the server has of it, nothing twice, all answered before the stop.
"""

import contextlib
import json
import os
import random
import time
from collections import Counter
from pathlib import Path

import pytest

from analysis.reading.load import load, rows
from tests.chaos.trial import MARGIN_S, report
from tests.simulated import Simulator
from tests.webui.server import WebServer

TRIALS = max(2, int(os.environ.get("WEIGHBRIDGE_TRIALS", "36")) // 5)
RUNS = 4  # of a trial
FORMS: tuple[dict[str, object], ...] = (
    {"mode": "rpm", "target": 1200, "duration": 1_000_000},
    {"mode": "rpm", "target": 600, "duration": 30, "stream": "true"},
    {"mode": "ladder", "steps": "5,20,40,30,10", "step_pause": 0.2},
    {"mode": "ladder", "steps": "4,8", "hold": 30},
    {"mode": "soak", "search": "concurrency", "target": 12, "duration": 600},
    {"mode": "interactive", "user_count": 6, "spawn_rate": 50},
    {"mode": "cache", "repeat": 40, "prefix_tokens": 300},
    {"mode": "tools", "repeat": 40},
)
AS_BEFORE = {"hold": 0, "search": "rate", "stream": "false"}  # a form keeps what was chosen last
BUSY = ("A run is in progress", "still being written")


def begin(server: WebServer, form: dict[str, object]) -> str:
    """Starts a run as soon as the server accepts it; returns its folder."""
    deadline = time.monotonic() + 60
    while True:
        answer = server.swarm(model="m", task_id_on_streams="true", **{**AS_BEFORE, **form})
        if answer["success"]:
            break
        assert any(word in answer["message"] for word in BUSY), answer
        assert time.monotonic() < deadline, answer
        time.sleep(0.01)
    before: str | None = None
    while time.monotonic() < deadline:
        state = server.json("/gateway/state")
        if state["run"] and state["running"]:
            return str(state["run"])
        before = state
        time.sleep(0.02)
    raise AssertionError(f"no run began: {before}")


def survive(number: int, gateway: Simulator, place: Path) -> None:
    dice = random.Random(f"browser stop {number}")
    server = WebServer(place / "results", "-H", gateway.url)
    stopped: dict[str, float] = {}
    try:
        for _ in range(RUNS):
            name = begin(server, dice.choice(FORMS))
            time.sleep(dice.uniform(0.0, 3.0))
            stopped[name] = time.time()
            with contextlib.suppress(json.JSONDecodeError):
                server.open("/stop", {}).read()
        server.ended()
    except BaseException as error:
        error.add_note(f"trial {number}\n{server.text[-3000:]}")
        raise
    finally:
        server.quit()
    assert set(server.folders()) == stopped.keys() and len(stopped) == RUNS
    log = gateway.rows()
    sent = Counter(row["task_id"] for row in log)
    assert max(sent.values(), default=1) == 1, "sent twice"
    known: set[str] = set()
    for name, at in stopped.items():
        folder = place / "results" / name
        frame = load(folder, 0).requests  # what stands in its files
        assert not frame.duplicated(["phase", "request_index"]).any()
        assert set(frame["run_id"]) <= {name}, "rows of another run"
        outcome = {row["task_id"]: row["outcome"] for row in rows(frame)}
        assert not known & outcome.keys(), "a row of two runs"
        known |= outcome.keys()
        for seen in (row for row in log if row["task_id"].startswith(name + "-")):
            assert seen["task_id"] in outcome, f"{name} has no row of {seen['task_id']}"
            if float(seen["last_byte_unix_s"] or "inf") < at - MARGIN_S:
                assert outcome[seen["task_id"]] == "ok", seen
        finished = {task for task, what in outcome.items() if what == "ok"}
        assert finished <= sent.keys(), "a row of what nobody sent"
        assert not list(folder.glob("in-flight-*")), "it ended in good order"
        report(folder)
    assert sent.keys() <= known, "the server has what no run tells of"


@pytest.mark.chaos
@pytest.mark.parametrize("number", range(TRIALS))
def test_stops_in_the_browser(tmp_path: Path, number: int) -> None:
    """Windows, ladders, soaks, manual users and probes, four runs per server."""
    gateway = Simulator(tmp_path / "simulator.csv", "--profile", "fast", "--latency", 0.15)
    try:
        survive(number, gateway, tmp_path)
    finally:
        gateway.stop()
