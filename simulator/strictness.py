"""What strict gateways refuse and lenient ones accept, with the error messages of each."""

import re
from collections.abc import Iterable, Mapping
from typing import Any

from simulator.fields import BadRequest

_OPENAI = (  # noqa: SIM905 (a list of so many quotes cannot be read)
    "audio frequency_penalty function_call functions logit_bias logprobs max_completion_tokens "
    "max_tokens messages metadata modalities model n parallel_tool_calls prediction "
    "presence_penalty prompt_cache_key prompt_cache_retention reasoning_effort response_format "
    "safety_identifier seed service_tier stop store stream stream_options temperature tool_choice "
    "tools top_logprobs top_p user verbosity web_search_options"
).split()
OPENAI_FIELDS = frozenset(_OPENAI)
"""Every field of OpenAI's chat completions."""

_PYDANTIC = (  # noqa: SIM905
    "frequency_penalty logprobs max_tokens messages model n parallel_tool_calls presence_penalty "
    "reasoning_effort response_format seed stop stream temperature tool_choice tools top_p"
).split()
PYDANTIC_FIELDS = frozenset(_PYDANTIC)
"""The fields of a model class that forbids others, without stream_options and newer names."""

_REASONS = re.compile(r"(?:[\w.-]+/)?(?:o\d|gpt-5)(?!\d)", re.IGNORECASE)


def openai(data: Mapping[str, Any]) -> None:
    """OpenAI's own rules. Raises BadRequest."""
    for name in data:
        if name not in OPENAI_FIELDS:
            raise unknown(name)
    if _REASONS.match(str(data.get("model"))):
        _reasoning(data)
    if data.get("metadata") is not None and not data.get("store"):
        raise BadRequest(
            "The 'metadata' parameter is only allowed when 'store' is enabled.", "metadata"
        )


def _reasoning(data: Mapping[str, Any]) -> None:
    """What the o-series and GPT-5 refuse. Raises BadRequest."""
    if data.get("max_tokens") is not None:
        raise BadRequest(
            "Unsupported parameter: 'max_tokens' is not supported with this model. Use "
            "'max_completion_tokens' instead.",
            "max_tokens",
            "unsupported_parameter",
        )
    temperature = data.get("temperature")
    if temperature is not None and temperature != 1:
        raise BadRequest(
            f"Unsupported value: 'temperature' does not support {temperature} with this model. "
            "Only the default (1) value is supported.",
            "temperature",
            "unsupported_value",
        )


def pydantic(data: Mapping[str, Any]) -> None:
    """The rules of a FastAPI server, which names all extra fields at once. Raises BadRequest."""
    extra = [name for name in data if name not in PYDANTIC_FIELDS]
    if extra:
        raise BadRequest(
            "Extra inputs are not permitted", ",".join(extra), "extra_forbidden", status=422
        )


def refused(data: Mapping[str, Any], names: Iterable[str]) -> None:
    """The fields of `--refuse-field`, one at a time. Raises BadRequest."""
    for name in names:
        if name in data:
            raise unknown(name)


def unknown(name: str) -> BadRequest:
    """OpenAI's error for an unknown field."""
    return BadRequest(f"Unknown parameter: '{name}'.", name, "unknown_parameter")
