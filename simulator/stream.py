"""A reply as server-sent events, each with its due time."""

import json
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from itertools import zip_longest
from typing import Any

from simulator import dialects, replies, tokens
from simulator.answer import Answer
from simulator.choice import Choice
from simulator.dialects import Dialect, Stamp, encode

Change = Callable[[list[dict[str, Any]], bool], None]  # changes a body, or a stream's chunks
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
    dialect: Dialect,
    stamp: Stamp,
    answer: Answer,
    usage: dict[str, Any] | None,
    include_usage: bool,
) -> list[Event]:
    """The events of a whole reply except [DONE]: role, tokens, finish, and usage if given.

    `include_usage`: the client asked for usage, so every other chunk has `usage: null`.
    """
    chunk = _Chunk(dialect, stamp, include_usage)
    stream_events: list[Event] = []
    if (first := dialect.first_chunk()) is not None:
        stream_events.append(Event(b"data: " + encode(first) + b"\n\n", 0))
    for index, choice in enumerate(answer.choices):
        stream_events += _choice(chunk.of(index), choice, dialect.reasoning_key)
    if len(answer.choices) > 1:
        stream_events.sort(key=lambda event: event.number)  # choices are interleaved
    if usage is not None:
        stream_events.append(Event(chunk.usage(usage), stream_events[-1].number))
    return stream_events


def _choice(chunk: "_Chunk", choice: Choice, reasoning_key: str) -> list[Event]:
    """The events of one choice, from its role to its finish."""
    role = {"role": "assistant", "content": "", "refusal": None}
    choice_events = [Event(chunk.delta(role), 0)]
    number = 0
    if choice.reasoning is not None and reasoning_key:
        for text in replies.token_texts(choice.reasoning_ids):
            choice_events.append(Event(chunk.text(reasoning_key, text), number, True))
            number += 1
    else:
        number += len(choice.reasoning_ids)  # hidden reasoning takes time nevertheless
    if choice.logprobs is None:
        for text in _content(choice):
            choice_events.append(Event(chunk.text("content", text), number, True))
            number += 1
    else:
        for text, entry in zip_longest(_content(choice), choice.logprobs):
            data = chunk.delta({"content": text or ""}, logprobs=[entry] if entry else [])
            choice_events.append(Event(data, number, True))
            number += 1
    for part in _tool_deltas(choice):
        choice_events.append(Event(chunk.delta(part), number, True))
        number += 1
    choice_events.append(Event(chunk.delta({}, choice.finish_reason), max(0, number - 1)))
    return choice_events


def altered(events: list[Event], change: Change) -> list[Event]:
    """The events with their bodies changed by `change`; an added one is due with the last."""
    bodies = [json.loads(event.data.partition(b"data: ")[2]) for event in events]
    known = {id(body): event for body, event in zip(bodies, events, strict=True)}
    change(bodies, True)
    result: list[Event] = []
    for body in bodies:
        event = known.get(id(body)) or result[-1]
        name = event.data.partition(b"data: ")[0]  # `event: ...` if events are named
        data = name + b"data: " + encode(body) + b"\n\n"
        result.append(Event(data, event.number, event.token))
    return result


def error_event(body: dict[str, Any]) -> bytes:
    """An SSE event that carries an error."""
    return b"data: " + encode(body) + b"\n\n"


class _Chunk:
    """Chunks of one reply; those of plain text are assembled from prepared bytes."""

    def __init__(self, dialect: Dialect, stamp: Stamp, include_usage: bool) -> None:
        self._head = {
            "id": stamp.id,
            "object": "chat.completion.chunk",
            "created": stamp.created,
            "model": stamp.model,
        } | dialect.common(stamp)
        self._tail = {"usage": None} if include_usage else {}
        self._usage_choices = dialect.usage_choices()
        self.of(0)

    def of(self, index: int) -> "_Chunk":
        """These chunks, from now on for choice `index`."""
        self._index = index
        self._before, self._after = self.delta({"@": "@"}).split(b'"@":"@"')
        return self

    def text(self, key: str, text: str) -> bytes:
        """A delta of one string field."""
        return self._before + f'"{key}":{json.dumps(text)}'.encode() + self._after

    def delta(
        self,
        delta: dict[str, Any],
        finish_reason: str | None = None,
        logprobs: list[dict[str, Any]] | None = None,
    ) -> bytes:
        """A chunk with an arbitrary delta."""
        choice = {
            "index": self._index,
            "delta": delta,
            "logprobs": dialects.logprobs(logprobs),
            "finish_reason": finish_reason,
        }
        return b"data: " + encode(self._head | {"choices": [choice]} | self._tail) + b"\n\n"

    def usage(self, usage: dict[str, Any]) -> bytes:
        """The chunk with the usage."""
        body = self._head | {"choices": self._usage_choices, "usage": usage}
        return b"data: " + encode(body) + b"\n\n"


def _content(choice: Choice) -> list[str]:
    """The content's pieces; one without tokens (the fault big_body) is a single piece."""
    if choice.content and not choice.content_ids:
        return [choice.content]
    return replies.token_texts(choice.content_ids)


def _tool_deltas(choice: Choice) -> Iterator[dict[str, Any]]:
    for index, call in enumerate(choice.tool_calls):
        function = {"name": call.name, "arguments": ""}
        head = {"index": index, "id": call.id, "type": "function", "function": function}
        yield {"tool_calls": [head]}
        for text in tokens.pieces(tokens.encode(call.arguments)):
            yield {"tool_calls": [{"index": index, "function": {"arguments": text}}]}
