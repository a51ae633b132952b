"""A chat reply, plain or streamed, assembled strictly by index, with nothing repaired."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from compat.evidence import Evidence, answered, object_of, strict_json
from compat.sse import events
from compat.verdict import Settled, broken
from recording.json_values import at, first, mapping, text_of, whole_number
from recording.untrusted_text import quoted

DONE = "[DONE]"
_REASONING = ("reasoning_content", "reasoning", "thinking")


@dataclass(slots=True)
class Call:
    """One tool call. `ids` and `names` are all that were sent, in order."""

    index: int | None
    ids: list[str] = field(default_factory=list)
    names: list[str] = field(default_factory=list)
    arguments: str | None = None

    @property
    def id(self) -> str:
        return self.ids[0] if self.ids else ""

    @property
    def name(self) -> str:
        return self.names[0] if self.names else ""


@dataclass(slots=True)
class Choice:
    """One choice. `finishes` are all finish reasons that were sent, including empty ones."""

    index: int | None
    content: str = ""
    reasoning: str = ""
    refusal: str = ""
    roles: list[str] = field(default_factory=list)
    finishes: list[str] = field(default_factory=list)
    calls: list[Call] = field(default_factory=list)
    logprobs: list[Mapping[str, Any]] | None = None
    faults: list[str] = field(default_factory=list)

    @property
    def finish(self) -> str:
        return self.finishes[0] if self.finishes else ""


@dataclass(slots=True)
class Reply:
    """All choices, the last usage that was sent, and what else a stream contained."""

    choices: list[Choice]
    usage: Mapping[str, Any] | None
    body: Mapping[str, Any] = field(default_factory=dict)
    chunks: list[tuple[float, Mapping[str, Any]]] = field(default_factory=list)
    done: bool = False
    after_done: int = 0

    @property
    def only(self) -> Choice:
        """The first choice. Raises Settled if there is none."""
        if not self.choices:
            raise Settled(broken("HTTP 200 without any choice"))
        return self.choices[0]

    @property
    def prompt_tokens(self) -> int | None:
        return whole_number((self.usage or {}).get("prompt_tokens"))

    @property
    def completion_tokens(self) -> int | None:
        return whole_number((self.usage or {}).get("completion_tokens"))

    @property
    def reasoning_tokens(self) -> int | None:
        usage = self.usage or {}
        return first(
            whole_number(at(usage, "completion_tokens_details.reasoning_tokens")),
            whole_number(usage.get("reasoning_tokens")),
        )

    @property
    def cached_tokens(self) -> int | None:
        """Prompt tokens read from the cache, under any of the names in use."""
        usage = self.usage or {}
        paths = ("prompt_tokens_details.cached_tokens", "prompt_cache_hit_tokens",
                 "cache_read_input_tokens", "cached_tokens")  # fmt: skip
        return first(*(whole_number(at(usage, path)) for path in paths))

    @property
    def spent_on_thinking(self) -> bool:
        """Whether the budget ended a reply before its text began, so that nothing can be judged."""
        return any(c.finish == "length" and not c.content.strip() for c in self.choices)


def reply(evidence: Evidence, names: Sequence[str]) -> Reply:
    """The reply to a chat request. Raises Settled if there is none to judge."""
    if evidence.streamed and b"data:" in answered(evidence, names).body[:65536]:
        return _streamed(evidence)
    body = object_of(evidence, names)
    choices = [_plain(mapping(choice)) for choice in _list(body.get("choices"))]
    usage = body.get("usage")
    return Reply(choices, usage if isinstance(usage, dict) else None, body)


def came_as_stream(evidence: Evidence) -> bool:
    """Whether events came at all, rather than one JSON object."""
    return not evidence.body.lstrip().startswith(b"{")


def _plain(choice: Mapping[str, Any]) -> Choice:
    parsed = Choice(whole_number(choice.get("index")))
    _add(parsed, mapping(choice.get("message")), streamed=False)
    _finish(parsed, choice)
    return parsed


def _streamed(evidence: Evidence) -> Reply:
    reply = Reply([], None)
    for event in events(evidence.pieces):
        if event.data.strip() == DONE:
            reply.done = True
            continue
        try:
            chunk = strict_json(event.data.encode())
        except ValueError:
            raise Settled(broken(f"an event without JSON: {quoted(event.data, 60)}")) from None
        if not isinstance(chunk, dict):
            raise Settled(broken(f"an event that is not an object: {quoted(event.data, 60)}"))
        if event.name == "error" or chunk.get("error"):
            raise Settled(broken(f"an error within the stream: {quoted(event.data, 100)}"))
        reply.after_done += reply.done
        reply.chunks.append((event.at_s, chunk))
        if isinstance(chunk.get("usage"), dict):
            reply.usage = chunk["usage"]
        for part in _list(chunk.get("choices")):
            index = whole_number(mapping(part).get("index"))
            choice = next((c for c in reply.choices if c.index == index), None)
            if choice is None:
                reply.choices.append(choice := Choice(index))
            delta = mapping(mapping(part).get("delta"))
            if choice.finish and (text_of(delta.get("content")) or delta.get("tool_calls")):
                choice.faults.append("text or calls after the finish")
            _add(choice, delta, streamed=True)
            _finish(choice, mapping(part))
    return reply


def _add(choice: Choice, message: Mapping[str, Any], streamed: bool) -> None:
    choice.content += text_of(message.get("content")) or ""
    choice.refusal += text_of(message.get("refusal")) or ""
    choice.reasoning += next(
        (thought for key in _REASONING if (thought := text_of(message.get(key)))), ""
    ) or "".join(
        str(part.get("thinking")) for part in _list(message.get("content"))
        if mapping(part).get("type") == "thinking"
    )  # fmt: skip
    if isinstance(message.get("role"), str) and message["role"]:
        choice.roles.append(message["role"])
    for place, called in enumerate(_list(message.get("tool_calls"))):
        _call(choice, mapping(called), None if streamed else place)


def _call(choice: Choice, called: Mapping[str, Any], place: int | None) -> None:
    """Adds a call, or a stream's piece of one, to the call with its index."""
    index = whole_number(called.get("index")) if place is None else place
    if index is None:
        choice.faults.append("a tool call without index")
    call = next((c for c in choice.calls if c.index == index), None)
    if call is None:
        choice.calls.append(call := Call(index))
    if isinstance(called.get("id"), str) and called["id"]:
        call.ids.append(called["id"])
    function = mapping(called.get("function"))
    if isinstance(function.get("name"), str) and function["name"]:
        call.names.append(function["name"])
    arguments = function.get("arguments")
    if isinstance(arguments, str):
        call.arguments = (call.arguments or "") + arguments
    elif arguments is not None:
        choice.faults.append("arguments that are not a string")


def _finish(choice: Choice, part: Mapping[str, Any]) -> None:
    if isinstance(part.get("finish_reason"), str):
        choice.finishes.append(part["finish_reason"])
    entries = mapping(part.get("logprobs")).get("content")
    if isinstance(entries, list):
        choice.logprobs = (choice.logprobs or []) + [mapping(entry) for entry in entries]


def _list(value: object) -> list[Any]:
    return value if isinstance(value, list) else []
