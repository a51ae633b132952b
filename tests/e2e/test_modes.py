"""Every other mode on the simulator, judged by the simulator's log and by the article."""

import json
from collections.abc import Callable
from pathlib import Path

import pytest

from tests.locust_run import LocustRun, run
from tests.simulated import Simulator

Start = Callable[..., Simulator]


def go(gateway: Simulator, tmp_path: Path, *arguments: object) -> LocustRun:
    """A run that must succeed, and whose task_ids the server must each have seen once."""
    result = run("-H", gateway.url, *arguments, results=tmp_path / "results")
    assert result.code == 0, result.text
    named = sorted(row.task_id or "" for row in result.rows() if not row.stream)
    assert named == sorted(row["task_id"] for row in gateway.rows() if row["task_id"])
    assert len(result.rows()) == len(gateway.rows())
    return result


def test_smoke_sends_a_chat_per_model_and_one_stream(simulator: Start, tmp_path: Path) -> None:
    """The article's four smoke requests, through the SDK's typed surface."""
    result = go(
        simulator("--profile", "fast"), tmp_path, "--mode", "smoke", "--task-id-prefix", "nl"
    )
    assert [(row.scenario, row.model_requested, row.outcome) for row in result.rows()] == [
        ("chat", "claude-sonnet-4.6", "ok"),
        ("chat", "gemini-3-flash-preview", "ok"),
        ("chat", "gpt-5.4-nano", "ok"),
        ("stream", "gpt-5.4-nano", "ok"),
    ]
    assert "nl-smoke-gpt-5.4-nano-run-1" in {row.task_id for row in result.rows()}
    assert all(row.api_cost is not None for row in result.rows())
    streamed = result.rows()[-1]
    assert streamed.ttft_s is not None and streamed.chunks


@pytest.mark.parametrize("connections", ["warm", pytest.param("cold", marks=pytest.mark.long)])
def test_each_ladder_step_is_in_flight_at_once(
    simulator: Start, tmp_path: Path, connections: str
) -> None:
    """Steps 1, 7 and 33 have exactly 1, 7 and 33 requests in the server at the same time."""
    gateway = simulator("--profile", "fast", "--latency", "0.5")
    result = go(
        gateway, tmp_path, "--mode", "ladder", "--model", "m", "--steps", "1,7,33",
        "--step-pause", "0.5", "--connections", connections,
    )  # fmt: skip
    peak: dict[str, int] = {}
    for row in gateway.rows():
        step = row["task_id"].rsplit("-c", 1)[1].split("-")[0]
        peak[step] = max(peak.get(step, 0), int(row["in_flight"]))
    assert peak == {"1": 1, "7": 7, "33": 33}
    reused = {row.connection_reused for row in result.rows()}
    assert reused == ({False} if connections == "cold" else reused)


def test_a_held_step_keeps_its_concurrency(simulator: Start, tmp_path: Path) -> None:
    """--hold makes a step a sustained closed loop: never more in flight than the step."""
    gateway = simulator("--profile", "fast", "--latency", "0.1")
    result = go(
        gateway, tmp_path, "--mode", "ladder", "--model", "m", "--steps", "3", "--hold", "2"
    )
    assert max(int(row["in_flight"]) for row in gateway.rows()) == 3
    assert len(result.rows()) > 20


def test_cache_sends_one_prefix_in_order(simulator: Start, tmp_path: Path) -> None:
    """The same prompt three times, one after another: cold, then hits of 128-token blocks."""
    gateway = simulator("--profile", "fast")
    result = go(gateway, tmp_path, "--mode", "cache")
    rows = result.rows()
    assert len({row["prompt_sha256"] for row in gateway.rows()}) == 1
    first, *others = rows
    assert first.cached_tokens == 0 and (first.prompt_tokens or 0) > 10_000
    for row in others:
        assert row.cached_tokens and row.cached_tokens % 128 == 0
        assert row.api_cost is not None and first.api_cost is not None
        assert row.api_cost < first.api_cost
    ends = [(row.sent_offset_s, row.done_offset_s) for row in rows]
    assert all((a[1] or 0) <= (b[0] or 0) for a, b in zip(ends, ends[1:], strict=False))


@pytest.mark.long
def test_a_fresh_nonce_makes_the_first_run_cold_again(simulator: Start, tmp_path: Path) -> None:
    """Without a nonce the second run is warm from its first request; with a nonce it is cold."""
    gateway = simulator("--profile", "fast")
    for number, (nonce, warm) in enumerate((("none", False), ("none", True), ("fresh", False))):
        result = run(
            "-H", gateway.url, "--mode", "cache", "--repeat", "1", "--cache-nonce", nonce,
            results=tmp_path / f"results-{number}",
        )  # fmt: skip
        assert ((result.rows()[0].cached_tokens or 0) > 0) == warm


def test_tools_are_called_and_judged(simulator: Start, tmp_path: Path) -> None:
    """get_weather is offered three times per model, and every step of the judgement is kept."""
    gateway = simulator("--profile", "fast")
    result = go(gateway, tmp_path, "--mode", "tools", "--tool-choice", "required")
    assert len(result.rows()) == 9
    for row in result.rows():
        assert row.check == "pass"
        assert set(json.loads(row.check_detail or "")) == {
            "tool_calls", "function", "arguments_json", "arguments_right",
        }  # fmt: skip
    assert {(row["tools"], row["tool_choice"]) for row in gateway.rows()} == {("1", "required")}


