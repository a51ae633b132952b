"""Runs with --against: each request goes to the gateway and to a reference, in pairs."""

import json
import os
import signal
import subprocess
import threading
import time
from collections import Counter, defaultdict
from pathlib import Path
from random import Random
from typing import Any

import pytest

from analysis.reading.load import load
from recording.arms import GATEWAY, REFERENCE
from tests.e2e.gateways import Answer, Asked, Scripted, refusal, serving
from tests.locust_run import CANARY, LocustRun, command, environment, run
from tests.tasks.scripted_server import completion

OTHER = "sk-reference-8f2e61b0d3"  # the reference's key
HELD = ("--mode", "ladder", "--model", "m", "--steps", 10, "--hold", 8)
"""A closed loop: it has no due times that a busy machine could miss."""
PLAN = ("--mode", "rpm", "--model", "m", "--target", 600, "--duration", 6)


def answers(after_s: float = 0.0, key: str = CANARY) -> Answer:
    """A gateway that answers after some time, and refuses every key but its own."""
    number, dice = iter(range(10**6)), Random(key)
    lock = threading.Lock()

    def answer(asked: Asked) -> tuple[int, Any]:
        if asked.headers.get("authorization") != f"Bearer {key}":
            return 401, refusal("wrong key", "authentication_error", "invalid_api_key")
        if asked.method == "GET":
            return 200, {"object": "list", "data": [{"id": name} for name in ("m", "theirs")]}
        time.sleep(after_s and after_s + dice.uniform(0, 0.1))  # more than a busy machine adds
        with lock:
            name = f"{key[-4:]}-{next(number)}"
        prompt = asked.body["messages"][0]["content"]
        reply = completion(model=asked.body["model"], content=prompt.rpartition(": ")[2])
        return 200, {**reply, "id": name}

    return answer


def sent_both(
    results: Path, gateway: Scripted, reference: Scripted, *more: object, **env: str
) -> LocustRun:
    known = {"REF_BASE_URL": reference.url, "REF_API_KEY": OTHER, **env}
    return run("-H", gateway.url, "--against", "ref", *more, results=results,
               env=environment(**known))  # fmt: skip


