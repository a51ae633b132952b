"""Gateways with other rules for bodies, and files of other tools, in complete runs."""

import gzip
import json
import threading
from pathlib import Path
from typing import Any

import pytest

from tests.e2e.gateways import Asked, Scripted, serving
from tests.locust_run import LocustRun, run

USAGE = {"prompt_tokens": 5, "completion_tokens": 2, "total_tokens": 7, "cost": 0.001}


def completion(body: dict[str, Any]) -> dict[str, Any]:
    message: dict[str, Any] = {"role": "assistant", "content": "ok"}
    if body.get("tools"):
        call = {"name": "get_weather", "arguments": '{"city": "Shanghai"}'}
        message = {"role": "assistant", "content": None,
                   "tool_calls": [{"id": "c", "type": "function", "function": call}]}  # fmt: skip
    choice = {"index": 0, "message": message, "finish_reason": "stop"}
    return {"id": "c1", "object": "chat.completion", "created": 1, "model": body["model"],
            "choices": [choice], "usage": USAGE}  # fmt: skip


def one_at_a_time(asked: Asked) -> tuple[int, Any]:
    """A GPT-5-class model behind a gateway that says what it refuses in three different ways."""
    if asked.method == "GET":
        return 200, {"object": "list", "data": [{"id": "o9", "object": "model"}]}
    body = asked.body
    if "task_id" in body:
        fault = {"loc": ["body", "task_id"], "msg": "Extra inputs are not permitted", "input": "x"}
        return 422, {"detail": [{"type": "extra_forbidden", **fault}]}
    if "max_tokens" in body:
        words = "Unsupported parameter: 'max_tokens'. Use 'max_completion_tokens' instead."
        return 400, {"error": {"message": words, "type": "invalid_request_error"}}
    return 200, completion(body)


def bodies(gateway: Scripted) -> list[dict[str, Any]]:
    return [asked.body for asked in gateway.posts]


def changes(result: LocustRun) -> list[tuple[str, str, str]]:
    return [(e["field"], e["from"], e["to"]) for e in result.events("body_changed")]


LEARNT = [("task_id", "body", "header"), ("max_tokens", "max_tokens", "max_completion_tokens")]


@pytest.mark.parametrize(
    ("mode", "count"),
    [
        (("tools", "--repeat", 2), 2),
        (("rpm", "--target", 120, "--duration", 2), 4),
        (("ladder", "--steps", "2,3", "--step-pause", 0, "--processes", 2), 5),
    ],
    ids=("tools", "rpm", "ladder of two processes"),
)
def test_a_mode_works_where_two_fields_are_refused(
    tmp_path: Path, mode: tuple[object, ...], count: int
) -> None:
    """One row per planned request, all good; noted in the events, the manifest and the report."""
    with serving(one_at_a_time) as gateway:
        result = run("-H", gateway.url, "--model", "o9", "--mode", *mode, results=tmp_path / "r")
        assert result.code == 0, result.text
        accepted = {
            (row.phase, row.request_index): row for row in result.rows()
        }  # a worker's are twice
        rows = [accepted[key] for key in sorted(accepted)]
        assert [row.outcome for row in rows] == ["ok"] * count
        assert sorted(changes(result)) == sorted(LEARNT)
        again = sum(row.refused_sends or 0 for row in rows)
        assert len(gateway.posts) == count + again
        good = [
            asked for asked in gateway.posts if not asked.body.keys() & {"task_id", "max_tokens"}
        ]
        assert sorted(asked.headers["x-task-id"] for asked in good) == sorted(
            str(row.task_id) for row in rows
        )
        assert {one["field"] for one in result.manifest()["body_changes"]} == {
            "task_id",
            "max_tokens",
        }
        assert result.folder is not None
        for text in (result.out, (result.folder / "report.md").read_text(encoding="utf-8")):
            assert "o9 refuses the field max_tokens" in text
        if "ladder" in mode:  # what one process learnt in the first step, all know in the second
            second = [row for row in rows if row.phase.endswith("/3")]
            assert [row.refused_sends for row in second] == [0] * 3


@pytest.mark.long
def test_a_resumed_run_knows_what_was_refused(tmp_path: Path) -> None:
    """It ended by HTTP 402 after two of six requests, and resumes when there is credit."""
    credit = [2]

    def gateway_of(asked: Asked) -> tuple[int, Any]:
        status, said = one_at_a_time(asked)
        if status == 200 and asked.method == "POST":
            credit[0] -= 1
            if credit[0] < 0:
                return 402, {"error": {"message": "no credit", "type": "billing"}}
        return status, said

    with serving(gateway_of) as gateway:
        plan = ("--mode", "tools", "--model", "o9", "--repeat", 6)
        first = run("-H", gateway.url, *plan, results=tmp_path / "r")
        assert sorted(changes(first)) == sorted(LEARNT), first.text
        before, credit[0] = len(gateway.posts), 100
        assert first.folder is not None
        result = run("-H", gateway.url, "--resume", first.folder, results=tmp_path / "other")
        later = bodies(gateway)[before:]
        assert len(later) in (3, 4), result.text  # the request that met the 402 counts as paid for
        assert all("max_completion_tokens" in body and "task_id" not in body for body in later)


