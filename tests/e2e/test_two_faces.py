"""A fake gateway: streams are held back, and counted and charged differently from plain replies.

Smoke must fail on it and say why, and the requests must be those of the plan.
"""

import json
import time
from pathlib import Path
from typing import Any

from tests.e2e.gateways import Asked, Raw, serving
from tests.locust_run import run
from tests.tasks.scripted_server import completion, delta


def answer(asked: Asked) -> tuple[int, Any, dict[str, str]]:
    """30 chunks at once after a second; 9 prompt tokens plain, 2,009 streamed; 90-fold cost."""
    if asked.method == "GET":
        return 200, {"object": "list", "data": []}, {}
    stated = {"x-litellm-overhead-duration-ms": "12.5"}
    if not asked.body["stream"]:
        usage = {"prompt_tokens": 9, "completion_tokens": 8, "total_tokens": 17, "cost": 0.0001}
        return 200, completion("Bananas are yellow.", model="m", usage=usage), stated
    time.sleep(1.0)
    usage = {"prompt_tokens": 2009, "completion_tokens": 30, "total_tokens": 2039, "cost": 0.009}
    events = [*(delta(content=f"w{n} ") for n in range(30)), delta("stop")]
    events = [{**event, "model": "m"} for event in [*events, {**delta(), "usage": usage}]]
    text = "".join(f"data: {json.dumps(event)}\n\n" for event in events) + "data: [DONE]\n\n"
    return 200, Raw(text.encode(), "text/event-stream"), stated


def test_smoke_fails_loudly_on_a_gateway_with_two_faces(tmp_path: Path) -> None:
    with serving(answer) as gateway:
        result = run(
            "-H", gateway.url, "--mode", "smoke", "--model", "m", results=tmp_path / "results"
        )
    assert result.code == 1
    assert "BAD  The gateway states 9 prompt tokens for a plain request and 2,009" in result.text
    assert "BAD  The gateway charges 0.000100 for a plain request and 0.009000" in result.text
    assert "does not agree with the plain reply to the same prompt" in result.err
    assert "1 row (50%) is flagged stream_buffered" in result.text
    assert result.folder is not None
    first = (result.folder / "report.md").read_text("utf-8").split("## Overview")[0]
    assert "usage_stream_differs" in first and "cost_stream_differs" in first
    plain, streamed = result.rows()
    assert plain.stated_overhead_s == streamed.stated_overhead_s == 0.0125
    prompts = [post.body["messages"] for post in gateway.posts]
    assert len(prompts) == 2 and prompts[0] == prompts[1]
