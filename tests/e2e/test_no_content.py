"""--no-content: no file that a run writes contains any word of prompts or replies."""

import json
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import pandas as pd
import pytest

from analysis.__main__ import main as analysis
from tasks.probes.vision import picture
from tests.locust_run import run

ASKED = "what ails Wang"
ANSWERED = "he has measles"
USAGE = {"prompt_tokens": 9, "completion_tokens": 4, "total_tokens": 14, "cost": 0.5}  # adds up not
CALL = {"id": "c", "type": "function", "function": {"name": "tell", "arguments": f'"{ANSWERED}"'}}


class Gossip(BaseHTTPRequestHandler):
    """Answers every other request and refuses the others; both repeat what they were sent."""

    protocol_version = "HTTP/1.1"
    disable_nagle_algorithm = True
    count = 0

    def do_POST(self) -> None:
        asked = json.loads(self.rfile.read(int(self.headers["content-length"])))
        type(self).count += 1
        if self.count % 2:
            error = {"message": f"not allowed: {asked['messages']} {ASKED}", "type": ASKED}
            self._say(400, "application/json", json.dumps({"error": error}))
        elif asked.get("stream"):
            deltas: list[dict[str, Any]] = [{"content": c} for c in ANSWERED.partition(" ")]
            events = [{"choices": [{"index": 0, "delta": delta}]} for delta in deltas]
            end = {"choices": [{"index": 0, "delta": {}, "finish_reason": "stop"}], "usage": USAGE}
            lines = [*map(json.dumps, [*events, end]), "[DONE]"]
            self._say(200, "text/event-stream", "".join(f"data: {line}\n\n" for line in lines))
        else:
            said = {"role": "assistant", "content": ANSWERED, "reasoning_content": ASKED}
            message = said | ({"tool_calls": [CALL]} if asked.get("tools") else {})
            choice = {"index": 0, "message": message, "finish_reason": "stop"}
            body = {"id": "x", "model": asked["model"], "choices": [choice], "usage": USAGE}
            self._say(200, "application/json", json.dumps(body))

    def _say(self, status: int, kind: str, text: str) -> None:
        self.send_response(status)
        self.send_header("content-type", kind)
        self.send_header("content-length", str(len(text.encode())))
        self.end_headers()
        self.wfile.write(text.encode())

    def log_message(self, format: str, *arguments: object) -> None:
        """Logs nothing."""


@pytest.fixture
def gossip() -> Iterator[str]:
    server = ThreadingHTTPServer(("127.0.0.1", 0), type("Own", (Gossip,), {}))
    threading.Thread(target=server.serve_forever, daemon=True).start()
    yield f"http://127.0.0.1:{server.server_port}/v1"
    server.shutdown()
    server.server_close()


@pytest.fixture
def asking(tmp_path: Path) -> dict[str, tuple[object, ...]]:
    """For each kind of own prompts, the options that use it."""
    inputs = tmp_path / "inputs"
    inputs.mkdir()
    tools, expect, prefix, image = (inputs / n for n in ("t.json", "e.json", "p.txt", "i.png"))
    function = {"name": "tell", "description": ASKED, "parameters": {"type": "object"}}
    tools.write_text(json.dumps([{"type": "function", "function": function}]))
    expect.write_text(json.dumps({"name": "tell", "arguments": {"what": ANSWERED}}))
    prefix.write_text(f"{ASKED} " * 50)
    image.write_bytes(picture(ASKED))
    return {
        "tools": ("--mode", "tools", "--repeat", 4, "--tools", tools, "--tools-prompt", ASKED,
                  "--tools-expect", expect),
        "cache": ("--mode", "cache", "--repeat", 4, "--prefix-file", prefix),
        "vision": ("--mode", "vision", "--image", image, "--image-text", ASKED),
        "stream": ("--mode", "rpm", "--target", 240, "--duration", 1, "--stream"),
    }  # fmt: skip


def holding(folder: Path) -> set[str]:
    """The files in the folder, except the run's inputs, that contain prompts or replies."""
    words = [word.encode() for word in (ASKED, ANSWERED, "measles")]
    files = [path for path in folder.rglob("*") if path.is_file() and path.parent.name != "inputs"]
    return {path.name for path in files if any(word in contents(path) for word in words)}


def contents(path: Path) -> bytes:
    """The bytes of a file; of Parquet, which is compressed, its table as CSV."""
    if path.suffix == ".parquet":
        return bytes(pd.read_parquet(path).to_csv(), "utf-8")
    return path.read_bytes()


@pytest.mark.parametrize(
    "kind",
    [
        pytest.param("tools", marks=pytest.mark.long),
        pytest.param("cache", marks=pytest.mark.long),
        pytest.param("vision", marks=pytest.mark.long),
        "stream",
        "aloud",
    ],
)
def test_no_file_contains_prompts_or_replies(
    gossip: str, asking: dict[str, tuple[object, ...]], tmp_path: Path, kind: str
) -> None:
    """The run's own files, the rows as JSONL, CSV and Parquet, JUnit, and Locust's CSV and HTML.

    The control, without the option: every file that can have content has it.
    """
    result = run(
        "-H", gossip, "--model", "m", *asking["tools" if kind == "aloud" else kind],
        *["--no-content"] * (kind != "aloud"), "--output", tmp_path / "out.jsonl",
        "--junit", tmp_path / "junit.xml", "--fail-on", "success_rate<0.9,failures>0",
        "--csv", tmp_path / "locust", "--html", tmp_path / "locust.html",
        results=tmp_path / "results",
    )  # fmt: skip
    assert result.code == 1, result.text
    assert result.folder is not None
    for name in ("rows.csv", "rows.parquet"):
        assert analysis(["export", str(result.folder), "--output", str(tmp_path / name)]) == 0
    statuses = [row.http_status for row in result.rows()]
    assert {200, 400} == set(statuses), "it was asked, and it answered"
    assert {"junit.xml", "locust.html"} < {path.name for path in tmp_path.iterdir()}
    if kind == "aloud":
        assert holding(tmp_path) >= {
            "manifest.json",
            "requests-local.csv",
            "out.jsonl",
            "rows.csv",
            "rows.parquet",
        }
    else:
        assert holding(tmp_path) == set()
