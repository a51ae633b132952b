"""POST /responses: OpenAI's Responses API, read as a chat request and written as output items.

Sources: the service's REST reference and the order of events in its streams.
"""

from collections.abc import Mapping
from typing import Any

from simulator import fields
from simulator.answer import Answer
from simulator.chat_request import ChatRequest
from simulator.dialects import Dialect, Stamp
from simulator.endpoints import ChatCompletions, Conversations
from simulator.fields import BadRequest
from simulator.response_items import item_events, items, sse
from simulator.stream import Event

_MOST_CONVERSATIONS = 10_000
# Fields that chat completions have too, perhaps under another name.
_RENAMED = {"max_output_tokens": "max_completion_tokens"}
_SHARED = (
    "model", "stream", "temperature", "top_p", "parallel_tool_calls", "service_tier", "metadata",
    "prompt_cache_key", "task_id", "top_logprobs",
)  # fmt: skip
_PARTS = {"input_text": "text", "output_text": "text", "text": "text"}


class Responses(ChatCompletions):
    """One request to /responses."""

    name = "responses"
    surface = "responses"
    end = b""

    def __init__(self) -> None:
        self._request: dict[str, Any] = {}

    def id_prefix(self, dialect: Dialect) -> str:
        return "resp_"

    def check(self, dialect: Dialect, data: Mapping[str, Any]) -> None:
        """Refuses nothing: the dialects' rules are about the fields of chat requests."""

    def chat_fields(self, data: dict[str, Any], known: Conversations) -> dict[str, Any]:
        self._request = data
        chat = {name: data[name] for name in _SHARED if data.get(name) is not None}
        chat |= {new: data[old] for old, new in _RENAMED.items() if data.get(old) is not None}
        chat["messages"] = self._messages(data, known)
        effort = _mapping(data, "reasoning").get("effort")
        if effort is not None:
            chat["reasoning_effort"] = effort
        if (text_format := _mapping(data, "text").get("format")) is not None:
            chat["response_format"] = _response_format(text_format)
        if data.get("tools"):
            if not isinstance(data["tools"], list):
                raise BadRequest("Invalid type for 'tools': expected a list.", "tools")
            chat["tools"] = [_tool(tool, i) for i, tool in enumerate(data["tools"])]
            choice = data.get("tool_choice")
            if isinstance(choice, dict):
                choice = {"type": "function", "function": {"name": choice.get("name")}}
            if choice is not None:
                chat["tool_choice"] = choice
        if chat.pop("top_logprobs", None) is not None:
            chat |= {"logprobs": True, "top_logprobs": data["top_logprobs"]}
        return chat

    def _messages(self, data: Mapping[str, Any], known: Conversations) -> list[dict[str, Any]]:
        messages: list[dict[str, Any]] = []
        if isinstance(data.get("instructions"), str):
            messages.append({"role": "system", "content": data["instructions"]})
        before = fields.text(data, "previous_response_id")
        if before is not None:
            if before not in known:
                raise BadRequest(
                    f"Previous response with id '{before}' not found.",
                    "previous_response_id",
                    "previous_response_not_found",
                )
            messages += map(dict, known[before])
        items = data.get("input")
        if isinstance(items, str):
            return [*messages, {"role": "user", "content": items}]
        if not isinstance(items, list) or not items:
            raise BadRequest("'input' must be a string or a list with at least one item.", "input")
        return [*messages, *(m for i, item in enumerate(items) for m in _message(item, i))]

    def remember(
        self, stamp: Stamp, request: ChatRequest, answer: Answer, known: Conversations
    ) -> None:
        if self._request.get("store") is False:
            return
        # Instructions apply to one response only.
        conversation = [m for m in request.messages if m["role"] != "system"]
        choice = answer.choices[0]
        reply: dict[str, Any] = {"role": "assistant", "content": choice.content}
        if choice.tool_calls:
            reply["tool_calls"] = [
                {"id": c.id, "type": "function",
                 "function": {"name": c.name, "arguments": c.arguments}}
                for c in choice.tool_calls
            ]  # fmt: skip
        known[stamp.id] = [*conversation, reply]
        if len(known) > _MOST_CONVERSATIONS:
            del known[next(iter(known))]

    def plain(
        self, dialect: Dialect, stamp: Stamp, answer: Answer, usage: dict[str, Any] | None
    ) -> dict[str, Any]:
        choice = answer.choices[0]
        cut = choice.finish_reason == "length"
        return self._response(stamp, "incomplete" if cut else "completed") | {
            "incomplete_details": {"reason": "max_output_tokens"} if cut else None,
            "output": [item for item, _ in items(stamp, choice, "incomplete" if cut else None)],
            "usage": None if usage is None else _usage(answer, usage),
        }

    def _response(self, stamp: Stamp, status: str) -> dict[str, Any]:
        """The response object with the request's settings and an empty output."""
        request = self._request
        return {
            "id": stamp.id,
            "object": "response",
            "created_at": stamp.created,
            "status": status,
            "background": False,
            "error": None,
            "incomplete_details": None,
            "instructions": request.get("instructions"),
            "max_output_tokens": request.get("max_output_tokens"),
            "model": stamp.model,
            "output": [],
            "parallel_tool_calls": request.get("parallel_tool_calls", True),
            "previous_response_id": request.get("previous_response_id"),
            "reasoning": {"effort": _mapping(request, "reasoning").get("effort"), "summary": None},
            "service_tier": stamp.service_tier or "default",
            "store": request.get("store", True),
            "temperature": request.get("temperature", 1.0),
            "text": request.get("text") or {"format": {"type": "text"}},
            "tool_choice": request.get("tool_choice") or "auto",
            "tools": request.get("tools") or [],
            "top_p": request.get("top_p", 1.0),
            "truncation": "disabled",
            "usage": None,
            "user": request.get("user"),
            "metadata": request.get("metadata") or {},
        }

    def events(
        self,
        dialect: Dialect,
        stamp: Stamp,
        answer: Answer,
        usage: dict[str, Any] | None,
        include_usage: bool,
    ) -> list[Event]:
        begun = self._response(stamp, "in_progress")
        complete_response = self.plain(dialect, stamp, answer, usage or dialect.usage(answer, None))
        number = 0
        events: list[tuple[dict[str, Any], int, bool]] = [
            ({"type": "response.created", "response": begun}, 0, False),
            ({"type": "response.in_progress", "response": begun}, 0, False),
        ]
        for place, (item, pieces) in enumerate(
            items(stamp, answer.choices[0], complete_response["output"][-1].get("status"))
        ):
            for body, is_token in item_events(item, pieces, place):
                events.append((body, number, is_token))
                number += is_token
        events.append(
            (
                {"type": f"response.{complete_response['status']}", "response": complete_response},
                number,
                False,
            )
        )
        return [
            Event(sse(body | {"sequence_number": i}), max(0, due - (not is_token)), is_token)
            for i, (body, due, is_token) in enumerate(events)
        ]


