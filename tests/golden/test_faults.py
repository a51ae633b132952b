"""Gateways that hold streams back, mix replies up, never answer or never end: row by row.

What is flagged, failed or told apart agrees with the simulator's log (`make golden`).
"""

from collections import Counter
from collections.abc import Callable
from pathlib import Path

import pytest

from recording.record import RequestRecord
from tests.golden.test_dialects import BOTH, window
from tests.golden.test_subset import numbers
from tests.golden.truth import by_task
from tests.locust_run import LocustRun, run
from tests.simulated import Simulator

pytestmark = pytest.mark.golden
Start = Callable[..., Simulator]


def flags(row: RequestRecord) -> set[str]:
    return set((row.check or "").split())


def closed(
    gateway: Simulator, results: Path, users: int, hold_s: float, *more: object
) -> LocustRun:
    """A closed loop of `users` for `hold_s`; failures do not stop it."""
    return run(
        "-H", gateway.url, "--mode", "ladder", "--model", "m", "--steps", users, "--hold", hold_s,
        "--stop-rule", "off", "--task-id-on-streams", *more, results=results,
    )  # fmt: skip


def test_buffered_lumped_and_stalled_streams_are_distinguished_from_healthy_ones(
    thinker: Start, tmp_path: Path
) -> None:
    """A quarter each is held back, lumped, stalled, or healthy."""
    faults = ("--fault", "buffer=0.25", "--fault", "coalesce=0.25", "--fault", "stall=0.25")
    gateway = thinker(*faults, "--stall-seconds", 0.9, "--seed", 5)
    result = closed(gateway, tmp_path / "r", 5, 15, "--stream", "--max-tokens", 200)
    truth, rows = by_task(gateway), [row for row in result.rows() if row.outcome != "dropped"]
    assert {row.outcome for row in rows} == {"ok"} and len(rows) == len(truth)
    (phase,) = numbers(result)
    if phase["generator_limited"]:
        pytest.skip("this machine was too busy to time streams, and the run says so")
    counted = Counter[tuple[str, str]]()
    for row in rows:
        fault = truth[row.task_id or ""]["fault"]
        stream_flags = [flag.removeprefix("stream_") for flag in sorted(flags(row))]
        counted[fault, " ".join(stream_flags) or ("stalled" if row.stalls else "")] += 1
        assert row.api_cost == float(truth[row.task_id or ""]["cost"])
    print(f"\n{dict(counted)}, loop lag p99 {phase['loop_lag_p99_s']} s")
    assert set(counted) == {
        ("", ""), ("buffer", "buffered"), ("coalesce", "coalesced"), ("stall", "stalled"),
    }  # fmt: skip
    assert phase["stalled_streams"] == counted["stall", "stalled"]


@pytest.mark.parametrize("fault", ["stream_usage", "stream_cost"])
def test_streams_counted_and_charged_differently_fail_smoke(
    thinker: Start, tmp_path: Path, fault: str
) -> None:
    """The rows have what the gateway stated, and the run says that plain and streamed disagree."""
    gateway = thinker("--fault", fault, "--tokens-per-s", 0, "--ttft", 0.05, thoughts=0)
    result = run(
        "-H", gateway.url, "--mode", "smoke", "--model", "m", "--task-id-on-streams",
        results=tmp_path / "r",
    )  # fmt: skip
    assert result.code == 1, result.text
    truth = by_task(gateway)
    for row in result.rows():
        logged_row = truth[row.task_id or ""]
        assert (row.prompt_tokens, row.api_cost) == (
            int(logged_row["prompt_tokens"]), float(logged_row["cost"]),
        )  # fmt: skip
    first, *_ = (result.folder / "report.md").read_text("utf-8").split("## Overview")  # type: ignore[operator]
    named = {"stream_usage": "usage_stream_differs", "stream_cost": "cost_stream_differs"}
    assert named[fault] in first


