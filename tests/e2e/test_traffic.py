"""Own traffic through Locust, judged by the simulator's own log."""

import json
import subprocess
from collections.abc import Callable
from hashlib import sha256
from pathlib import Path
from typing import Any

import pytest

from tests.e2e.test_distributed import Fleet
from tests.locust_run import run
from tests.simulated import Simulator

Start = Callable[..., Simulator]
MODEL = "gpt-5.4-nano"


def written(path: Path, *rows: dict[str, Any]) -> Path:
    path.write_text("".join(json.dumps(row) + "\n" for row in rows), encoding="utf-8")
    return path


def user(content: object) -> dict[str, object]:
    return {"role": "user", "content": content}


def digest(messages: object) -> str:
    """What the simulator logs of messages as compact JSON."""
    text = json.dumps(messages, ensure_ascii=False, separators=(",", ":"))
    return sha256(text.encode()).hexdigest()


def number(row: dict[str, str]) -> int:
    return int(row["task_id"].rsplit("-", 1)[1])


def test_a_trace_is_replayed_at_its_own_times(simulator: Start, tmp_path: Path) -> None:
    """Each line arrives with its own messages, in order, no earlier than due, at half the gaps."""
    at = [0.0, 3.0, 0.4, 0.4, 2.0, 1.0]  # out of order: sorted
    trace = written(
        tmp_path / "trace.jsonl",
        *({"at_s": t, "messages": [user(f"line {n}")], "max_tokens": n + 8}
          for n, t in enumerate(at)),
    )  # fmt: skip
    gateway = simulator("--profile", "fast")
    result = run("-H", gateway.url, "--mode", "replay", "--model", MODEL, "--trace", trace,
               "--speed", "2", "--no-content", results=tmp_path / "results")  # fmt: skip
    assert result.code == 0, result.text
    order = sorted(range(len(at)), key=lambda n: at[n])
    rows, logged = result.rows(), sorted(gateway.rows(), key=number)
    assert [row["prompt_sha256"] for row in logged] == [digest([user(f"line {n}")]) for n in order]
    assert [row.scheduled_offset_s for row in rows] == [at[n] / 2 for n in order]
    assert [row.max_tokens for row in rows] == [n + 8 for n in order]
    assert {row.content for row in rows} == {None}
    (start,) = result.events("phase_start")
    late = [float(row["arrival_unix_s"]) - float(start["t0_unix_s"]) - at[n] / 2
            for n, row in zip(order, logged, strict=True)]  # fmt: skip
    assert min(late) > -0.05, late
    assert result.folder is not None
    report = (result.folder / "report.md").read_text(encoding="utf-8")
    assert f"| {MODEL} | 200 | 6 | 6 |" in report, "six in 1.5 s and a mean gap: the rate offered"
    trace.write_text(trace.read_text().replace("line 0", "line x"))
    again = run("--resume", result.folder, results=tmp_path / "results")
    assert again.code == 2 and "is not the file that the run sent" in again.text, again.text
    assert len(gateway.rows()) == 6


def test_a_conversation_is_carried_on_with_the_real_replies(
    simulator: Start, tmp_path: Path
) -> None:
    """Each turn's messages, as the gateway saw them, contain the reply in the previous row."""
    system = {"role": "system", "content": "Be terse."}
    turns = ["What is a gateway?", "And a proxy?", "Thanks."]
    prompts = written(
        tmp_path / "own.jsonl",
        {"messages": [system], "turns": turns, "max_tokens": 24},
        {"messages": [user("alone")], "max_tokens": 8},
    )
    gateway = simulator("--profile", "fast")
    result = run("-H", gateway.url, "--mode", "soak", "--search", "concurrency", "--target", "1",
               "--duration", "1", "--model", MODEL, "--prompts", prompts,
               results=tmp_path / "results")  # fmt: skip
    assert result.code == 0, result.text
    rows, logged = result.rows(), sorted(gateway.rows(), key=number)
    assert len(rows) == len(logged) > 8
    assert len({row.task_id for row in rows}) == len(rows)
    conversation: list[object] = [system]
    for row, seen in zip(rows[:8], logged, strict=False):
        turn = row.request_index % 4
        place = {"line": 2, "turn": 1} if turn == 3 else {"line": 1, "turn": turn + 1}
        assert (row.check, json.loads(row.check_detail or "")) == (None, place)
        if turn == 3:
            conversation = [system]
            assert seen["prompt_sha256"] == digest([user("alone")])
            continue
        conversation.append(user(turns[turn]))
        assert seen["prompt_sha256"] == digest(conversation)
        conversation.append({"role": "assistant", "content": row.content})


