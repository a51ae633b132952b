"""A gateway that answers nine in ten at once and one in ten never: no percentile hides this."""

import itertools
import json
import time
from pathlib import Path
from typing import Any

import pytest

from analysis.__main__ import main
from tests.e2e.gateways import Asked, serving
from tests.locust_run import run

REPLY = {
    "id": "c", "object": "chat.completion", "created": 1, "model": "m",
    "choices": [{"index": 0, "finish_reason": "stop",
                 "message": {"role": "assistant", "content": "ok"}}],
    "usage": {"prompt_tokens": 5, "completion_tokens": 1, "total_tokens": 6},
}  # fmt: skip


@pytest.mark.long
def test_an_unanswered_tail_fails_every_verdict(tmp_path: Path) -> None:
    """--fail-on during the run, check --slo afterwards, and the capacity search at any rate."""
    number = itertools.count()

    def answer(asked: Asked) -> tuple[int, Any]:
        if asked.method == "GET":
            return 200, {"data": [{"id": "m"}]}
        if next(number) % 10 == 9:
            time.sleep(2)
        time.sleep(0.2)
        return 200, REPLY

    slo = tmp_path / "slo.toml"
    slo.write_text("e2e_p99_s = 0.5\n", encoding="utf-8")
    with serving(answer) as gateway:
        window = ("-H", gateway.url, "--model", "m", "--timeout", 1, "--stop-rule", "off")
        result = run(
            *window, "--mode", "rpm", "--target", 1200, "--duration", 2, "--fail-on", "p99_s>0.5",
            results=tmp_path / "rpm",
        )  # fmt: skip
        search = run(
            *window, "--mode", "capacity", "--target", "600,1200,1800", "--duration", 2,
            "--trials", 2, "--step-pause", 0, "--slo", slo, results=tmp_path / "capacity",
        )  # fmt: skip
    assert result.code == 1 and "p99_s cannot be judged from 40" in result.text, result.text
    assert "the slowest took more than 1" in result.text and "of 40 had no answer" in result.text
    assert result.folder is not None and search.folder is not None
    assert main(["check", str(result.folder), "--slo", str(slo)]) == 1
    (content,) = json.loads((search.folder / "summary.json").read_text("utf-8"))["capacity"]
    assert content["met"] is None, content
    assert content["missed_objectives"] == ["e2e_p99_s"] or not content["answered"], content
