"""A gateway we did not write: aimock uses OpenRouter's dialect and keeps an event log.

Our rows must equal its journal. The server comes from npm, once per machine, outside the checkout.
"""

import fcntl
import json
import re
import shutil
import socket
import subprocess
import tempfile
import time
import urllib.request
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.locust_run import LocustRun, run

VERSION = "1.43.0"
COST = 0.0125
pytestmark = pytest.mark.skipif(
    shutil.which("npm") is None or shutil.which("node") is None,
    reason="Node.js is missing: aimock cannot be run",
)


def installed() -> Path:
    """aimock's command, installed by npm into a folder that later runs find again."""
    home = Path(tempfile.gettempdir()) / f"weighbridge-aimock-{VERSION}"
    home.mkdir(exist_ok=True)
    script = home / "node_modules" / "@copilotkit" / "aimock" / "dist" / "cli.js"
    with (home / "lock").open("w") as lock:  # tests run in several processes
        fcntl.flock(lock, fcntl.LOCK_EX)
        if not script.exists():
            subprocess.run(
                ["npm", "install", "--no-audit", "--no-fund", "--no-save", "--prefix", str(home),
                 f"@copilotkit/aimock@{VERSION}"],
                check=True, capture_output=True, timeout=300,
            )  # fmt: skip
    return script


@pytest.fixture(scope="module")
def aimock(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """aimock with one reply of known usage and cost; its root URL."""
    fixtures = tmp_path_factory.mktemp("fixtures")
    usage = {"prompt_tokens": 11, "completion_tokens": 3, "total_tokens": 14, "cost": COST}
    reply = {"match": {"userMessage": "ok-"}, "response": {"content": "ok-0", "usage": usage}}
    (fixtures / "replies.json").write_text(json.dumps({"fixtures": [reply]}))
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    server = subprocess.Popen(
        ["node", str(installed()), "--port", str(port), "--fixtures", str(fixtures),
         "--journal-max", "0", "--latency", "5", "--log-level", "silent"],
        stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL,
    )  # fmt: skip
    try:
        for _ in range(100):
            with socket.socket() as probe:
                if probe.connect_ex(("127.0.0.1", port)) == 0:
                    break
            time.sleep(0.1)
        yield f"http://127.0.0.1:{port}"
    finally:
        server.kill()
        server.wait()


def event_log(root: str) -> list[dict[str, Any]]:
    """What aimock saw at the chat endpoint, in order."""
    with urllib.request.urlopen(f"{root}/__aimock/journal", timeout=10) as answer:
        seen: list[dict[str, Any]] = json.load(answer)
    return [entry for entry in seen if entry["path"].endswith("/chat/completions")]


def rpm(root: str, results: Path, *more: str) -> LocustRun:
    return run(
        "-H", f"{root}/api/v1", "--mode", "rpm", "--model", "some/model", "--target", "600",
        "--duration", "3", "--same-prompts", *more, results=results,
    )  # fmt: skip


def test_rows_equal_the_journal(aimock: str, tmp_path: Path) -> None:
    """Every request in aimock's journal is one of our rows: id, task_id, status, tokens, cost."""
    before = len(event_log(aimock))
    result = rpm(aimock, tmp_path)
    assert result.code == 0, result.text
    seen, rows = event_log(aimock)[before:], result.rows()
    assert len(rows) == len(seen) == 30
    assert {r.gateway_request_id: r.task_id for r in rows} == {
        e["headers"]["x-request-id"]: e["body"]["task_id"] for e in seen
    }
    assert {r.http_status for r in rows} == {e["response"]["status"] for e in seen} == {200}
    assert {(r.outcome, r.cost_source, r.api_cost, r.total_tokens) for r in rows} == {
        ("ok", "body", COST, 14)
    }
    assert {e["body"]["messages"][0]["content"] for e in seen} == {
        f"Reply exactly: ok-{i}" for i in range(30)
    }


@pytest.mark.long
def test_streamed_rows_equal_the_journal(aimock: str, tmp_path: Path) -> None:
    """Streams carry OpenRouter's usage.cost in their last chunk, and no task_id was sent."""
    before = len(event_log(aimock))
    result = rpm(aimock, tmp_path, "--stream")
    seen, rows = event_log(aimock)[before:], result.rows()
    assert len(rows) == len(seen) == 30
    assert all(e["body"]["stream"] and "task_id" not in e["body"] for e in seen)
    assert {(r.outcome, r.api_cost, r.total_tokens, r.finish_reason) for r in rows} == {
        ("ok", COST, 14, "stop")
    }
    assert all(r.ttft_s is not None and r.chunks for r in rows)


@pytest.mark.long
def test_default_headers_and_nonces_are_in_the_journal(aimock: str, tmp_path: Path) -> None:
    """Every request has its row's trace id, and begins with fifteen unique digits."""
    before = len(event_log(aimock))
    result = run(
        "-H", f"{aimock}/api/v1", "--mode", "rpm", "--model", "some/model", "--target", "600",
        "--duration", "2", results=tmp_path,
    )  # fmt: skip
    assert result.code == 0, result.text
    seen, rows = event_log(aimock)[before:], {row.task_id: row for row in result.rows()}
    assert len(rows) == len(seen) == 20
    for entry in seen:
        row = rows[entry["body"]["task_id"]]
        assert row.trace_id == entry["headers"]["x-request-id"]
        assert entry["headers"]["traceparent"].split("-")[:2] == ["00", row.trace_id]
        assert (row.outcome, row.api_cost) == ("ok", COST)
    spoken = [entry["body"]["messages"][0]["content"] for entry in seen]
    asked = [re.fullmatch(r"\[(\d{15})\] Reply exactly: ok-\d+", text) for text in spoken]
    assert len({found[1] for found in asked if found}) == 20
