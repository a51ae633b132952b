"""A reply as server-sent events, each with its due time."""

import json
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from simulator import replies, tokens
from simulator.answer import Answer
from simulator.dialects import Dialect, Stamp, encode

DONE = b"data: [DONE]\n\n"


@dataclass(frozen=True, slots=True)
class Event:
    """One SSE event: its bytes and the token it is due with (0 is the first of the reply).

    `token` is true when it carries text, reasoning or part of a tool call.
    """

    data: bytes
    number: int
    token: bool = False


def events(
    dialect: Dialect, stamp: Stamp, answer: Answer, usage: dict[str, Any] | None, asked: bool
) -> list[Event]:
    """The events of a whole reply but for [DONE]: role, tokens, finish, and usage if given.

    `asked`: the client asked for usage, so every other chunk says `usage: null`.
    """
    chunk = _Chunk(dialect, stamp, asked)
    found = [Event(chunk.delta({"role": "assistant", "content": "", "refusal": None}), 0)]
    if (first := dialect.first_chunk()) is not None:
        found.insert(0, Event(b"data: " + encode(first) + b"\n\n", 0))
    number = 0
    if answer.reasoning is not None and dialect.reasoning_key:
        for text in replies.spoken(answer.reasoning_ids):
            found.append(Event(chunk.text(dialect.reasoning_key, text), number, True))
            number += 1
    else:
        number += len(answer.reasoning_ids)  # hidden thinking takes its time all the same
    for text in _content(answer):
        found.append(Event(chunk.text("content", text), number, True))
        number += 1
    for data in _tool_deltas(answer):
        found.append(Event(chunk.delta(data), number, True))
        number += 1
    last = max(0, number - 1)
    found.append(Event(chunk.finish(answer.finish_reason), last))
    if usage is not None:
        found.append(Event(chunk.usage(usage), last))
    return found


def error_event(body: dict[str, Any]) -> bytes:
    """An SSE event that carries an error."""
    return b"data: " + encode(body) + b"\n\n"


class _Chunk:
    """Chunks of one reply; those of plain text are pasted together from prepared bytes."""

    def __init__(self, dialect: Dialect, stamp: Stamp, asked: bool) -> None:
        self._head = {
            "id": stamp.id,
            "object": "chat.completion.chunk",
            "created": stamp.created,
            "model": stamp.model,
        } | dialect.extras(stamp)
        self._tail = {"usage": None} if asked else {}
        self._usage_choices = dialect.usage_choices()
        frame = self.delta({"@": "@"})
        self._before, self._after = frame.split(b'"@":"@"')

    def text(self, key: str, text: str) -> bytes:
        """A delta of one string field."""
        return self._before + f'"{key}":{json.dumps(text)}'.encode() + self._after

    def delta(self, delta: dict[str, Any], finish_reason: str | None = None) -> bytes:
        """A chunk with any delta."""
        choice = {"index": 0, "delta": delta, "logprobs": None, "finish_reason": finish_reason}
        return b"data: " + encode(self._head | {"choices": [choice]} | self._tail) + b"\n\n"

    def finish(self, reason: str) -> bytes:
        """The chunk that says why the reply ended."""
        return self.delta({}, reason)

    def usage(self, usage: dict[str, Any]) -> bytes:
        """The chunk with the usage."""
        body = self._head | {"choices": self._usage_choices, "usage": usage}
        return b"data: " + encode(body) + b"\n\n"


def _content(answer: Answer) -> list[str]:
    """The content's pieces; one without tokens (the fault big_body) is a single piece."""
    if answer.content and not answer.content_ids:
        return [answer.content]
    return replies.spoken(answer.content_ids)


def _tool_deltas(answer: Answer) -> Iterator[dict[str, Any]]:
    for index, call in enumerate(answer.tool_calls):
        function = {"name": call.name, "arguments": ""}
        head = {"index": index, "id": call.id, "type": "function", "function": function}
        yield {"tool_calls": [head]}
        for text in tokens.pieces(tokens.encode(call.arguments)):
            yield {"tool_calls": [{"index": index, "function": {"arguments": text}}]}
