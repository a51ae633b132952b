"""How different gateways write the same answer: fields, headers, error shapes.

One class per dialect; the base class is the default one, the article's gateway. To add a dialect,
write a class and name it in DIALECTS.
"""

import json
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from simulator import strictness
from simulator.answer import Answer
from simulator.wire import Headers

_COMPACT = json.JSONEncoder(ensure_ascii=False, separators=(",", ":")).encode


@dataclass(slots=True)
class Stamp:
    """What identifies one reply; `created` in whole unix seconds."""

    id: str
    created: int
    model: str
    task_id: str | None = None


class Nonelinear:
    """The article's gateway: `usage.cost`, `reasoning_content`, `task_id` echoed in the body."""

    id_prefix = "chatcmpl-"
    reasoning_key = "reasoning_content"
    states_cost = True  # whether usage has a cost
    always_usage = False  # whether streams state usage unasked
    comments: tuple[bytes, ...] = ()  # SSE comment lines before the first event
    ratelimit_prefix = "x-ratelimit-"
    wrong_key_status = 401
    stream_type = b"text/event-stream; charset=utf-8"
    key_header = b"authorization"  # where the key is looked for; there alone behind `Bearer`
    base_path = "/v1"  # of the base URL, its query included
    prefixes = ("/api/v1", "/v1", "")

    def place(self, path: str, query: bytes) -> tuple[str, str]:
        """The route of a path, and the model that the path names (empty: none)."""
        return next(path[len(p) :] for p in self.prefixes if path.startswith(p)), ""

    def first_chunk(self) -> dict[str, Any] | None:
        """What a stream begins with, before the role; None: nothing."""
        return None

    def headers(self, stamp: Stamp, cost: float | None, stream: bool) -> Headers:
        """Headers of a 200; `cost` is None where a fault hides it."""
        return [(b"x-request-id", stamp.id.encode())]

    def states_cost_of(self, stream: bool) -> bool:
        """Whether a reply of that kind says anywhere what it cost."""
        return self.states_cost

    def error_headers(self, stamp: Stamp) -> Headers:
        """Headers of an error."""
        return self.headers(stamp, None, False)

    def usage(self, answer: Answer, cost: float | None) -> dict[str, Any]:
        """The usage object, with the cost where this dialect states one."""
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

    def message(self, answer: Answer) -> dict[str, Any]:
        """The assistant's message of a plain reply."""
        message: dict[str, Any] = {
            "role": "assistant",
            "content": answer.content,
            "refusal": None,
        }
        if answer.reasoning is not None and self.reasoning_key:
            message[self.reasoning_key] = answer.reasoning
        if answer.tool_call is not None:
            call = answer.tool_call
            message["tool_calls"] = [
                {
                    "id": call.id,
                    "type": "function",
                    "function": {"name": call.name, "arguments": call.arguments},
                }
            ]
        return message

    def reply(self, stamp: Stamp, answer: Answer, usage: dict[str, Any] | None) -> dict[str, Any]:
        """The body of a plain reply; `usage` is None where a fault hides it."""
        body: dict[str, Any] = {
            "id": stamp.id,
            "object": "chat.completion",
            "created": stamp.created,
            "model": stamp.model,
            "choices": [
                {
                    "index": 0,
                    "message": self.message(answer),
                    "logprobs": None,
                    "finish_reason": answer.finish_reason,
                }
            ],
        }
        if usage is not None:
            body["usage"] = usage
        return body | self.extras(stamp)

    def extras(self, stamp: Stamp) -> dict[str, Any]:
        """Further top-level fields of replies and chunks."""
        return {} if stamp.task_id is None else {"task_id": stamp.task_id}

    def usage_choices(self) -> list[dict[str, Any]]:
        """`choices` of the chunk that carries the usage."""
        return []

    def page(self, status: int, message: str) -> str | None:
        """The HTML that an error is answered with; None: it is answered in JSON."""
        return None

    def check(self, data: Mapping[str, Any]) -> None:
        """What this gateway refuses of a body's fields. Raises BadRequest."""

    def error(
        self, status: int, message: str, kind: str, param: str | None, code: str | None
    ) -> dict[str, Any]:
        """The body of an error."""
        return {"error": {"message": message, "type": kind, "param": param, "code": code}}


class OpenAI(Nonelinear):
    """OpenAI itself: no cost, no reasoning text; a body with a field that it does not know is
    refused, and with max_tokens or another temperature than 1 for o-series and GPT-5 models."""

    reasoning_key = ""
    states_cost = False

    def check(self, data: Mapping[str, Any]) -> None:
        strictness.openai(data)

    def message(self, answer: Answer) -> dict[str, Any]:
        message = super().message(answer)
        if answer.content is None and answer.tool_call is None:
            message["content"] = ""
        return message | {"annotations": []}

    def headers(self, stamp: Stamp, cost: float | None, stream: bool) -> Headers:
        identity = stamp.id.removeprefix(self.id_prefix)
        return [
            (b"x-request-id", f"req_{identity}".encode()),
            (b"openai-version", b"2020-10-01"),
        ]

    def extras(self, stamp: Stamp) -> dict[str, Any]:
        return {"service_tier": "default", "system_fingerprint": "fp_simulator"}


