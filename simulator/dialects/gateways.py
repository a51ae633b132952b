"""Gateways in front of many models: each writes cost, ids and errors in its own way."""

from collections.abc import Mapping
from html import escape
from typing import Any

from simulator import strictness
from simulator.answer import Answer
from simulator.choice import Choice
from simulator.dialects.base import Dialect, Stamp
from simulator.wire import Headers


class Nonelinear(Dialect):
    """The article's gateway: `usage.cost`, `reasoning_content`, `task_id` echoed in the body."""

    reasoning_key = "reasoning_content"
    states_cost = True

    def extras(self, stamp: Stamp) -> dict[str, Any]:
        return {} if stamp.task_id is None else {"task_id": stamp.task_id}


class OpenRouter(Dialect):
    """OpenRouter: `reasoning`, cost details, comments, X-Generation-Id, numeric error codes."""

    id_prefix = "gen-"
    reasoning_key = "reasoning"
    states_cost = True
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

    def message(self, choice: Choice) -> dict[str, Any]:
        message = super().message(choice)
        if choice.reasoning is not None:
            message["reasoning_details"] = [{"type": "reasoning.text", "text": choice.reasoning}]
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


class Byok(OpenRouter):
    """OpenRouter with the operator's own key: its charge is 0, the provider's is stated apart."""

    def usage(self, answer: Answer, cost: float | None) -> dict[str, Any]:
        usage = super().usage(answer, cost)
        if cost is not None:
            usage |= {
                "cost": 0,
                "is_byok": True,
                "cost_details": {"upstream_inference_cost": cost},
            }
        return usage


class LiteLLM(Dialect):
    """LiteLLM's proxy: the cost in a header of plain replies only, error codes as strings."""

    reasoning_key = "reasoning_content"
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


class Pydantic(Dialect):
    """A FastAPI server whose pydantic model forbids extra fields, among them stream_options."""

    always_usage = True

    def check(self, data: Mapping[str, Any]) -> None:
        strictness.pydantic(data)

    def error(
        self, status: int, message: str, kind: str, param: str | None, code: str | None
    ) -> dict[str, Any]:
        if status != 422:
            return super().error(status, message, kind, param, code)
        names = (param or "").split(",")
        return {"detail": [{"type": code, "loc": ["body", n], "msg": message} for n in names]}


class Proxied(Nonelinear):
    """A gateway behind a proxy that replaces every error with an HTML page and labels streams as
    JSON."""

    stream_type = b"application/json"

    def page(self, status: int, message: str) -> str | None:
        title = f"{status} | gateway.example"
        escaped = escape(message)
        return (
            f"<!DOCTYPE html><html><head><title>{title}</title></head><body>{escaped}</body></html>"
        )
