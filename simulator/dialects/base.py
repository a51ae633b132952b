"""The base of all dialects: OpenAI's fields, without additions by any one gateway."""

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from simulator.answer import Answer
from simulator.choice import Choice
from simulator.wire import Headers

_COMPACT = json.JSONEncoder(ensure_ascii=False, separators=(",", ":")).encode


@dataclass(slots=True)
class Stamp:
    """What identifies one reply; `created` in whole unix seconds."""

    id: str
    created: int
    model: str
    task_id: str | None = None
    service_tier: str | None = None  # the tier used, if the request asked for one


class Dialect:
    """OpenAI's fields: no cost, no reasoning text, and no field refused."""

    id_prefix = "chatcmpl-"
    reasoning_key = ""  # the message's field for the reasoning text; empty: not shown
    states_cost = False  # whether usage includes the cost
    always_usage = False  # whether streams state usage without being asked
    comments: tuple[bytes, ...] = ()  # SSE comment lines before the first event
    ratelimit_prefix = "x-ratelimit-"
    wrong_key_status = 401
    stream_type = b"text/event-stream; charset=utf-8"
    key_header = b"authorization"  # the header with the key, after `Bearer` only in this one
    base_path = "/v1"  # of the base URL, including its query
    prefixes = ("/api/v1", "/v1", "")

    def place(self, path: str, query: bytes) -> tuple[str, str]:
        """The route of a path, and the model that it names (empty if none)."""
        return next(path[len(p) :] for p in self.prefixes if path.startswith(p)), ""

    def first_chunk(self) -> dict[str, Any] | None:
        """The chunk before the one with the role; None if there is none."""
        return None

    def headers(self, stamp: Stamp, cost: float | None, stream: bool) -> Headers:
        """Headers of a 200; `cost` is None if a fault hides it."""
        return [(b"x-request-id", stamp.id.encode())]

    def states_cost_of(self, stream: bool) -> bool:
        """Whether such a reply states its cost anywhere."""
        return self.states_cost

    def error_headers(self, stamp: Stamp) -> Headers:
        """Headers of an error."""
        return self.headers(stamp, None, False)

    def usage(self, answer: Answer, cost: float | None) -> dict[str, Any]:
        """The usage object, with the cost if this dialect states one."""
        usage: dict[str, Any] = {
            "prompt_tokens": answer.prompt_tokens,
            "completion_tokens": answer.completion_tokens,
            "total_tokens": answer.total_tokens,
            "prompt_tokens_details": {"cached_tokens": answer.cached_tokens},
            "completion_tokens_details": {"reasoning_tokens": answer.reasoning_tokens},
        }
        if self.states_cost and cost is not None:
            usage["cost"] = cost
        return usage

    def message(self, choice: Choice) -> dict[str, Any]:
        """The assistant's message of one choice of a plain reply."""
        message: dict[str, Any] = {
            "role": "assistant",
            "content": choice.content,
            "refusal": None,
        }
        if choice.reasoning is not None and self.reasoning_key:
            message[self.reasoning_key] = choice.reasoning
        if choice.tool_calls:
            message["tool_calls"] = [
                {
                    "id": call.id,
                    "type": "function",
                    "function": {"name": call.name, "arguments": call.arguments},
                }
                for call in choice.tool_calls
            ]
        return message

    def reply(self, stamp: Stamp, answer: Answer, usage: dict[str, Any] | None) -> dict[str, Any]:
        """The body of a plain reply; `usage` is None if a fault hides it."""
        body: dict[str, Any] = {
            "id": stamp.id,
            "object": "chat.completion",
            "created": stamp.created,
            "model": stamp.model,
            "choices": [
                {
                    "index": index,
                    "message": self.message(choice),
                    "logprobs": logprobs(choice.logprobs),
                    "finish_reason": choice.finish_reason,
                }
                for index, choice in enumerate(answer.choices)
            ],
        }
        if usage is not None:
            body["usage"] = usage
        return body | self.common(stamp)

    def common(self, stamp: Stamp) -> dict[str, Any]:
        """Further top-level fields of replies and chunks, including the service tier."""
        if stamp.service_tier is None:
            return self.extras(stamp)
        return self.extras(stamp) | {"service_tier": stamp.service_tier}

    def extras(self, stamp: Stamp) -> dict[str, Any]:
        """This dialect's own top-level fields of replies and chunks."""
        return {}

    def usage_choices(self) -> list[dict[str, Any]]:
        """`choices` of the chunk that carries the usage."""
        return []

    def page(self, status: int, message: str) -> str | None:
        """The HTML page of an error; None if errors are JSON."""
        return None

    def check(self, data: Mapping[str, Any]) -> None:
        """Refuses fields that this gateway does not accept. Raises BadRequest."""

    def error(
        self, status: int, message: str, kind: str, param: str | None, code: str | None
    ) -> dict[str, Any]:
        """The body of an error."""
        return {"error": {"message": message, "type": kind, "param": param, "code": code}}


def logprobs(entries: Sequence[dict[str, Any]] | None) -> dict[str, Any] | None:
    """A choice's `logprobs`, in a plain reply or a chunk."""
    return None if entries is None else {"content": [*entries], "refusal": None}


def encode(body: dict[str, Any]) -> bytes:
    """Compact JSON; characters that cannot be UTF-8 (lone surrogates) stay escaped."""
    try:
        return _COMPACT(body).encode()
    except UnicodeEncodeError:
        return json.dumps(body, separators=(",", ":")).encode()
