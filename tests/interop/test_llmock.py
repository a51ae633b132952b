"""llmock, a gateway we did not write, with real token buckets, broken streams, and an event log.

Our rows are compared with its journal, entry by entry.
"""

import json
import urllib.request
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from pathlib import Path
from typing import Any

import pytest

from recording.record import RequestRecord
from tests.interop.servers import free_port, installed, serving
from tests.locust_run import LocustRun, run

VERSION = "0.2.2"
Serve = Callable[..., str]


@pytest.fixture
def llmock(tmp_path: Path) -> Iterator[Serve]:
    """Starts llmock with the arguments given; returns its root URL."""
    program = installed("llmock", VERSION, f"llmock=={VERSION}") / "llmock"
    with ExitStack() as running:

        def start(*arguments: str) -> str:
            port = free_port()
            command = [str(program), "serve", "--host", "127.0.0.1", "--port", str(port),
                       "--log-level", "warning", *arguments]  # fmt: skip
            return running.enter_context(serving(command, port, tmp_path / "llmock.log"))

        yield start


def event_log(root: str) -> dict[str, dict[str, Any]]:
    """What llmock saw, by prompt (its marker names the request)."""
    with urllib.request.urlopen(f"{root}/_llmock/requests?limit=1000", timeout=20) as answer:
        seen = json.load(answer)["requests"]
    chats = [entry for entry in seen if entry["path"].endswith("/chat/completions")]
    by_prompt = {entry["body"]["messages"][0]["content"]: entry for entry in chats}
    assert len(by_prompt) == len(chats), "a request came twice"
    return by_prompt


def window(root: str, results: Path, *more: object) -> LocustRun:
    return run(
        "-H", f"{root}/v1", "--mode", "rpm", "--model", "gpt-4o", "--target", 1200,
        "--duration", 3, "--stop-rule", "off", "--same-prompts", *more, results=results,
    )  # fmt: skip


def paired(result: LocustRun, root: str) -> list[tuple[RequestRecord, dict[str, Any]]]:
    """Each of our rows with its journal entry."""
    seen = event_log(root)
    rows = result.rows()
    assert len(rows) == len(seen) == 60
    return [(row, seen[f"Reply exactly: ok-{row.request_index}"]) for row in rows]


@pytest.mark.long
def test_its_token_bucket_is_in_our_rows(llmock: Serve, tmp_path: Path) -> None:
    """A limit of 30 RPM: refusals, the exact Retry-After and the limits agree with its log."""
    root = llmock("--rpm", "30")
    result = window(root, tmp_path / "results")
    assert result.code == 0, result.text
    pairs = paired(result, root)
    for row, entry in pairs:
        assert row.http_status == entry["status"]
        assert row.ratelimit_limit_requests == 30
        if entry["status"] == 429:
            assert row.outcome == "rate_limited" and row.error_type
            assert row.retry_after_s is not None and row.ratelimit_remaining_requests == 0
            assert row.retry_after_s == pytest.approx(entry["retry_after"], abs=1.0)
        else:
            assert row.outcome == "ok" and row.total_tokens
    counted = Counter(row.outcome for row, _ in pairs)
    assert counted["ok"] >= 30 and counted["rate_limited"] > 0


@pytest.mark.long
def test_its_broken_streams_have_their_own_outcomes(llmock: Serve, tmp_path: Path) -> None:
    """A stream that breaks before its finish reason is not a success, and we saw all that it sent.

    One that breaks after it, by the event log, is a complete answer without usage.
    """
    faults = ("truncate=0.2", "disconnect=0.2", "malformed=0.2")
    root = llmock(*(part for fault in faults for part in ("--stream-fault", fault)))
    result = window(root, tmp_path / "results", "--stream")
    assert result.code == 0, result.text
    kinds = set()
    for row, entry in paired(result, root):
        kind, _, sent = str(entry["fault"]).removeprefix("stream:").partition("@")
        kinds.add(kind)
        assert row.chunks is not None
        if kind == "None":
            assert (row.outcome, row.finish_reason, row.check) == ("ok", "stop", None)
        elif kind == "malformed":
            assert row.outcome == "malformed"
        elif int(sent) <= 1 + row.chunks:  # its first event is the role, its last are
            assert row.outcome in ("stream_truncated", "connection_reset")
            assert row.finish_reason is None and int(sent) == 1 + row.chunks
        else:  # the finish reason, the usage and [DONE]
            flag = "usage_missing" if int(sent) == 2 + row.chunks else None
            assert (row.outcome, row.finish_reason, row.check) == ("ok", "stop", flag)
    assert kinds == {"None", "truncate", "disconnect", "malformed"}


def test_its_errors_are_in_our_rows(llmock: Serve, tmp_path: Path) -> None:
    """400, 401, 429, 500 and 503 at random: every row's status and outcome agree with its log."""
    rates = ("400=0.1", "401=0.1", "429=0.1", "500=0.1", "503=0.1")
    root = llmock(*(part for rate in rates for part in ("--error-rate", rate)))
    result = window(root, tmp_path / "results")
    names = {200: "ok", 400: "bad_request", 401: "auth", 429: "rate_limited",
             500: "server_error", 503: "server_error"}  # fmt: skip
    for row, entry in paired(result, root):
        assert (row.http_status, row.outcome) == (entry["status"], names[entry["status"]])


@pytest.mark.golden
def test_bodies_with_a_nonce_are_answered_and_no_two_are_alike(
    llmock: Serve, tmp_path: Path
) -> None:
    """In a run without any options the prompts differ from their first word on."""
    root = llmock()
    for stream in (False, True):
        result = run(
            "-H", f"{root}/v1", "--mode", "rpm", "--model", "gpt-4o", "--target", 600,
            "--duration", 2, *["--stream"] * stream, results=tmp_path / str(stream),
        )  # fmt: skip
        assert result.code == 0, result.text
        assert [row.outcome for row in result.rows()] == ["ok"] * 20
    prompts = event_log(root)
    starts = {prompt.partition(" ")[0] for prompt in prompts}
    assert len(prompts) == len(starts) == 40
    assert all(start[0] == "[" and start[1:-1].isdigit() for start in starts)
