"""The body of a chat request, checked as strictly as by a strict gateway."""

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from hashlib import sha256
from typing import Any

from simulator import fields
from simulator.fields import BadRequest
from simulator.sampling import Sampling

_COMPACT = json.JSONEncoder(ensure_ascii=False, separators=(",", ":")).encode
EFFORTS = ("none", "minimal", "low", "medium", "high", "xhigh", "max")
SERVICE_TIERS = ("auto", "default", "flex", "scale", "priority", "fast")
_SAMPLED = frozenset({"temperature", "top_p", "seed", "logit_bias", "logprobs", "top_logprobs"})
_SELDOM = _SAMPLED | {
    "stop", "n", "reasoning_effort", "service_tier", "prompt_cache_key", "parallel_tool_calls"
}  # fmt: skip
ROLES = frozenset({"system", "developer", "user", "assistant", "tool", "function"})


@dataclass(slots=True)
class ChatRequest:
    """One chat request; absent settings are None."""

    model: str
    messages: Sequence[Mapping[str, Any]]
    stream: bool
    include_usage: bool
    max_tokens: int | None
    tools: Sequence[Mapping[str, Any]]
    tool_choice: str | None  # none, auto, required, or a function's name
    json_schema: Mapping[str, Any] | None  # from response_format
    task_id: str | None
    prompt: str  # the whole text of the last user message
    images: Sequence[str]  # the URLs of all image parts
    files: Sequence[str]  # the data URLs of all file parts
    prompt_sha256: str  # digest of the messages as compact JSON, keys in the order sent
    parallel_tool_calls: bool = True
    stop: Sequence[str] = ()
    n: int = 1
    sampling: Sampling | None = None  # None: the request sets nothing about sampling
    reasoning_effort: str | None = None
    service_tier: str | None = None
    cache_key: str | None = None


def texts(message: Mapping[str, Any]) -> list[str]:
    """The texts of one message, whether its content is a string or a list of parts."""
    content = message.get("content")
    if isinstance(content, str):
        return [content]
    return [part["text"] for part in content or () if part["type"] == "text"]


def parse(data: Mapping[str, Any]) -> ChatRequest:
    """A chat request from its fields. Raises BadRequest."""
    model = data.get("model")
    if not isinstance(model, str) or not model:
        raise BadRequest("you must provide a model parameter", "model")
    tools = _tools(data.get("tools"))
    options = data.get("stream_options")
    if options is not None and not isinstance(options, dict):
        raise BadRequest("Invalid type for 'stream_options': expected an object.", "stream_options")
    stream = fields.boolean(data, "stream")
    if options is not None and not stream:
        raise BadRequest(
            "The 'stream_options' parameter is only allowed when 'stream' is enabled.",
            "stream_options",
        )
    messages = _messages(data.get("messages"))
    request = ChatRequest(
        model=model,
        messages=messages,
        stream=stream,
        include_usage=bool(options and options.get("include_usage")),
        max_tokens=_max_tokens(data),
        tools=tools,
        tool_choice=_tool_choice(data.get("tool_choice"), tools),
        json_schema=_json_schema(data.get("response_format")),
        task_id=_task_id(data.get("task_id"), data.get("metadata")),
        prompt=_prompt(messages),
        images=_parts(messages, "image_url", "url"),
        files=_parts(messages, "file", "file_data"),
        prompt_sha256=sha256(_COMPACT(messages).encode("utf-8", "surrogatepass")).hexdigest(),
    )
    if not _SELDOM.isdisjoint(data):
        _read_seldom(request, data)
    return request


def _read_seldom(request: ChatRequest, data: Mapping[str, Any]) -> None:
    """Sets the fields that few requests have. Raises BadRequest."""
    request.stop = _stop(data.get("stop"))
    request.n = fields.whole_number(data, "n", 1, 128) or 1
    request.sampling = _sampling(data)
    request.reasoning_effort = fields.one_of(data, "reasoning_effort", EFFORTS)
    request.service_tier = fields.one_of(data, "service_tier", SERVICE_TIERS)
    request.cache_key = fields.text(data, "prompt_cache_key")
    if data.get("parallel_tool_calls") is not None:
        request.parallel_tool_calls = fields.boolean(data, "parallel_tool_calls")


def _prompt(messages: Sequence[Mapping[str, Any]]) -> str:
    for message in reversed(messages):
        if message["role"] == "user":
            return "\n".join(texts(message))
    return ""


def _parts(messages: Sequence[Mapping[str, Any]], kind: str, key: str) -> Sequence[str]:
    return [
        part[kind][key]
        for message in messages
        if isinstance(message.get("content"), list)
        for part in message["content"]
        if part["type"] == kind
    ]


def _messages(value: Any) -> Sequence[Mapping[str, Any]]:
    if not isinstance(value, list) or not value:
        raise BadRequest("'messages' must be a list with at least one message.", "messages")
    for index, message in enumerate(value):
        where = f"messages[{index}]"
        if not isinstance(message, dict):
            raise BadRequest(f"Invalid type for '{where}': expected an object.", where)
        role = message.get("role")
        if not isinstance(role, str) or role not in ROLES:
            raise BadRequest(f"Invalid value for '{where}.role'.", f"{where}.role")
        content = message.get("content")
        if isinstance(content, list):
            for number, part in enumerate(content):
                _part(part, f"{where}.content[{number}]")
        elif not isinstance(content, str) and (
            content is not None or message["role"] != "assistant"
        ):
            raise BadRequest(
                f"Invalid type for '{where}.content': expected a string or a list of parts.",
                f"{where}.content",
            )
    return value


