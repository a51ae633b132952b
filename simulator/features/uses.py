"""Which feature a request uses: predicates over the fields of a chat request's body.

They are narrow on purpose: a feature that is ignored, refused, wrong or broken affects only the
requests about it, and leaves requests about other features alone.
"""

import json
from collections.abc import Mapping
from typing import Any

from simulator import dictation, tools

Body = Mapping[str, Any]

_SIMPLE_FIELDS = frozenset({
    "model", "messages", "stream", "stream_options", "max_tokens", "max_completion_tokens",
    "task_id",
})  # fmt: skip
_LONG_TOKENS = 32  # a reply long enough to judge a stream's chunks by
_LONG_CHARS = 100
_FLOW_TOKENS = 128
_CAP_TOKENS = 64
_LONG_PROMPT_CHARS = 4000
_MANY_TOOLS = 32
_HARMLESS_FIELDS = frozenset({
    "user", "safety_identifier", "metadata", "prompt_cache_key", "service_tier", "store",
    "verbosity",
})  # fmt: skip


def well_formed(data: Body) -> bool:
    """Whether messages, their parts and tools have the right types; otherwise nothing is used.

    A malformed body is refused anyway, whatever its features.
    """
    messages, tools_offered = data.get("messages"), data.get("tools") or []
    if not isinstance(messages, list) or not isinstance(tools_offered, list):
        return False
    contents = [m.get("content") for m in messages if isinstance(m, dict)]
    parts = [p for content in contents if isinstance(content, list) for p in content]
    functions = [t.get("function") for t in tools_offered if isinstance(t, dict)]
    objects = [*messages, *parts, *tools_offered, *functions]
    return all(isinstance(item, dict) for item in objects) and all(
        isinstance(f, dict)
        and isinstance(f.get("name"), str)
        and isinstance(f.get("parameters") or {}, dict)
        for f in functions
    )


def field(name: str) -> Any:
    """Whether the body has the field with a value other than null."""
    return lambda data: data.get(name) is not None


def prompt(data: Body) -> str:
    """The text of the one user message of a simple request; empty for any other request."""
    messages = data.get("messages")
    if not isinstance(messages, list) or len(messages) != 1 or not _SIMPLE_FIELDS.issuperset(data):
        return ""
    content = messages[0].get("content") if isinstance(messages[0], dict) else None
    return content if isinstance(content, str) and len(content) <= _LONG_PROMPT_CHARS else ""


def short_plain(data: Body) -> bool:
    """A request for a short dictated reply, not streamed, and for nothing else."""
    return _short(data) and not data.get("stream")


def short_stream(data: Body) -> bool:
    """The same, streamed, without usage."""
    return _short(data) and bool(data.get("stream")) and not _asks_for_usage(data)


def short_stream_with_usage(data: Body) -> bool:
    """The same, streamed, with usage."""
    return _short(data) and bool(data.get("stream")) and _asks_for_usage(data)


def long_stream(data: Body) -> bool:
    """A dictated or ordered reply just long enough to see how a stream is paced."""
    text = prompt(data)
    return (
        bool(data.get("stream")) and _long(text) and (dictation.length(text) or 0) <= _FLOW_TOKENS
    )


def capped(name: str) -> Any:
    """Whether a simple request has a small budget under that name, and dictates no reply."""

    def uses(data: Body) -> bool:
        value, text = data.get(name), prompt(data)
        small = isinstance(value, int) and value <= _CAP_TOKENS
        return small and bool(text) and dictation.dictated(text) is None

    return uses


def undictated(data: Body) -> bool:
    """A simple request that lets the model speak freely, at no ordered length, without a cap."""
    text = prompt(data)
    free = bool(text) and dictation.dictated(text) is None and dictation.length(text) is None
    return free and not any(capped(name)(data) for name in ("max_tokens", "max_completion_tokens"))


def unicode_text(data: Body) -> bool:
    """A simple request whose text is not plain ASCII."""
    return not prompt(data).isascii()


def role(name: str) -> Any:
    """Whether a message has that role."""
    return lambda data: any(message.get("role") == name for message in _messages(data))


def turns(data: Body) -> bool:
    """A conversation with an earlier answer in words."""
    return any(m.get("role") == "assistant" and m.get("content") for m in _messages(data)) and (
        not role("tool")(data)
    )


def text_parts(data: Body) -> bool:
    """Two text parts or more in one message, and no part of another kind."""
    return any(
        len(kinds) > 1 and all(kind == "text" for kind in kinds)
        for kinds in ([part.get("type") for part in parts] for parts in _parts(data))
    )


def part(kind: str) -> Any:
    """Whether a message has a part of that type."""
    return lambda data: any(p.get("type") == kind for parts in _parts(data) for p in parts)


