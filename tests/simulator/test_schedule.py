"""Scheduled faults: each in its window and at its port; a port that goes down and comes back."""

import asyncio
import json
import time
from http.client import HTTPConnection, HTTPResponse
from pathlib import Path
from typing import Any

import pytest

from simulator.profile import ProfileError
from simulator.schedule import Schedule, Window, parse
from tests.locust_run import CANARY
from tests.simulated import Simulator


def test_a_window_counts_from_the_first_request_on_its_port_alone() -> None:
    """Its end is exclusive; the first of two overlapping windows applies."""
    schedule = Schedule([Window(0.0, 60.0, "hang"), Window(0.0, 60.0, "reset", port=2),
                         Window(0.0, 60.0, "slow_headers")])  # fmt: skip
    assert schedule.now(0) is None
    schedule.begin()
    first, second = schedule.now(0), schedule.now(1)
    assert first is not None and second is not None
    assert (first.fault, second.fault, schedule.now(2)) == ("hang", "reset", None)
    later = Schedule([Window(60.0, 61.0, "hang")])
    later.begin()
    assert later.now(0) is None and 59 < later.wait_s(60.0) <= 60 and later.wait_s(0.0) == 0


def test_nothing_begins_without_windows() -> None:
    schedule = Schedule()
    schedule.begin()
    assert not schedule.begun.is_set() and schedule.now(0) is None


@pytest.mark.parametrize(
    ("table", "says"),
    [
        ({"from_s": 0, "to_s": 1}, "from_s, to_s and fault are required"),
        ({"from_s": 0, "to_s": 1, "fault": "x"}, "unknown fault 'x'"),
        ({"from_s": 1, "to_s": 1, "fault": "hang"}, "to_s must be after from_s"),
        ({"from_s": -1, "to_s": 1, "fault": "hang"}, "from_s must be a number, 0 or more"),
        ({"from_s": 0, "to_s": 1, "fault": "hang", "port": 3}, "port 3 does not exist"),
        ({"from_s": 0, "to_s": 1, "fault": "hang", "share": 0}, "share must be above 0"),
        ({"from_s": 0, "to_s": 1, "fault": "dead", "share": 0.5}, "of `dead`: 1"),
        ({"from_s": 0, "to_s": 1, "fault": "hang", "until": 3}, "unknown key 'until'"),
    ],
)
def test_a_wrong_window_is_refused(table: dict[str, object], says: str) -> None:
    with pytest.raises(ProfileError, match=f"schedule 1: .*{says}"):
        parse([table], 2)


PROFILE = """
any_model = true
[[schedule]]
from_s = 0.0
to_s = 1.5
fault = "rate_limited"
seconds = 7
[[schedule]]
from_s = 1.5
to_s = 2.5
fault = "dead"
"""


def ask(port: int) -> HTTPResponse:
    there = HTTPConnection("127.0.0.1", port, timeout=10)
    body = {"model": "m", "messages": [{"role": "user", "content": "Reply exactly: ok"}]}
    there.request("POST", "/v1/chat/completions", json.dumps(body), {
        "authorization": f"Bearer {CANARY}", "content-type": "application/json",
        "traceparent": f"00-{'ab' * 16}-{'cd' * 8}-01",
    })  # fmt: skip
    answer = there.getresponse()
    answer.read()
    return answer


def noted(path: Path, count: int) -> list[dict[str, Any]]:
    """The schedule beside the log, which is written just after the first request."""
    for _ in range(200):
        if path.exists() and path.read_text("utf-8").count("\n") >= count:
            break
        time.sleep(0.05)
    return [json.loads(line) for line in path.read_text("utf-8").splitlines()]


def logged(server: Simulator, count: int) -> list[dict[str, str]]:
    """Its log, once it has `count` rows: a row is written after its answer was sent."""
    for _ in range(200):
        if len(server.rows()) >= count:
            break
        time.sleep(0.05)
    return server.rows()


def test_a_port_refuses_then_goes_down_then_comes_back(tmp_path: Path) -> None:
    """The log shows what happened to each request; only the schedule shows the outage."""
    profile = tmp_path / "p.toml"
    profile.write_text(PROFILE, encoding="utf-8")
    log = tmp_path / "log.csv"
    server = Simulator(log, "--profile", profile)
    try:
        port = int(server.url.split(":")[-1].split("/")[0])
        refused = ask(port)
        assert (refused.status, refused.getheader("retry-after")) == (429, "7")
        schedule_noted = noted(tmp_path / "log.csv.schedule.jsonl", 2)
        assert {window["port"] for window in schedule_noted} == {port}
        assert [window["fault"] for window in schedule_noted] == ["rate_limited", "dead"]
        dead = schedule_noted[1]
        time.sleep(max(0.0, (dead["from_unix_s"] + dead["to_unix_s"]) / 2 - time.time()))
        with pytest.raises(ConnectionRefusedError):
            ask(port)
        for _ in range(100):
            try:
                status = ask(port).status
                break
            except OSError:
                time.sleep(0.05)
        assert status == 200 and time.time() >= dead["to_unix_s"]
        rows = logged(server, 2)
    finally:
        server.stop()
    assert [(row["fault"], row["retry_after_s"]) for row in rows] == [
        ("rate_limited", "7"),
        ("", ""),
    ]
    assert {row["trace_id"] for row in rows} == {"ab" * 16}


def test_a_request_in_flight_dies_with_its_port(tmp_path: Path) -> None:
    """Its row says `dead`, not that its client had left."""
    profile = tmp_path / "p.toml"
    profile.write_text(
        'any_model = true\n[latency]\nfixed_s = 9.0\n[[schedule]]\nfrom_s = 0.3\nto_s = 60\n'
        'fault = "dead"\n', encoding="utf-8",
    )  # fmt: skip
    server = Simulator(tmp_path / "log.csv", "--profile", profile)
    try:
        with pytest.raises(OSError):
            ask(int(server.url.split(":")[-1].split("/")[0]))
        rows = logged(server, 1)
    finally:
        server.stop()
    assert [(row["fault"], row["client_gone_unix_s"]) for row in rows] == [("dead", "")]


def test_a_schedule_can_be_created_before_an_event_loop_runs() -> None:
    """It is created before the server's event loop."""
    schedule = Schedule([Window(0.0, 1.0, "hang")])

    async def begun() -> bool:
        schedule.begin()
        return await schedule.begun.wait()

    assert asyncio.run(begun())
