"""Dialects that count, charge or fail otherwise.

xAI, Anthropic's compatible endpoint, an own key at OpenRouter, and a gateway behind a proxy that
speaks in pages.
"""

from html import escape
from typing import Any

from simulator.answer import Answer
from simulator.dialects import Nonelinear, OpenRouter

_TICKS = 10_000_000_000


class XAI(Nonelinear):
    """xAI: reasoning stands beside the completion tokens, and the cost is in ticks of a dollar."""

    states_cost = False

    def states_cost_of(self, stream: bool) -> bool:
        return True

    def usage(self, answer: Answer, cost: float | None) -> dict[str, Any]:
        usage = super().usage(answer, None)
        usage["completion_tokens"] = answer.completion_tokens - answer.reasoning_tokens
        if cost is not None:
            usage["cost_in_usd_ticks"] = round(cost * _TICKS)
        return usage


class AnthropicCompat(Nonelinear):
    """Anthropic's words behind OpenAI's: cached and written tokens stand beside the prompt's, and
    a model stops with `end_turn`."""

    def usage(self, answer: Answer, cost: float | None) -> dict[str, Any]:
        usage = super().usage(answer, cost)
        rest = answer.prompt_tokens - answer.cached_tokens - answer.cache_write_tokens
        usage |= {
            "prompt_tokens": rest,
            "total_tokens": rest + answer.completion_tokens,
            "cache_read_input_tokens": answer.cached_tokens,
            "cache_creation_input_tokens": answer.cache_write_tokens,
        }
        del usage["prompt_tokens_details"], usage["completion_tokens_details"]
        return usage

    def error(
        self, status: int, message: str, kind: str, param: str | None, code: str | None
    ) -> dict[str, Any]:
        named = {401: "authentication_error", 404: "not_found_error", 429: "rate_limit_error"}
        return {"type": "error", "error": {"type": named.get(status, kind), "message": message}}


class Byok(OpenRouter):
    """OpenRouter with the operator's own key: its charge is 0, the provider's stands beside it."""

    def usage(self, answer: Answer, cost: float | None) -> dict[str, Any]:
        usage = super().usage(answer, cost)
        if cost is not None:
            usage |= {
                "cost": 0,
                "is_byok": True,
                "cost_details": {"upstream_inference_cost": cost},
            }
        return usage


class Proxied(Nonelinear):
    """A gateway behind a proxy: it answers every error with a page of its own, and calls streams
    JSON."""

    stream_type = b"application/json"

    def page(self, status: int, message: str) -> str | None:
        title = f"{status} | gateway.example"
        said = escape(message)
        return f"<!DOCTYPE html><html><head><title>{title}</title></head><body>{said}</body></html>"


CONVENTIONS: dict[str, type[Nonelinear]] = {
    "xai": XAI,
    "anthropic-compat": AnthropicCompat,
    "byok": Byok,
    "proxy": Proxied,
}
