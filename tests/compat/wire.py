"""Evidence made by hand: a chat reply, plain or streamed, as healthy vendors variously write it."""

import json
from collections.abc import Callable, Mapping, Sequence
from typing import Any

from compat.check import Ask
from compat.evidence import Evidence, Outcome

Body = dict[str, Any]
USAGE: Body = {"prompt_tokens": 20, "completion_tokens": 6, "total_tokens": 26}
HEADERS = {"content-type": "application/json", "x-request-id": "req-1"}


def plain(ask: Ask, body: object, status: int = 200, **more: Any) -> Evidence:
    raw = body if isinstance(body, bytes) else json.dumps(body, ensure_ascii=False).encode()
    return Evidence(ask.body, status, HEADERS, ((0.2, raw),), elapsed_s=0.2, **more)


def error(ask: Ask, status: int, message: str, **fields: Any) -> Evidence:
    return plain(ask, {"error": {"message": message, "type": "invalid", **fields}}, status)


def message(content: object = None, finish: str = "stop", calls: Sequence[Body] = (),
            usage: Body | None = USAGE, **fields: Any) -> Body:  # fmt: skip
    """A complete plain reply."""
    plain_message = {"role": "assistant", "content": content, **fields}
    if calls:
        plain_message["tool_calls"] = [*calls]
    return {
        "id": "chatcmpl-1", "object": "chat.completion", "created": 1, "model": "m",
        "choices": [
            {"index": 0, "message": plain_message, "finish_reason": finish, "logprobs": None},
        ],
        "usage": usage,
    }  # fmt: skip


def call(name: str, arguments: str, identity: str = "call_1", index: int | None = None) -> Body:
    body = {"id": identity, "type": "function",
            "function": {"name": name, "arguments": arguments}}  # fmt: skip
    return body if index is None else {"index": index, **body}


def chunk(delta: Body, finish: str | None = None, **fields: Any) -> Body:
    return {
        "id": "chatcmpl-1", "object": "chat.completion.chunk", "created": 1, "model": "m",
        "choices": [{"index": 0, "delta": delta, "finish_reason": finish}], **fields,
    }  # fmt: skip


def stream(ask: Ask, chunks: Sequence[object], *, end: str = "\n\n", done: bool = True,
           first_s: float = 0.2, gap_s: float = 0.01, **more: Any) -> Evidence:  # fmt: skip
    """The chunks as events; `end` is what ends each."""
    events = [c if isinstance(c, str) else json.dumps(c, ensure_ascii=False) for c in chunks]
    events += ["[DONE]"] if done else []
    pieces = tuple(
        (first_s + place * gap_s, f"data: {data}{end}".encode())
        for place, data in enumerate(events)
    )
    headers = {"content-type": "text/event-stream; charset=utf-8"}
    return Evidence(ask.body, 200, headers, pieces, elapsed_s=1.0, **more)


def chunks(
    text: str, finish: str = "stop", usage: Body | None = USAGE, size: int = 4
) -> list[Body]:
    """A stream of a text, with usage at its end."""
    parts = [text[start : start + size] for start in range(0, len(text), size)]
    pieces = [chunk({"role": "assistant", "content": ""}), *(chunk({"content": p}) for p in parts),
            chunk({}, finish)]  # fmt: skip
    return pieces + ([{**chunk({}), "choices": [], "usage": usage}] if usage else [])


def rewritten(evidence: Evidence, change: Callable[[bytes], bytes]) -> Evidence:
    """The same with other bytes."""
    pieces = tuple((at_s, change(piece)) for at_s, piece in evidence.pieces)
    return Evidence(evidence.sent, evidence.status, evidence.headers, pieces, evidence.outcome,
                    evidence.elapsed_s)  # fmt: skip


def byte_by_byte(evidence: Evidence) -> Evidence:
    """The same, each byte arriving on its own."""
    pieces = tuple(
        (at_s, bytes([byte])) for at_s, piece in evidence.pieces for byte in piece
    )  # fmt: skip
    return Evidence(evidence.sent, evidence.status, evidence.headers, pieces, evidence.outcome)


def lost(ask: Ask, outcome: Outcome, status: int | None = None, raw: bytes = b"") -> Evidence:
    return Evidence(ask.body, status, {}, ((0.1, raw),) if raw else (), outcome, 9.0)


def shuffled(value: Any) -> Any:
    """The same JSON with the keys of every object in reverse order."""
    if isinstance(value, Mapping):
        return {key: shuffled(value[key]) for key in reversed([*value])}
    return [shuffled(item) for item in value] if isinstance(value, list) else value
