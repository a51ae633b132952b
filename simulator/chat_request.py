"""The body of a chat request, checked as a strict gateway would."""

import json
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from hashlib import sha256
from typing import Any

_COMPACT = json.JSONEncoder(ensure_ascii=False, separators=(",", ":")).encode
ROLES = frozenset({"system", "developer", "user", "assistant", "tool", "function"})


class BadRequest(Exception):
    """Raised for a body that is not a chat request: message, faulty parameter, code, status."""

    def __init__(
        self,
        message: str,
        param: str | None = None,
        code: str | None = None,
        status: int = 400,
    ) -> None:
        super().__init__(message)
        self.param = param
        self.code = code
        self.status = status


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
    parallel_tool_calls: bool
    json_schema: Mapping[str, Any] | None  # from response_format
    task_id: str | None
    prompt: str  # all that the last user message says
    images: Sequence[str]  # the URLs of all image parts
    prompt_sha256: str  # of the messages as compact JSON, keys in the order sent


def texts(message: Mapping[str, Any]) -> list[str]:
    """The texts of one message, whether its content is a string or a list of parts."""
    content = message.get("content")
    if isinstance(content, str):
        return [content]
    return [part["text"] for part in content or () if part["type"] == "text"]


def parse(
    body: bytes, check: Callable[[Mapping[str, Any]], None] = lambda data: None
) -> ChatRequest:
    """Read a request body; `check` sees its fields first. Raises BadRequest."""
    try:
        data = json.loads(body)
    except (ValueError, RecursionError) as error:
        raise BadRequest(
            "We could not parse the JSON body of your request.", None, "invalid_json"
        ) from error
    if not isinstance(data, dict):
        raise BadRequest("The body of a chat request must be a JSON object.")
    check(data)
    model = data.get("model")
    if not isinstance(model, str) or not model:
        raise BadRequest("you must provide a model parameter", "model")
    tools = _tools(data.get("tools"))
    options = data.get("stream_options")
    if options is not None and not isinstance(options, dict):
        raise BadRequest("Invalid type for 'stream_options': expected an object.", "stream_options")
    stream = _boolean(data, "stream")
    if options is not None and not stream:
        raise BadRequest(
            "The 'stream_options' parameter is only allowed when 'stream' is enabled.",
            "stream_options",
        )
    if data.get("n") not in (None, 1):
        raise BadRequest("This simulator gives one choice: 'n' must be 1.", "n")
    _number(data, "temperature", 0, 2)
    _number(data, "top_p", 0, 1)
    messages = _messages(data.get("messages"))
    return ChatRequest(
        model=model,
        messages=messages,
        stream=stream,
        include_usage=bool(options and options.get("include_usage")),
        max_tokens=_max_tokens(data),
        tools=tools,
        tool_choice=_tool_choice(data.get("tool_choice"), tools),
        parallel_tool_calls=data.get("parallel_tool_calls") is not False,
        json_schema=_json_schema(data.get("response_format")),
        task_id=_task_id(data.get("task_id"), data.get("metadata")),
        prompt=_prompt(messages),
        images=_images(messages),
        prompt_sha256=sha256(_COMPACT(messages).encode("utf-8", "surrogatepass")).hexdigest(),
    )


def _prompt(messages: Sequence[Mapping[str, Any]]) -> str:
    for message in reversed(messages):
        if message["role"] == "user":
            return "\n".join(texts(message))
    return ""


def _images(messages: Sequence[Mapping[str, Any]]) -> list[str]:
    return [
        part["image_url"]["url"]
        for message in messages
        if isinstance(message.get("content"), list)
        for part in message["content"]
        if part["type"] == "image_url"
    ]


def _messages(value: Any) -> Sequence[Mapping[str, Any]]:
    if not isinstance(value, list) or not value:
        raise BadRequest("'messages' must be a list with at least one message.", "messages")
    for index, message in enumerate(value):
        where = f"messages[{index}]"
        if not isinstance(message, dict):
            raise BadRequest(f"Invalid type for '{where}': expected an object.", where)
        if message.get("role") not in ROLES:
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
    raise BadRequest(f"Invalid value for '{where}': expected a text or image_url part.", where)


def _max_tokens(data: Mapping[str, Any]) -> int | None:
    for name in ("max_completion_tokens", "max_tokens"):
        value = data.get(name)
        if value is None:
            continue
        if not isinstance(value, int) or isinstance(value, bool):
            raise BadRequest(f"Invalid type for '{name}': expected an integer.", name)
        if value < 1:
            raise BadRequest(f"Invalid '{name}': expected a value >= 1, got {value}.", name)
        return value
    return None


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
    """The field of that name, or that of OpenAI's metadata."""
    if value is None and isinstance(metadata, dict) and isinstance(metadata.get("task_id"), str):
        return str(metadata["task_id"])
    if value is None or isinstance(value, str):
        return value
    raise BadRequest("Invalid type for 'task_id': expected a string.", "task_id")


def _boolean(data: Mapping[str, Any], name: str) -> bool:
    value = data.get(name)
    if value is None or isinstance(value, bool):
        return bool(value)
    raise BadRequest(f"Invalid type for '{name}': expected a boolean.", name)


def _number(data: Mapping[str, Any], name: str, low: float, high: float) -> None:
    value = data.get(name)
    if value is None:
        return
    if not isinstance(value, int | float) or isinstance(value, bool) or not low <= value <= high:
        raise BadRequest(f"Invalid value for '{name}': expected {low} to {high}.", name)
