"""Every dialect of the simulator, plain and streamed, and every line ending of streams.

Row by row against the simulator's own log (`make golden`).
"""

import http.client
import json
from collections.abc import Callable
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import pytest

from analysis.reading.load import load
from analysis.report.report import look
from recording.record import RequestRecord
from simulator.dialects import DIALECTS
from tests.e2e.gateways import Asked, Raw, serving
from tests.golden.truth import Seen
from tests.locust_run import CANARY, LocustRun, run
from tests.simulated import Simulator

pytestmark = pytest.mark.golden
Start = Callable[..., Simulator]
BOTH = pytest.mark.parametrize("stream", [False, True], ids=["plain", "stream"])
REASONING_BESIDE = ("xai",)
CACHED_BESIDE = ("anthropic-compat",)
WITHOUT_REASONING = ("anthropic-compat",)


def window(gateway: str, results: Path, stream: bool, *more: object) -> LocustRun:
    """Sixty requests in three seconds."""
    return run(
        "-H", gateway, "--mode", "rpm", "--target", 1200, "--duration", 3, "--task-id-on-streams",
        "--task-id-prefix", "gold", *["--stream"] * stream, *more, results=results,
    )  # fmt: skip


def answered(gateway: Simulator) -> dict[str, Seen]:
    """The log's answers by task_id; each id was answered once."""
    rows = [row for row in gateway.rows() if row["status"] == "200"]
    by_task = {row["task_id"]: row for row in rows}
    assert len(by_task) == len(rows), "a request was answered twice"
    return by_task


def paired(result: LocustRun, gateway: Simulator, count: int) -> list[tuple[RequestRecord, Seen]]:
    """Each row with its entry in the log: exactly as many as were planned."""
    assert result.code == 0, result.text
    truth, rows = answered(gateway), result.rows()
    assert len(rows) == len(truth) == count
    assert {row.outcome for row in rows} == {"ok"}
    return [(row, truth[row.task_id or ""]) for row in rows]


def whole_prompt(dialect: str, row: RequestRecord) -> int:
    """Prompt tokens plus those that the dialect states separately."""
    beside = (row.cached_tokens or 0) + (row.cache_write_tokens or 0)
    return (row.prompt_tokens or 0) + (beside if dialect in CACHED_BESIDE else 0)


def whole_completion(dialect: str, row: RequestRecord) -> int:
    """Completion tokens plus the reasoning that the dialect states separately."""
    beside = row.reasoning_tokens or 0
    return (row.completion_tokens or 0) + (beside if dialect in REASONING_BESIDE else 0)


@BOTH
@pytest.mark.parametrize("dialect", sorted(DIALECTS))
def test_every_dialect_equals_the_log(
    thinker: Start, tmp_path: Path, dialect: str, stream: bool
) -> None:
    """Tokens, costs and reasons; requests refused for a field were changed and sent again.

    The cost is empty, not 0, if the dialect states none, and no healthy dialect has a flag.
    """
    gateway = thinker("--dialect", dialect, "--tokens-per-s", 0, "--ttft", 0.02, thoughts=9)
    result = window(gateway.url, tmp_path / "r", stream, "--model", "gpt-5.4-nano")
    refused = [row for row in gateway.rows() if row["status"] != "200"]
    rows = paired(result, gateway, 60)
    for row, seen in rows:
        expected = {"content_type"} if dialect == "proxy" and stream else set()
        assert set((row.check or "").split()) == expected, row.check_detail
        assert row.finish_reason == seen["finish_reason"]
        assert row.stream == (seen["stream"] == "1") == stream
        assert row.max_tokens == int(seen["max_tokens"])
        assert whole_prompt(dialect, row) == int(seen["prompt_tokens"])
        assert whole_completion(dialect, row) == int(seen["completion_tokens"])
        if dialect not in WITHOUT_REASONING:
            assert row.reasoning_tokens == int(seen["reasoning_tokens"])
        cost = row.upstream_cost if dialect == "byok" else row.api_cost
        stated = seen["billed"] if dialect in ("byok", "xai") else seen["cost"]
        assert cost == (pytest.approx(float(stated), rel=1e-9) if stated else None)
    assert sum(row.refused_sends or 0 for row, _ in rows) == len(refused)
    assert bool(refused) == (dialect in ("azure", "openai", "pydantic"))
    assert result.folder is not None
    (phase,) = [phase.as_dict() for phase in look(load(result.folder)).phases]
    assert (phase["sent"], phase["success"]) == (60, 60)
    print(f"\n{dialect}, stream: {stream}: {len(rows)} rows, {len(refused)} refused sends")


# ---- line ends

LINE_ENDS: dict[str, Callable[[bytes], bytes]] = {
    "lf": lambda text: text,
    "crlf": lambda text: text.replace(b"\n", b"\r\n"),
    "cr": lambda text: text.replace(b"\n", b"\r"),
    "mixed": lambda text: text.replace(b"\n\n", b"\r\n\n", 3).replace(b"\n\n", b"\r\r", 2),
    "a byte order mark": lambda text: b"\xef\xbb\xbf" + text,
    "no last blank line": lambda text: text.rstrip(b"\n"),
    "no space": lambda text: text.replace(b"data: ", b"data:"),
}


@pytest.mark.parametrize("ends", LINE_ENDS)
def test_every_line_end_equals_the_log(thinker: Start, tmp_path: Path, ends: str) -> None:
    """A relay between us and the simulator changes the line endings of streams."""
    behind = thinker("--tokens-per-s", 0, "--ttft", 0.02, thoughts=9)
    address = urlsplit(behind.url)

    def relay(asked: Asked) -> tuple[int, Any, dict[str, str]]:
        onward = http.client.HTTPConnection(address.netloc, timeout=30)
        headers = {"authorization": f"Bearer {CANARY}", "content-type": "application/json"}
        body = json.dumps(asked.body) if asked.method == "POST" else None
        onward.request(asked.method, asked.path, body, headers)
        answer = onward.getresponse()
        text, kind = answer.read(), answer.headers["content-type"]
        onward.close()
        told = {"x-request-id": answer.headers["x-request-id"] or ""}
        return answer.status, Raw(LINE_ENDS[ends](text) if body else text, kind), told

    with serving(relay) as gateway:
        result = window(gateway.url, tmp_path / "r", True, "--model", "m")
    for row, seen in paired(result, behind, 60):
        assert (row.check, row.finish_reason) == (None, seen["finish_reason"])
        assert row.gateway_request_id == seen["request_id"]
        assert (row.prompt_tokens, row.completion_tokens, row.total_tokens) == (
            int(seen["prompt_tokens"]), int(seen["completion_tokens"]), int(seen["total_tokens"]),
        )  # fmt: skip
        assert row.api_cost == float(seen["cost"])
        assert row.chunks == int(seen["chunks"]) - 3, "all but the role, the finish and the usage"