def test_the_operators_extra_body_takes_precedence(tmp_path: Path) -> None:
    """--extra-body adds and removes; nothing is sent twice."""
    extra = {"task_id": None, "max_tokens": None, "reasoning_effort": "low", "top": {"k": 1}}
    with serving(one_at_a_time) as gateway:
        result = run("-H", gateway.url, "--mode", "smoke", "--model", "o9", "--extra-body",
                   json.dumps(extra), results=tmp_path / "r")  # fmt: skip
        plain = next(body for body in bodies(gateway) if not body["stream"])
        assert plain.keys() == {"model", "messages", "stream", "reasoning_effort", "top"}
        assert plain["top"] == {"k": 1}
        assert len(gateway.posts) == 2 and changes(result) == []


@pytest.mark.parametrize(
    ("extra", "why"),
    [
        ("{", "--extra-body is not JSON"),
        ("[1]", "must be a JSON object"),
        ('{"max_tokens": 5}', "sets max_tokens: remove it; give --max-tokens"),
        ('{"messages": null}', "which every request needs"),
        ('{"n": 2}', "several choices"),
    ],
)
def test_an_extra_body_that_cannot_be_sent_is_one_sentence(extra: str, why: str) -> None:
    from loadshapes import modes
    from recording.errors import OperatorError
    from settings.options import Options

    with pytest.raises(OperatorError, match=why):
        modes.plan(Options(mode="smoke", model="m", extra_body=extra))


def test_every_request_of_a_batch_file_is_sent_as_the_file_has_it(tmp_path: Path) -> None:
    """The file is gzipped; check_detail has the custom_id; dropped fields are reported."""
    rows = [
        {"custom_id": f"c-{n}", "method": "POST", "url": "/v1/chat/completions",
         "body": {"model": "gpt-4o", "messages": [{"role": "user", "content": f"line {n}"}],
                  "max_tokens": n + 1, "top_k": n}}
        for n in range(3)
    ]  # fmt: skip
    path = tmp_path / "batch.jsonl.gz"
    path.write_bytes(gzip.compress("\n".join(map(json.dumps, rows)).encode()))
    lock = threading.Lock()

    def gateway_of(asked: Asked) -> tuple[int, Any]:
        with lock:
            return 200, completion({"model": "m"})

    with serving(gateway_of) as gateway:
        result = run("-H", gateway.url, "--mode", "rpm", "--model", "m", "--target", 240,
                   "--duration", 1, "--prompts", path, results=tmp_path / "r")  # fmt: skip
        assert result.code == 0, result.text
        sent = [
            {name: body[name] for name in ("messages", "max_tokens", "top_k")}
            for body in sorted(bodies(gateway), key=lambda body: str(body["task_id"]))
        ]
        bodies_of_file = [{k: v for k, v in row["body"].items() if k != "model"} for row in rows]  # type: ignore[attr-defined]
        assert sent == [*bodies_of_file, bodies_of_file[0]]
        details = [json.loads(row.check_detail or "{}") for row in result.rows()]
        assert [(one["line"], one["custom_id"]) for one in details] == [
            (1, "c-0"), (2, "c-1"), (3, "c-2"), (1, "c-0"),
        ]  # fmt: skip
        assert result.folder is not None
        report = (result.folder / "report.md").read_text(encoding="utf-8")
        for text in (result.out, report):
            assert "rows with model, which is not used" in text
            assert "4 requests are planned and the file has 3" in text
        kinds = [note["kind"] for note in result.manifest()["traffic"]["notes"]]
        assert kinds == ["shape", "ours", "vendor", "repeats"]


def test_a_dry_run_states_what_a_trace_loses_and_how_late_it_begins(tmp_path: Path) -> None:
    path = tmp_path / "burst.csv"
    path.write_text(
        "Timestamp,Model,Request tokens,Response tokens,Total tokens,Log Type\n"
        "819000,ChatGPT,472,18,490,API log\n819001,ChatGPT,417,0,417,API log\n"
        "819002,ChatGPT,100,9,109,API log\n"
    )
    arguments = ("--simulator", "--mode", "replay", "--model", "m", "--trace", path, "--dry-run")
    result = run(*arguments, results=tmp_path / "r")
    assert result.code == 0, result.text
    assert "rows of zero tokens (failed, or unfinished when recorded), left out: 1" in result.out
    assert "the first request is due after 9.5 days: --trace-from 819000" in result.out
    assert "about 9.5 days" in result.out and "(9.5 days)" in result.out
    sliced = run(*arguments, "--trace-from", "819000", results=tmp_path / "r")
    assert "the first request is due" not in sliced.out
    assert "2 requests" in sliced.out and "4 s" in sliced.out