def temperature(data: Body) -> bool:
    """A valid temperature other than the default."""
    value = data.get("temperature")
    return isinstance(value, int | float) and 0 <= value <= 2 and value != 1


def bad_value(data: Body) -> bool:
    """A temperature that is not a number from 0 to 2, or an invalid reasoning effort."""
    value = data.get("temperature")
    return value is not None and not (isinstance(value, int | float) and 0 <= value <= 2)


def effort(data: Body) -> bool:
    """A reasoning effort, known or not."""
    return data.get("reasoning_effort") is not None


def unknown_field(known: frozenset[str]) -> Any:
    """Whether the body has a field that neither OpenAI nor the simulator knows."""
    return lambda data: not known.issuperset(data)


def harmless_fields(data: Body) -> bool:
    """Three or more fields that change nothing in the reply, or `verbosity`."""
    return "verbosity" in data or len(_HARMLESS_FIELDS.intersection(data)) >= 3


def structured(feature: str) -> Any:
    """Whether the request is about `feature`: json.object, json.schema, .deep or .stream."""
    return lambda data: _structured(data) == feature


def tool(feature: str) -> Any:
    """Whether the request is about `feature`, one of the features of tools."""
    return lambda data: _tool(data) == feature


def schema_repeated(data: Body) -> bool:
    """A request for JSON by a schema: what cache.key compares."""
    return _structured(data) in ("json.schema", "json.schema.stream")


def response(feature: str) -> Any:
    """Whether a body of /responses is about plain, stream, tool, previous or json."""
    return lambda data: _response(data) == feature


def embedding(feature: str) -> Any:
    """Whether a body of /embeddings is about plain, base64, dimensions or batch."""
    return lambda data: _embedding(data) == feature


def never(data: Body) -> bool:
    """Decided elsewhere: by the path, the key, the model or the connection."""
    return False


def _short(data: Body) -> bool:
    text = prompt(data)
    return (
        bool(text) and text.isascii() and dictation.dictated(text) is not None and not _long(text)
    )


def _long(text: str) -> bool:
    dictated = dictation.dictated(text)
    return len(dictated or "") > _LONG_CHARS or (dictation.length(text) or 0) >= _LONG_TOKENS


def _asks_for_usage(data: Body) -> bool:
    options = data.get("stream_options")
    return isinstance(options, dict) and bool(options.get("include_usage"))


def _messages(data: Body) -> list[Any]:
    messages = data.get("messages")
    return [m for m in messages if isinstance(m, dict)] if isinstance(messages, list) else []


def _parts(data: Body) -> list[list[Any]]:
    contents = (message.get("content") for message in _messages(data))
    return [[p for p in content if isinstance(p, dict)] for content in contents
            if isinstance(content, list)]  # fmt: skip


def _structured(data: Body) -> str:
    response_format = data.get("response_format")
    kind = response_format.get("type") if isinstance(response_format, dict) else None
    if kind == "json_object":
        return "json.object"
    if kind != "json_schema":
        return ""
    text = json.dumps(response_format)
    if '"$defs"' in text or '"anyOf"' in text:
        return "json.schema.deep"
    return "json.schema.stream" if data.get("stream") else "json.schema"


def _tool(data: Body) -> str:
    """The most specific feature of tools that a request uses; empty if it offers no tools."""
    offered = data.get("tools")
    functions = [t["function"] for t in offered or () if isinstance(t, dict) and "function" in t]
    if not functions:
        return ""
    if role("tool")(data):
        return "tool.loop"
    if len(functions) >= _MANY_TOOLS:
        return "tool.many"
    if any(function.get("strict") for function in functions):
        return "tool.strict"
    if not any((function.get("parameters") or {}).get("properties") for function in functions):
        return "tool.noargs"
    if data.get("parallel_tool_calls") is False:
        return "tool.parallel.off"
    choice = data.get("tool_choice") or "auto"
    if choice != "auto":
        return {"none": "tool.none", "required": "tool.required"}.get(str(choice), "tool.named")
    text = "\n".join(str(m.get("content")) for m in _messages(data) if m.get("role") == "user")
    if len(tools.dictated(text, {function.get("name"): function for function in functions})) > 1:
        return "tool.parallel.stream" if data.get("stream") else "tool.parallel"
    return "tool.auto"


def _response(data: Body) -> str:
    if data.get("previous_response_id") is not None:
        return "previous"
    text = data.get("text")
    if isinstance(text, dict) and text.get("format"):
        return "json"
    if data.get("tools"):
        return "tool"
    return "stream" if data.get("stream") else "plain"


def _embedding(data: Body) -> str:
    inputs = data.get("input")
    if isinstance(inputs, list) and len(inputs) > 1 and not isinstance(inputs[0], int):
        return "batch"
    if data.get("dimensions") is not None:
        return "dimensions"
    return "base64" if data.get("encoding_format") == "base64" else "plain"