class OpenRouter(Nonelinear):
    """OpenRouter: `reasoning`, cost details, comments, X-Generation-Id, numeric error codes."""

    id_prefix = "gen-"
    reasoning_key = "reasoning"
    always_usage = True
    comments = (b": OPENROUTER PROCESSING\n\n",)

    def headers(self, stamp: Stamp, cost: float | None, stream: bool) -> Headers:
        return [(b"x-generation-id", stamp.id.encode())]

    def usage(self, answer: Answer, cost: float | None) -> dict[str, Any]:
        usage = super().usage(answer, cost)
        usage["prompt_tokens_details"]["cache_write_tokens"] = answer.cache_write_tokens
        if cost is not None:
            usage["is_byok"] = False
            usage["cost_details"] = {"upstream_inference_cost": None}
        return usage

    def message(self, answer: Answer) -> dict[str, Any]:
        message = super().message(answer)
        if answer.reasoning is not None:
            message["reasoning_details"] = [{"type": "reasoning.text", "text": answer.reasoning}]
        return message

    def extras(self, stamp: Stamp) -> dict[str, Any]:
        return {"provider": "Simulator"}

    def usage_choices(self) -> list[dict[str, Any]]:
        delta = {"role": "assistant", "content": ""}
        return [{"index": 0, "delta": delta, "logprobs": None, "finish_reason": None}]

    def error(
        self, status: int, message: str, kind: str, param: str | None, code: str | None
    ) -> dict[str, Any]:
        metadata = {"error_type": kind, "provider_name": "Simulator"}
        return {"error": {"message": message, "code": status, "metadata": metadata}}


class LiteLLM(Nonelinear):
    """LiteLLM's proxy: the cost in a header of plain replies only, error codes as strings."""

    states_cost = False
    ratelimit_prefix = "x-ratelimit-api_key-"
    wrong_key_status = 400

    def headers(self, stamp: Stamp, cost: float | None, stream: bool) -> Headers:
        headers = self._names(stamp)
        if cost is not None and not stream:
            headers.append((b"x-litellm-response-cost", f"{cost:.12f}".rstrip("0").encode()))
        return headers

    def states_cost_of(self, stream: bool) -> bool:
        return not stream

    def error_headers(self, stamp: Stamp) -> Headers:
        return [*self._names(stamp), (b"x-litellm-response-cost", b"0")]

    def extras(self, stamp: Stamp) -> dict[str, Any]:
        return {}

    def error(
        self, status: int, message: str, kind: str, param: str | None, code: str | None
    ) -> dict[str, Any]:
        body = super().error(status, message, kind, param, code)
        body["error"]["code"] = str(status)
        return body

    @staticmethod
    def _names(stamp: Stamp) -> Headers:
        return [
            (b"x-litellm-call-id", stamp.id.encode()),
            (b"x-litellm-model-id", b"simulator"),
        ]


class DeepSeek(Nonelinear):
    """DeepSeek: cache hits and misses at the top of usage, no cost, keep-alive comments."""

    states_cost = False
    comments = (b": keep-alive\n\n",)

    def usage(self, answer: Answer, cost: float | None) -> dict[str, Any]:
        usage = super().usage(answer, cost)
        usage["prompt_cache_hit_tokens"] = answer.cached_tokens
        usage["prompt_cache_miss_tokens"] = answer.prompt_tokens - answer.cached_tokens
        return usage

    def extras(self, stamp: Stamp) -> dict[str, Any]:
        return {"system_fingerprint": "fp_simulator"}


class Pydantic(Nonelinear):
    """A FastAPI server whose pydantic model forbids extra fields, among them stream_options."""

    reasoning_key = ""
    states_cost = False
    always_usage = True

    def check(self, data: Mapping[str, Any]) -> None:
        strictness.pydantic(data)

    def extras(self, stamp: Stamp) -> dict[str, Any]:
        return {}

    def error(
        self, status: int, message: str, kind: str, param: str | None, code: str | None
    ) -> dict[str, Any]:
        if status != 422:
            return super().error(status, message, kind, param, code)
        names = (param or "").split(",")
        return {"detail": [{"type": code, "loc": ["body", n], "msg": message} for n in names]}


DIALECTS: dict[str, type[Nonelinear]] = {
    "nonelinear": Nonelinear,
    "openrouter": OpenRouter,
    "litellm": LiteLLM,
    "openai": OpenAI,
    "deepseek": DeepSeek,
    "pydantic": Pydantic,
}


def encode(body: dict[str, Any]) -> bytes:
    """Compact JSON; characters that cannot be UTF-8 (lone surrogates) stay escaped."""
    try:
        return _COMPACT(body).encode()
    except UnicodeEncodeError:
        return json.dumps(body, separators=(",", ":")).encode()