@BOTH
def test_replies_to_other_requests_are_counted_as_in_the_log(
    thinker: Start, tmp_path: Path, stream: bool
) -> None:
    """A tenth of the replies belong to the previous request."""
    gateway = thinker("--fault", "cross=0.1", "--tokens-per-s", 0, "--ttft", 0.02, thoughts=0)
    result = window(gateway.url, tmp_path / "r", stream, "--model", "m")
    truth = by_task(gateway)
    crossed = {task for task, seen in truth.items() if seen["fault"] == "cross"}
    wrong = {row.task_id for row in result.rows() if row.marker_ok is False}
    assert wrong == crossed and len(crossed) >= 2
    assert f"{len(crossed)} replies belong to another request" in result.text


@BOTH
def test_a_response_cache_is_found_where_prompts_repeat_and_only_there(
    thinker: Start, tmp_path: Path, stream: bool
) -> None:
    """With the nonce no prompt repeats; with --same-prompts the steps' prompts are the same."""
    steps = ("--mode", "ladder", "--model", "m", "--steps", "10,20", "--step-pause", 0.2,
             "--task-id-on-streams", *["--stream"] * stream)  # fmt: skip
    for name, more in (("nonce", ()), ("same", ("--same-prompts",))):
        gateway = thinker("--fault", "response_cache", "--ttft", 0.1, thoughts=0)
        result = run("-H", gateway.url, *steps, *more, results=tmp_path / name)
        truth, rows = by_task(gateway), result.rows()
        prompts = Counter(seen["prompt_sha256"] for seen in truth.values())
        again = len(rows) - len({row.completion_id for row in rows})
        assert again == len(truth) - len(prompts) == (10 if more else 0)
        assert (f"{again} replies had been given before" in result.text) == bool(more)
        assert "replies had been given before" not in result.text or more


@BOTH
def test_a_tenth_that_is_never_answered_fails_a_p99(
    simulator: Start, tmp_path: Path, stream: bool
) -> None:
    """The rows without an answer are those unanswered in the log; a healthy gateway passes."""
    arguments = ("--timeout", 2, "--fail-on", "p99_s>1", *["--stream"] * stream)
    for fault, code in ((("--fault", "hang=0.1"), 1), ((), 0)):
        gateway = simulator("--profile", "fast", "--latency", 0.1, *fault)
        result = closed(gateway, tmp_path / str(code), 10, 8, *arguments)
        assert result.code == code, result.text
        truth = {row["task_id"]: row["fault"] for row in gateway.rows()}
        rows = [row for row in result.rows() if row.outcome != "dropped"]
        assert {row.task_id for row in rows} == set(truth) and len(rows) > 100
        for row in rows:
            hung = truth[row.task_id or ""] in ("hang", "client_gone")
            assert row.outcome == ("timeout_first_byte" if hung else "ok")
            assert not hung or (row.elapsed_sec or 0) >= 2
        (phase,) = numbers(result)
        assert phase["unanswered"] == sum(row.outcome != "ok" for row in rows)
        assert bool(phase["unanswered"]) == bool(fault)


@BOTH
def test_an_oversized_reply_is_cut_and_the_others_are_complete(
    simulator: Start, tmp_path: Path, stream: bool
) -> None:
    """Replies of ten megabytes are cut if two are allowed, and read to the end if ten are."""
    for most_mb, cut in ((2, "reply_too_large"), (64, "ok")):
        gateway = simulator("--profile", "fast", "--fault", "big_body=0.1", "--fault", "gzip=0.3")
        result = window(
            gateway.url, tmp_path / cut, stream, "--model", "m", "--max-reply-mb", most_mb,
            "--stop-rule", "off",
        )  # fmt: skip
        truth = by_task(gateway)
        rows = result.rows()
        assert len(rows) == len(truth) == 60
        large = {
            task for task, seen in truth.items() if seen["fault"] in ("big_body", "client_gone")
        }
        assert large and {row.task_id for row in rows if (row.response_bytes or 0) > 1e6} == large
        for row in rows:
            assert row.outcome == (cut if row.task_id in large else "ok"), row.error_message