def _part(part: Any, where: str) -> None:
    kind = part.get("type") if isinstance(part, dict) else None
    if kind == "text" and isinstance(part.get("text"), str):
        return
    if kind == "image_url":
        image = part.get("image_url")
        url = image.get("url") if isinstance(image, dict) else None
        if isinstance(url, str) and url.startswith(("data:image/", "http://", "https://")):
            return
        raise BadRequest("Invalid image URL: expected a data: or http(s): URL.", where)
    if kind == "file":
        file = part.get("file")
        data = file.get("file_data") if isinstance(file, dict) else None
        if isinstance(data, str) and data.startswith("data:application/pdf;base64,"):
            return
        raise BadRequest("Invalid file: expected 'file_data' with a PDF as a data: URL.", where)
    raise BadRequest(f"Invalid value for '{where}': expected a text, image or file part.", where)


def _max_tokens(data: Mapping[str, Any]) -> int | None:
    for name in ("max_completion_tokens", "max_tokens"):
        if (value := fields.whole_number(data, name, 1)) is not None:
            return value
    return None


def _stop(value: Any) -> Sequence[str]:
    if value is None:
        return ()
    texts = [value] if isinstance(value, str) else value
    if not isinstance(texts, list) or len(texts) > 4:
        raise BadRequest("Invalid type for 'stop': expected a string or up to 4 of them.", "stop")
    if not all(isinstance(text, str) and text for text in texts):
        raise BadRequest("Invalid value for 'stop': expected strings that are not empty.", "stop")
    return texts


def _sampling(data: Mapping[str, Any]) -> Sampling | None:
    if _SAMPLED.isdisjoint(data):
        return None
    temperature = fields.number(data, "temperature", 0, 2)
    top_p = fields.number(data, "top_p", 0, 1)
    seed = fields.whole_number(data, "seed")
    logprobs = fields.boolean(data, "logprobs")
    top_logprobs = fields.whole_number(data, "top_logprobs", 0, 20)
    if top_logprobs is not None and not logprobs:
        raise BadRequest(
            "The 'top_logprobs' parameter is only allowed when 'logprobs' is enabled.",
            "top_logprobs",
        )
    return Sampling(
        1.0 if temperature is None else float(temperature),
        1.0 if top_p is None else float(top_p),
        seed,
        _logit_bias(data.get("logit_bias")),
        logprobs,
        top_logprobs or 0,
    )


def _logit_bias(value: Any) -> Mapping[int, float]:
    if value is None:
        return {}
    bad = BadRequest(
        "Invalid value for 'logit_bias': expected token ids with numbers from -100 to 100.",
        "logit_bias",
    )
    if not isinstance(value, dict):
        raise bad
    for name, bias in value.items():
        number = isinstance(bias, int | float) and not isinstance(bias, bool)
        if not name.isdecimal() or not number or not -100 <= bias <= 100:
            raise bad
    return {int(name): float(bias) for name, bias in value.items()}


def _tools(value: Any) -> Sequence[Mapping[str, Any]]:
    if value is None:
        return ()
    if not isinstance(value, list):
        raise BadRequest("Invalid type for 'tools': expected a list.", "tools")
    for index, tool in enumerate(value):
        function = tool.get("function") if isinstance(tool, dict) else None
        if not isinstance(function, dict) or tool.get("type") != "function":
            raise BadRequest(f"Invalid value for 'tools[{index}]'.", f"tools[{index}]")
        if not isinstance(function.get("name"), str) or not function["name"]:
            raise BadRequest(f"Missing 'tools[{index}].function.name'.", f"tools[{index}]")
        if not isinstance(function.get("parameters", {}), dict):
            raise BadRequest(f"Invalid 'tools[{index}].function.parameters'.", f"tools[{index}]")
    return value


def _tool_choice(value: Any, tools: Sequence[Mapping[str, Any]]) -> str | None:
    if value is None:
        return None
    if isinstance(value, dict) and isinstance(value.get("function"), dict):
        name = value["function"].get("name")
        if any(tool["function"]["name"] == name for tool in tools):
            return str(name)
        raise BadRequest(f"Tool choice {name!r} not found in 'tools'.", "tool_choice")
    if value not in ("none", "auto", "required"):
        raise BadRequest("Invalid value for 'tool_choice'.", "tool_choice")
    if not tools:
        raise BadRequest("'tool_choice' is only allowed when 'tools' are given.", "tool_choice")
    return str(value)


def _json_schema(value: Any) -> Mapping[str, Any] | None:
    if value is None:
        return None
    kind = value.get("type") if isinstance(value, dict) else None
    if kind == "text":
        return None
    if kind == "json_object":
        return {"type": "object"}
    wrapper = value.get("json_schema") if isinstance(value, dict) else None
    if kind == "json_schema" and isinstance(wrapper, dict):
        schema = wrapper.get("schema", {"type": "object"})
        if isinstance(schema, dict):
            return schema
    raise BadRequest("Invalid value for 'response_format'.", "response_format")


def _task_id(value: Any, metadata: Any) -> str | None:
    """The field `task_id`, or the one in OpenAI's metadata."""
    if value is None and isinstance(metadata, dict) and isinstance(metadata.get("task_id"), str):
        return str(metadata["task_id"])
    if value is None or isinstance(value, str):
        return value
    raise BadRequest("Invalid type for 'task_id': expected a string.", "task_id")