def by_pair(result: LocustRun) -> dict[int, dict[str, Any]]:
    rows_by_pair: dict[int, dict[str, Any]] = defaultdict(dict)
    for row in result.rows():
        assert row.arm is not None
        known = rows_by_pair[row.request_index // 2].get(
            row.arm, row
        )  # a worker's row is here twice
        assert known.timestamp == row.timestamp
        rows_by_pair[row.request_index // 2][row.arm] = row
    return rows_by_pair


def routes_of(result: LocustRun) -> list[dict[str, Any]]:
    """The two routes in summary.json."""
    assert result.folder is not None
    summary = json.loads((result.folder / "summary.json").read_text("utf-8"))
    routes: list[dict[str, Any]] = summary["routes"]
    return routes


@pytest.mark.parametrize(
    "processes", [(), pytest.param(("--processes", 2), marks=pytest.mark.long)]
)
def test_each_request_goes_to_both_with_equal_bytes_and_its_own_key(
    tmp_path: Path, processes: tuple[object, ...]
) -> None:
    with serving(answers(0.4)) as gateway, serving(answers(0.8, OTHER)) as reference:
        result = sent_both(tmp_path / "results", gateway, reference, *PLAN, *processes)
    assert result.code == 0, result.text
    pairs = by_pair(result)
    assert sorted(pairs) == list(range(60)) and {len(pair) for pair in pairs.values()} == {2}
    bodies = [Counter(json.dumps(one.body) for one in side.posts) for side in (gateway, reference)]
    assert bodies[0] == bodies[1] and set(bodies[0].values()) == {1}
    assert {one.headers["authorization"] for one in gateway.asked} == {f"Bearer {CANARY}"}
    assert {one.headers["authorization"] for one in reference.asked} == {f"Bearer {OTHER}"}
    assert all(len({row.worker for row in pair.values()}) == 1 for pair in pairs.values())
    first = [min(pair, key=lambda arm: pair[arm].sent_offset_s or 0.0) for pair in pairs.values()]
    assert 15 < first.count(GATEWAY) < 45
    assert not any(key in path.read_text("utf-8") for key in (CANARY, OTHER)
                   for path in load(result.folder or Path()).folder.glob("*.[jmc]*"))  # fmt: skip
    assert result.manifest()["reference"]["base_url"] == reference.url


@pytest.mark.parametrize("plan", [HELD, pytest.param(PLAN, marks=pytest.mark.long)])
@pytest.mark.parametrize("wrong", ["gateway", "reference"])
def test_a_wrong_key_of_one_route_ends_the_run_after_five_of_its_requests(
    tmp_path: Path, plan: tuple[object, ...], wrong: str
) -> None:
    """By the servers' logs; those in flight at that moment are answered, ten at a time at most."""
    keys = (OTHER, CANARY) if wrong == "gateway" else (CANARY, "sk-changed-5d21")
    with serving(answers(0.05, keys[0])) as gateway, serving(answers(0.05, keys[1])) as reference:
        result = sent_both(
            tmp_path / "results", gateway, reference, *plan,
            REF_API_KEY=CANARY if wrong == "gateway" else OTHER,
        )  # fmt: skip
    (refused,) = result.events("refused")
    assert (refused["arm"], refused["counted"], refused["ends"]) == (wrong, 5, "run")
    for server in (gateway, reference):
        assert sum(asked.method == "POST" for asked in server.asked) <= 30
    why = f"requests{' to the reference' * (wrong == 'reference')} all ended in the same refusal"
    assert f"{why} (auth, HTTP 401" in result.text


@pytest.mark.long
def test_each_route_has_its_own_numbers(tmp_path: Path) -> None:
    with serving(answers(0.01)) as gateway, serving(answers(0.3, OTHER)) as reference:
        result = sent_both(tmp_path / "results", gateway, reference, *PLAN)
    assert result.folder is not None
    summary = json.loads((result.folder / "summary.json").read_text("utf-8"))
    own, other = summary["phases"]
    assert (own["phase"], other["phase"]) == ("rpm/m/600", f"rpm/m/600 ({REFERENCE})")
    assert (own["planned"], own["success"], other["planned"], other["success"]) == (60,) * 4
    assert own["latency_p50_s"] < 0.2 < other["latency_p50_s"]


@pytest.mark.parametrize(
    ("condition", "code"),
    [
        pytest.param("overhead_total_ms>700", 0, marks=pytest.mark.long),
        ("overhead_total_ms>200", 1),
    ],
)
def test_a_run_fails_by_the_whole_interval_of_what_the_gateway_adds(
    tmp_path: Path, condition: str, code: int
) -> None:
    with serving(answers(0.8)) as gateway, serving(answers(0.4, OTHER)) as reference:
        result = sent_both(tmp_path / "results", gateway, reference, *HELD, "--fail-on", condition)
    assert result.code == code, result.text
    (total,) = [one for one in routes_of(result) if one["metric"] == "total"]
    assert total["said"] == "adds" and 0.3 < total["low"] < total["high"] < 0.5


@pytest.mark.long
def test_a_reference_that_refuses_is_reported_and_the_gateway_is_still_judged(
    tmp_path: Path,
) -> None:
    """It fails with 500 from the first request on; no stop rule ends the gateway's part."""

    def broken(asked: Asked) -> tuple[int, Any]:
        return (200, {"data": []}) if asked.method == "GET" else (500, refusal("out of order"))

    with serving(answers(0.01)) as gateway, serving(broken) as reference:
        result = sent_both(
            tmp_path / "results", gateway, reference, *PLAN, "--fail-on", "success_rate<1"
        )
    assert result.code == 0, result.text
    outcomes = Counter((row.arm, row.outcome) for row in result.rows())
    assert outcomes == {(GATEWAY, "ok"): 60, (REFERENCE, "server_error"): 60}


def test_a_reference_that_is_down_is_reported_before_anything_is_sent(tmp_path: Path) -> None:
    with serving(answers()) as gateway:
        nowhere = Scripted("http://127.0.0.1:9")
        result = sent_both(tmp_path / "results", gateway, nowhere, *PLAN)
        assert (result.code, gateway.posts) == (2, []), result.text
    assert "--against" in result.err and "cannot be reached" in result.err


@pytest.mark.parametrize(
    ("against", "more", "said"),
    [
        ("http://127.0.0.1:1/v1", (), "no key was configured with that base URL"),
        ("nobody", (), "NOBODY_BASE_URL"),
        ("ref", ("--against-model", "x"), "OURS=THEIRS"),
        ("", ("--against-model", "a=b"), "--against"),
        ("", ("--against-header", "A=b"), "give --against, too"),
        ("ref", ("--against-header", "sk-no-equals"), "--against-header takes NAME=VALUE"),
        ("ref", ("--against-key-command", "/no/such/program"), "does not exist"),
    ],
)
def test_an_unusable_reference_is_refused_in_one_sentence(
    tmp_path: Path, against: str, more: tuple[str, ...], said: str
) -> None:
    with serving(answers()) as gateway:
        known = {"REF_BASE_URL": gateway.url, "REF_API_KEY": CANARY}
        result = run("-H", gateway.url, f"--against={against}", *PLAN, *more,
                   results=tmp_path / "results", env=environment(**known))  # fmt: skip
        assert (result.code, gateway.posts) == (2, []), result.text
    assert said in result.err and "Traceback" not in result.err and "sk-no" not in result.text


@pytest.mark.parametrize(
    "processes", [(), pytest.param(("--processes", 2), marks=pytest.mark.long)]
)
def test_each_route_gets_its_own_headers_and_its_own_key_command(
    tmp_path: Path, processes: tuple[object, ...]
) -> None:
    """Neither route gets the other's, --resume asks for them again, and no file has a value."""
    vault = tmp_path / "vault"
    vault.write_text(f"#!/bin/sh\necho {OTHER}\n")
    vault.chmod(0o700)
    with serving(answers()) as gateway, serving(answers(key=OTHER)) as reference:
        result = run(
            "-H", gateway.url, "--against", reference.url, "--header", "X-Tenant=ours-1-acme",
            "--against-key-command", vault, "--against-header", "X-Tenant={env:THEIRS}",
            "--against-header", "X-Task={task_id}", "--mode", "rpm", "--model", "m", "--target",
            120, "--duration", 4, *processes, "--loglevel", "DEBUG", results=tmp_path / "results",
            env=environment(THEIRS="theirs-2-acme"),
        )  # fmt: skip
    assert result.code == 0, result.text
    assert {one.headers["x-tenant"] for one in gateway.asked} == {"ours-1-acme"}
    assert {one.headers["x-tenant"] for one in reference.asked} == {"theirs-2-acme"}
    assert {one.headers["authorization"] for one in reference.asked} == {f"Bearer {OTHER}"}
    ids = {row.task_id for row in result.rows() if row.arm == REFERENCE}
    assert {one.headers["x-task"] for one in reference.posts} == ids and len(ids) == 8
    assert not any("x-task" in one.headers for one in gateway.asked)
    files = [path.read_text("utf-8") for path in (tmp_path / "results").rglob("*.*")]
    for secret in (CANARY, OTHER, "ours-1-acme", "theirs-2-acme"):
        assert secret not in result.text + "".join(files)
    assert result.folder is not None
    again = subprocess.run(
        command("--resume", result.folder, "-H", gateway.url, "--header", "X-Tenant=ours-1-acme"),
        env=environment(), capture_output=True, text=True, timeout=60,
    )  # fmt: skip
    assert again.returncode == 2 and "--against-header (X-Tenant, X-Task)" in again.stderr


@pytest.mark.parametrize("mode", ["smoke", "capacity", "interactive"])
def test_other_modes_refuse_a_reference(tmp_path: Path, mode: str) -> None:
    result = run("--simulator", "--mode", mode, "--model", "m", "--against", "simulator",
               results=tmp_path / "results")  # fmt: skip
    assert result.code == 2 and "--against works only with --mode" in result.err


@pytest.mark.long
def test_the_reference_may_call_a_model_by_another_name(tmp_path: Path) -> None:
    with serving(answers()) as gateway, serving(answers(0.0, OTHER)) as reference:
        result = sent_both(
            tmp_path / "results", gateway, reference, *PLAN, "--against-model", "m=theirs"
        )
    assert {one.body["model"] for one in gateway.posts} == {"m"}
    assert {one.body["model"] for one in reference.posts} == {"theirs"}
    models_by_arm = {(row.arm, row.model_requested) for row in result.rows()}
    assert models_by_arm == {(GATEWAY, "m"), (REFERENCE, "theirs")}


def test_a_resumed_run_sends_to_neither_route_twice(tmp_path: Path) -> None:
    plan = ("--mode", "ladder", "--model", "m", "--steps", "4,8,12", "--step-pause", 0)
    with serving(answers(0.3)) as gateway, serving(answers(0.3, OTHER)) as reference:
        env = environment(REF_BASE_URL=reference.url, REF_API_KEY=OTHER)
        results = tmp_path / "results"
        process = subprocess.Popen(
            command("--results", results, "-H", gateway.url, "--against", "ref", *plan),
            env=env, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL,
        )  # fmt: skip
        deadline = time.monotonic() + 60
        while len(gateway.posts) + len(reference.posts) < 14 and time.monotonic() < deadline:
            time.sleep(0.01)
        os.kill(process.pid, signal.SIGKILL)
        process.wait()
        (folder,) = results.iterdir()
        finished = {(row.phase, row.request_index) for row in
                    LocustRun(0, "", "", folder).rows() if row.outcome == "ok"}  # fmt: skip
        result = run("-H", gateway.url, "--resume", folder, results=tmp_path / "none", env=env)
    whole = LocustRun(result.code, result.out, result.err, folder)
    assert result.code == 0, result.text
    good = Counter((row.phase, row.request_index) for row in whole.rows() if row.success)
    assert len(good) == 2 * 24 and set(good.values()) == {1}
    assert finished <= set(good)
    sent = Counter(json.dumps(one.body) for side in (gateway, reference) for one in side.posts)
    in_flight = sum(sent.values()) - 2 * 24
    assert 0 <= in_flight <= 8, "what was in flight at the kill may have been sent again"


@pytest.mark.parametrize(
    "plan",
    [
        ("--mode", "ladder", "--model", "m", "--steps", 10, "--hold", 60),
        pytest.param(
            ("--mode", "rpm", "--model", "m", "--target", 900, "--duration", 60, "--processes", 2),
            marks=pytest.mark.long,
        ),
    ],
    ids=["closed loop", "window, two workers"],
)
def test_a_phase_ends_when_precise_enough_and_its_numbers_cover_what_was_sent(
    tmp_path: Path, plan: tuple[object, ...]
) -> None:
    """Each route takes about 0.1 s; +/- 200 ms is reached at the first look, of 60 pairs."""
    with serving(answers(0.05)) as gateway, serving(answers(0.05, OTHER)) as reference:
        result = sent_both(
            tmp_path / "results", gateway, reference, *plan, "--precision-ms", 200
        )  # fmt: skip
        again = run("-H", gateway.url, "--resume", result.folder or "",
                    env=environment(REF_BASE_URL=reference.url, REF_API_KEY=OTHER),
                    results=tmp_path / "results")  # fmt: skip
    assert result.code == 0 and result.folder is not None, result.text
    pairs = by_pair(result)
    (event,) = result.events("precision_reached")
    assert event["pairs"] == 60 and event["half_s"] <= 0.2
    assert 60 <= len(pairs) < 450 and all(len(both) == 2 for both in pairs.values())
    assert not result.events("not_sent")
    summary = json.loads((result.folder / "summary.json").read_text("utf-8"))
    ours = summary["phases"][0]
    assert ours["planned"] == ours["sent"] == len(pairs) and ours["success_rate"] == 1
    if "rpm" in plan:
        assert ours["offered_rpm"] == pytest.approx(900)
    report = (result.folder / "report.md").read_text("utf-8")
    assert (
        f"ended after 60 pairs: its difference was then known to ±{event['half_s'] * 1000:,.1f}"
        in report
    )
    overview = report[report.index("## Overview") : report.index("## What was run")]
    assert f"{len(pairs)} of {len(pairs)} rows carry a task_id" in overview, "of the gateway alone"
    assert "m (reference)" in report, "the reference's rows are named in the tables"
    assert again.code == 2 and "nothing of it is left to send" in again.text


def test_a_precision_without_a_reference_is_refused(tmp_path: Path) -> None:
    result = run("--simulator", "--mode", "ladder", "--model", "m", "--precision-ms", 5,
               results=tmp_path)  # fmt: skip
    assert result.code == 2 and "give --against" in result.text and result.folder is None


@pytest.mark.long
def test_several_levels_make_a_curve_of_what_the_gateway_adds(tmp_path: Path) -> None:
    """One route takes 0.4 s longer, at 2 and at 6 at once."""
    plan = ("--mode", "ladder", "--model", "m", "--steps", "2,6", "--hold", 8, "--step-pause", 0)
    with serving(answers(0.05)) as gateway, serving(answers(0.45, OTHER)) as reference:
        result = sent_both(tmp_path / "results", gateway, reference, *plan)
    assert result.code == 0 and result.folder is not None, result.text
    page = (result.folder / "report.html").read_text("utf-8")
    assert "What the gateway adds to total time: ladder, m" in page
