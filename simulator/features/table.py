"""The features of the API, by the ids of the compatibility checks, and how each can fail."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

from simulator.features import ignoring, uses, wrong
from simulator.features.ignoring import Data, drop
from simulator.strictness import OPENAI_FIELDS

_OURS = frozenset({"task_id"})  # fields that the product adds to a body are not unknown here


@dataclass(frozen=True, slots=True)
class Feature:
    """How one feature can be changed.

    `touches` describes in words which requests use it, and `uses` recognises them by their body.
    `param` is the parameter that a refusal names (None: it cannot be refused), `ignore` drops the
    feature from a body (None: it cannot be ignored). `elsewhere` describes the states that other
    modules of the simulator implement. `surface` is the endpoint whose bodies have the feature.
    """

    touches: str
    uses: Callable[[Mapping[str, Any]], bool] = uses.never
    param: str | None = None
    ignore: Callable[[Data], None] | None = None
    elsewhere: Mapping[str, str] = field(default_factory=dict)
    surface: str = "chat"


def _field(name: str) -> Feature:
    return Feature(f"with `{name}`", uses.field(name), name, drop(name))


def _capped(name: str) -> Feature:
    touches = f"with `{name}` of at most 64, one user message, and no dictated reply"
    return Feature(touches, uses.capped(name), name, drop(name))


def _tool(name: str, touches: str, param: str, ignore: Callable[[Data], None]) -> Feature:
    return Feature(touches, uses.tool(name), param, ignore)


def _json(name: str, touches: str) -> Feature:
    return Feature(touches, uses.structured(name), "response_format", drop("response_format"))


_CHAT: Mapping[str, Feature] = {
    "chat.plain": Feature("a short dictated reply, plain", uses.short_plain, "messages"),
    "chat.stream": Feature(
        "a short dictated reply, streamed, without `include_usage`",
        uses.short_stream, "stream", drop("stream", "stream_options"),
    ),
    "stream.usage": Feature(
        "a short dictated reply, streamed, with `include_usage`",
        uses.short_stream_with_usage, "stream_options", ignoring.drop_usage_option,
    ),
    "stream.increments": Feature(
        "a stream of 32 to 128 tokens whose text or length the prompt dictates",
        uses.long_stream, "stream",
        elsewhere={"wrong": "all chunks are held back until the last is due"},
    ),
    "models.list": Feature(
        "GET /models", elsewhere={"wrong": "the list is empty"},
    ),
    "role.system": Feature(
        "with a system message", uses.role("system"), "messages", ignoring.drop_roles("system"),
    ),
    "role.developer": Feature(
        "with a developer message", uses.role("developer"), "messages",
        ignoring.drop_roles("developer"),
    ),
    "turns": Feature(
        "with an earlier answer in words", uses.turns, "messages", ignoring.drop_history,
    ),
    "parts.text": Feature(
        "with two text parts or more and no other part", uses.text_parts, "messages",
        ignoring.drop_text,
    ),
    "unicode": Feature(
        "one user message with characters beyond ASCII", uses.unicode_text, "messages",
        ignoring.drop_non_ascii,
    ),
    "max_tokens": _capped("max_tokens"),
    "max_completion_tokens": _capped("max_completion_tokens"),
    "stop": _field("stop"),
    "n": _field("n"),
    "seed": _field("seed"),
    "temperature": Feature(
        "with a temperature other than 1", uses.temperature, "temperature", drop("temperature"),
    ),
    "top_p": _field("top_p"),
    "logit_bias": _field("logit_bias"),
    "logprobs": Feature(
        "with `logprobs`", uses.field("logprobs"), "logprobs", drop("logprobs", "top_logprobs"),
    ),
    "json.object": _json("json.object", "with response_format `json_object`"),
    "json.schema": _json("json.schema", "with a plain `json_schema`, not streamed"),
    "json.schema.deep": _json("json.schema.deep", "with a `json_schema` of `$defs` or `anyOf`"),
    "json.schema.stream": _json("json.schema.stream", "with a plain `json_schema`, streamed"),
    "tool.auto": _tool(
        "tool.auto", "with tools, to which none of the next ten rows applies", "tools",
        drop("tools"),
    ),
    "tool.none": _tool("tool.none", "tool_choice `none`", "tool_choice", drop("tool_choice")),
    "tool.required": _tool(
        "tool.required", "tool_choice `required`", "tool_choice", drop("tool_choice"),
    ),
    "tool.named": _tool(
        "tool.named", "tool_choice with a name", "tool_choice", drop("tool_choice"),
    ),
    "tool.parallel": _tool(
        "tool.parallel", "two dictated calls, plain", "parallel_tool_calls", ignoring.one_call,
    ),
    "tool.parallel.stream": _tool(
        "tool.parallel.stream", "two dictated calls, streamed", "parallel_tool_calls",
        ignoring.one_call,
    ),
    "tool.parallel.off": _tool(
        "tool.parallel.off", "`parallel_tool_calls: false`", "parallel_tool_calls",
        drop("parallel_tool_calls"),
    ),
    "tool.loop": _tool(
        "tool.loop", "with a tool's result", "messages", ignoring.drop_tool_results,
    ),
    "tool.strict": _tool("tool.strict", "with a strict function", "tools", ignoring.drop_strict),
    "tool.noargs": _tool(
        "tool.noargs", "whose functions have no parameters", "tools", drop("tools", "tool_choice"),
    ),
    "tool.many": _tool(
        "tool.many", "with 32 tools or more", "tools", drop("tools", "tool_choice"),
    ),
    "reasoning.effort": _field("reasoning_effort"),
    "reasoning.apart": Feature(
        "a simple request to a model that reasons, without a dictated reply", uses.undictated,
        elsewhere={"ignored": "the reasoning is counted, but its text is not returned"},
    ),
    "image.data": Feature(
        "with an image", uses.part("image_url"), "messages", ignoring.drop_parts("image_url"),
    ),
    "file.pdf": Feature(
        "with a file", uses.part("file"), "messages", ignoring.drop_parts("file"),
    ),
    "cache.prompt": Feature(
        "whose prompt is long enough for the cache",
        elsewhere={
            "ignored": "nothing is cached, and usage does not report cached tokens",
            "broken": "500 if the prompt is in the cache",
        },
    ),
    "cache.key": Feature(
        "with a `json_schema`, whose messages were sent before with another body",
        uses.schema_repeated,
        elsewhere={"wrong": "the first body's reply", "broken": "500"},
    ),
    "fields.accepted": Feature(
        "with `verbosity`, or three of user, safety_identifier, metadata, prompt_cache_key, "
        "service_tier, store",
        uses.harmless_fields, "verbosity",
    ),
    "error.key": Feature(
        "with a wrong key, where `--key` says which is right",
        elsewhere={"wrong": "403", "ignored": "it is served"},
    ),
    "error.model": Feature(
        "for a model that is not served",
        elsewhere={"wrong": "200 from the profile's default model", "broken": "503"},
    ),
    "error.field": Feature(
        "with a field that OpenAI does not have", uses.unknown_field(OPENAI_FIELDS | _OURS),
        "wb_no_such_field",
    ),
    "error.value": Feature(
        "with a temperature that is not a number from 0 to 2", uses.bad_value,
        ignore=drop("temperature"),
    ),
    "error.context": Feature(
        "whose prompt exceeds `context_window`",
        elsewhere={
            "ignored": "the whole prompt is accepted",
            "wrong": "the prompt is cut to fit, and counted as cut",
        },
    ),
    "cancel": Feature(
        "the next one after a stream that the client broke off",
        elsewhere={"wrong": "the reply that was broken off comes again", "broken": "500"},
    ),
}  # fmt: skip

_RESPONSES: Mapping[str, Feature] = {
    "responses.plain": Feature(
        "to /responses, to which none of the next four rows applies",
        uses.response("plain"), "input", surface="responses",
    ),
    "responses.stream": Feature(
        "streamed, to which none of the next three rows applies",
        uses.response("stream"), "stream", drop("stream"), surface="responses",
    ),
    "responses.tool": Feature(
        "with `tools`, to which neither of the next two rows applies",
        uses.response("tool"), "tools", drop("tools", "tool_choice"), surface="responses",
    ),
    "responses.previous": Feature(
        "with `previous_response_id`", uses.response("previous"), "previous_response_id",
        drop("previous_response_id"), surface="responses",
    ),
    "responses.json": Feature(
        "with `text.format` of type `json_schema`", uses.response("json"), "text.format",
        drop("text"), surface="responses",
    ),
}  # fmt: skip

_EMBEDDINGS: Mapping[str, Feature] = {
    "embeddings.plain": Feature(
        "for one text as floats, without `dimensions`", uses.embedding("plain"), "input",
        elsewhere={"wrong": "the vector is zero"}, surface="embeddings",
    ),
    "embeddings.same": Feature(
        "for one text as floats that was sent before", uses.embedding("plain"),
        elsewhere={"wrong": "a different vector each time", "broken": "500"}, surface="embeddings",
    ),
    "embeddings.base64": Feature(
        "for one text as base64, without `dimensions`", uses.embedding("base64"),
        "encoding_format", drop("encoding_format"),
        elsewhere={"wrong": "64-bit floats instead of 32-bit"}, surface="embeddings",
    ),
    "embeddings.dimensions": Feature(
        "for one text with `dimensions`", uses.embedding("dimensions"), "dimensions",
        drop("dimensions"),
        elsewhere={"wrong": "the vector is cut but not normalized again"},
        surface="embeddings",
    ),
    "embeddings.batch": Feature(
        "for two texts or more", uses.embedding("batch"), "input",
        elsewhere={"wrong": "the vectors come in the opposite order"}, surface="embeddings",
    ),
}  # fmt: skip

_FILES: Mapping[str, Feature] = {
    "files.upload": Feature(
        "an uploaded file", uses.field("purpose"), "purpose",
        elsewhere={"wrong": "half of it comes back"}, surface="files",
    ),
    "batches.run": Feature(
        "a batch", uses.field("input_file_id"), "endpoint",
        elsewhere={"wrong": "its results have each other's custom_id"}, surface="files",
    ),
}  # fmt: skip

FEATURES: Mapping[str, Feature] = {**_CHAT, **_RESPONSES, **_EMBEDDINGS, **_FILES}


def states(name: str) -> dict[str, str]:
    """The states that a feature can be in, and what each does."""
    feature = FEATURES[name]
    described = {"works": "as it should"}
    if feature.ignore is not None:
        described["ignored"] = (feature.ignore.__doc__ or "it is dropped").strip()
    if feature.param is not None:
        described["refused"] = f"400, `param` is `{feature.param}`"
    change = wrong.REQUEST.get(name) or wrong.ANSWER.get(name) or wrong.BODY.get(name)
    if change is not None:
        described["wrong"] = (change.__doc__ or "").strip()
    return described | {"broken": "500"} | dict(feature.elsewhere)