@pytest.mark.long
def test_workers_need_no_file(simulator: Start, tmp_path: Path) -> None:
    """Two processes send what one would, although a worker's folder does not have the file."""
    written(tmp_path / "own.jsonl", *({"messages": [user(f"line {n}")]} for n in range(3)))
    elsewhere = tmp_path / "elsewhere"
    elsewhere.mkdir()
    gateway = simulator("--profile", "fast")
    arguments = ("-H", gateway.url, "--mode", "rpm", "--model", MODEL, "--target", "480",
                 "--duration", "1", "--max-tokens", "8", "--prompts", "own.jsonl")  # fmt: skip

    class Here(Fleet):
        """The master runs where the file is, its workers elsewhere."""

        def _start(self, *words: str) -> "subprocess.Popen[bytes]":
            there = elsewhere if "--worker" in words else tmp_path
            return super()._start("env", "-C", str(there), *words)

    fleet = Here(tmp_path / "results", 2, *arguments)
    try:
        result = fleet.finish()
    finally:
        fleet.stop()
    assert result.code == 0, result.text
    _each_line_by_its_index(gateway, 8)
    assert {row.worker for row in result.rows()} == {"worker-0", "worker-1"}


@pytest.mark.long
def test_two_processes_send_what_one_would(simulator: Start, tmp_path: Path) -> None:
    prompts = written(
        tmp_path / "own.jsonl", *({"messages": [user(f"line {n}")]} for n in range(3))
    )
    gateway = simulator("--profile", "fast")
    result = run("-H", gateway.url, "--processes", "2", "--mode", "rpm", "--model", MODEL,
               "--target", "480", "--duration", "1", "--max-tokens", "8", "--prompts", prompts,
               results=tmp_path / "results")  # fmt: skip
    assert result.code == 0, result.text
    _each_line_by_its_index(gateway, 8)


def _each_line_by_its_index(gateway: Simulator, count: int) -> None:
    logged = sorted(gateway.rows(), key=number)
    expected = [digest([user(f"line {index % 3}")]) for index in range(count)]
    assert [row["prompt_sha256"] for row in logged] == expected


@pytest.mark.parametrize(
    ("rows", "arguments", "sentence"),
    [
        ([{"messages": []}], ("--mode", "rpm", "--target", "60", "--prompts"), "line 1: messages"),
        ([], ("--mode", "rpm", "--target", "60", "--prompts"), "it is empty"),
        ([{"turns": ["x"]}], ("--mode", "rpm", "--target", "60", "--prompts"), "a closed loop"),
        ([{"turns": ["x"]}], ("--mode", "cache", "--prompts"), "--prompts works only with"),
        ([{"at_s": 1}], ("--mode", "replay", "--trace"), "line 1: it needs one of messages"),
    ],
)
def test_a_file_that_cannot_be_sent_is_refused_before_anything_is(
    simulator: Start,
    tmp_path: Path,
    rows: list[dict[str, Any]],
    arguments: tuple[str, ...],
    sentence: str,
) -> None:
    """One sentence, exit code 2, and the gateway sees nothing."""
    path = written(tmp_path / "own.jsonl", *rows)
    gateway = simulator("--profile", "fast")
    result = run(
        "-H", gateway.url, "--model", MODEL, *arguments, path, results=tmp_path / "results"
    )
    assert result.code == 2, result.text
    assert "Traceback" not in result.text
    (said,) = [one for one in result.text.splitlines() if one.startswith("weighbridge: ")]
    assert sentence in said
    assert gateway.rows() == []
