"""Vendors' own OpenAI-compatible endpoints, with their own names for counts and costs."""

from typing import Any

from simulator.answer import Answer
from simulator.dialects.base import Dialect, Stamp

_TICKS = 10_000_000_000


class DeepSeek(Dialect):
    """DeepSeek: cache hits and misses at the top of usage, no cost, keep-alive comments."""

    reasoning_key = "reasoning_content"
    comments = (b": keep-alive\n\n",)

    def usage(self, answer: Answer, cost: float | None) -> dict[str, Any]:
        usage = super().usage(answer, cost)
        usage["prompt_cache_hit_tokens"] = answer.cached_tokens
        usage["prompt_cache_miss_tokens"] = answer.prompt_tokens - answer.cached_tokens
        return usage

    def extras(self, stamp: Stamp) -> dict[str, Any]:
        return {"system_fingerprint": "fp_simulator"}


class XAI(Dialect):
    """xAI: reasoning is not part of the completion tokens, and the cost is in ticks of a dollar."""

    reasoning_key = "reasoning_content"

    def states_cost_of(self, stream: bool) -> bool:
        return True

    def usage(self, answer: Answer, cost: float | None) -> dict[str, Any]:
        usage = super().usage(answer, None)
        usage["completion_tokens"] = answer.completion_tokens - answer.reasoning_tokens
        if cost is not None:
            usage["cost_in_usd_ticks"] = round(cost * _TICKS)
        return usage


class AnthropicCompat(Dialect):
    """Anthropic's endpoint for OpenAI clients: cached and written tokens are not part of the
    prompt's."""

    reasoning_key = "reasoning_content"
    states_cost = True

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