def test_the_users_own_functions(simulator: Start, tmp_path: Path) -> None:
    """--tools FILE offers the user's own functions and validates the arguments by their schema."""
    schema = {
        "type": "object",
        "properties": {
            "order_id": {"type": "string", "pattern": "^[A-Z]{2}-\\d{4}$"},
            "reason": {"type": "string", "enum": ["damaged", "late", "wrong item"]},
        },
        "required": ["order_id", "reason"],
        "additionalProperties": False,
    }
    function = {"name": "refund_order", "parameters": schema}
    (tmp_path / "tools.json").write_text(json.dumps([{"type": "function", "function": function}]))
    right = {"name": "refund_order", "arguments": {"order_id": "AB-1234", "reason": "damaged"}}
    (tmp_path / "right.json").write_text(json.dumps(right))
    result = go(
        simulator("--profile", "fast"), tmp_path, "--mode", "tools", "--model", "m",
        "--tools", tmp_path / "tools.json", "--tools-expect", tmp_path / "right.json",
        "--tools-prompt",
        'Call refund_order with {"order_id": "AB-1234", "reason": "damaged"}.',
        "--tool-choice", "refund_order", "--max-tokens", "512", "--repeat", "2",
    )  # fmt: skip
    assert [row.check for row in result.rows()] == ["pass", "pass"], result.rows()[0].check_detail
    assert {row.max_tokens for row in result.rows()} == {512}


@pytest.mark.long
def test_reasoning_is_separated_from_content(simulator: Start, tmp_path: Path) -> None:
    """Thinking models return reasoning, plain and streamed; others do not."""
    gateway = simulator("--profile", "seed")
    models = "claude-sonnet-4.6-thinking,gpt-5.4-nano"
    result = go(gateway, tmp_path, "--mode", "reasoning", "--model", models)
    thinks = {(r.model_requested, r.scenario): r.reasoning_content_present for r in result.rows()}
    assert thinks == {
        ("claude-sonnet-4.6-thinking", "plain"): True,
        ("claude-sonnet-4.6-thinking", "stream"): True,
        ("gpt-5.4-nano", "plain"): False,
        ("gpt-5.4-nano", "stream"): False,
    }


@pytest.mark.long
def test_vision_reads_the_picture_with_enough_budget(simulator: Start, tmp_path: Path) -> None:
    """At 64 tokens GLM-4.6V reasons, at 512 it reads the picture's text."""
    gateway = simulator("--profile", "seed")
    result = go(gateway, tmp_path, "--mode", "vision")
    by_budget = {row.max_tokens: row for row in result.rows()}
    assert by_budget[512].check == "pass" and by_budget[64].check == "fail"
    assert by_budget[64].reasoning_content_present
    assert {row["images"] for row in gateway.rows()} == {"1"}


def test_the_stop_rule_ends_the_climb(simulator: Start, tmp_path: Path) -> None:
    """A gateway that refuses above 20 at once: the climb ends at 33, 50 is never tried.

    The plan was not completed, so the exit code is 1.
    """
    gateway = simulator("--profile", "fast", "--latency", "0.3", "--max-concurrency", "20")
    result = run(
        "-H", gateway.url, "--mode", "ladder", "--model", "m", "--steps", "5,33,50",
        "--step-pause", "0.3", results=tmp_path / "results",
    )  # fmt: skip
    assert result.code == 1, result.text
    (stop,) = result.events("stop_rule")
    assert stop["phase"] == "ladder/m/33" and stop["outcomes"].keys() == {"rate_limited"}
    assert [event["phase"] for event in result.events("phase_skipped")] == ["ladder/m/50"]
    assert not any("-c50-" in row["task_id"] for row in gateway.rows())


def test_the_stop_rule_can_be_off(simulator: Start, tmp_path: Path) -> None:
    """With --stop-rule off, every step is tried."""
    gateway = simulator("--profile", "fast", "--max-concurrency", "2", "--latency", "0.2")
    result = go(
        gateway, tmp_path, "--mode", "ladder", "--model", "m", "--steps", "5,10",
        "--step-pause", "0.3", "--stop-rule", "off",
    )  # fmt: skip
    assert result.events("stop_rule") == [] and len(result.rows()) == 15


def test_a_window_under_the_stop_rule_drops_the_rest(simulator: Start, tmp_path: Path) -> None:
    """A window on a failing gateway ends early; what was not sent is recorded as dropped."""
    gateway = simulator("--profile", "fast", "--fault", "error_500=1.0")
    result = run(
        "-H", gateway.url, "--mode", "rpm", "--model", "m", "--target", 600, "--duration", 4,
        results=tmp_path / "results",
    )  # fmt: skip
    rows = result.rows()
    assert len(rows) == 40
    assert {row.outcome for row in rows} == {"server_error", "dropped"}
    assert sum(row.outcome == "server_error" for row in rows) == len(gateway.rows()) < 20


def test_a_dry_run_sends_nothing(simulator: Start, tmp_path: Path) -> None:
    """--dry-run prints every phase with its counts, and sends and writes nothing."""
    gateway = simulator("--profile", "fast")
    result = run("-H", gateway.url, "--mode", "full", "--dry-run", results=tmp_path / "results")
    assert result.code == 0 and result.folder is None and gateway.rows() == []
    assert "ladder/gpt-5.4-nano/100" in result.out and "in all: 2,316 requests" in result.out
    assert "prompt tokens" in result.out and "40,432 output tokens" in result.out
    assert "minutes" in result.out and "Nothing was sent." in result.out