def _usage(answer: Answer, chat_usage: dict[str, Any]) -> dict[str, Any]:
    """Usage under this endpoint's names; anything else that the dialect states is kept."""
    usage = {
        "input_tokens": answer.prompt_tokens,
        "input_tokens_details": {"cached_tokens": answer.cached_tokens},
        "output_tokens": answer.completion_tokens,
        "output_tokens_details": {"reasoning_tokens": answer.reasoning_tokens},
        "total_tokens": answer.total_tokens,
    }
    return usage | ({"cost": chat_usage["cost"]} if "cost" in chat_usage else {})


def _message(item: Any, index: int) -> list[dict[str, Any]]:
    """An input item as chat messages; earlier reasoning becomes none."""
    where = f"input[{index}]"
    if not isinstance(item, dict):
        raise BadRequest(f"Invalid type for '{where}': expected an object.", where)
    kind = item.get("type", "message")
    if kind == "reasoning":
        return []
    if kind == "function_call":
        function = {"name": item.get("name"), "arguments": item.get("arguments")}
        call = {"id": item.get("call_id"), "type": "function", "function": function}
        return [{"role": "assistant", "content": None, "tool_calls": [call]}]
    if kind == "function_call_output":
        output = item.get("output")
        text = output if isinstance(output, str) else _content(output, where)
        return [{"role": "tool", "tool_call_id": item.get("call_id"), "content": text}]
    if kind != "message":
        raise BadRequest(f"Invalid value: '{kind}'.", f"{where}.type", "invalid_value")
    return [{"role": item.get("role"), "content": _content(item.get("content"), where)}]


def _content(content: Any, where: str) -> Any:
    if not isinstance(content, list):
        return content
    parts: list[dict[str, Any]] = []
    for number, part in enumerate(content):
        kind = part.get("type") if isinstance(part, dict) else None
        if kind in _PARTS:
            parts.append({"type": "text", "text": part.get("text")})
        elif kind == "input_image":
            parts.append({"type": "image_url", "image_url": {"url": part.get("image_url")}})
        elif kind == "input_file":
            parts.append({"type": "file", "file": {"file_data": part.get("file_data")}})
        else:
            place = f"{where}.content[{number}]"
            raise BadRequest(f"Invalid value for '{place}'.", place, "invalid_value")
    return parts


def _tool(tool: Any, index: int) -> dict[str, Any]:
    if not isinstance(tool, dict) or tool.get("type") != "function":
        raise BadRequest(f"Invalid value for 'tools[{index}]'.", f"tools[{index}].type")
    return {"type": "function", "function": {k: v for k, v in tool.items() if k != "type"}}


def _response_format(text_format: Any) -> Any:
    if not isinstance(text_format, dict) or text_format.get("type") != "json_schema":
        return text_format
    return {
        "type": "json_schema",
        "json_schema": {k: v for k, v in text_format.items() if k != "type"},
    }


def _mapping(data: Mapping[str, Any], name: str) -> Mapping[str, Any]:
    value = data.get(name)
    if value is not None and not isinstance(value, dict):
        raise BadRequest(f"Invalid type for '{name}': expected an object.", name)
    return value or {}
