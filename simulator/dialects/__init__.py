"""How different gateways write the same answer: fields, headers, error shapes.

One class per dialect. To add one, write a subclass of `Dialect` and add it to DIALECTS.
"""

from simulator.dialects.base import Dialect, Stamp, encode, logprobs
from simulator.dialects.gateways import Byok, LiteLLM, Nonelinear, OpenRouter, Proxied, Pydantic
from simulator.dialects.openai import Azure, OpenAI
from simulator.dialects.providers import XAI, AnthropicCompat, DeepSeek

DIALECTS: dict[str, type[Dialect]] = {
    "nonelinear": Nonelinear,
    "openrouter": OpenRouter,
    "litellm": LiteLLM,
    "openai": OpenAI,
    "azure": Azure,
    "deepseek": DeepSeek,
    "pydantic": Pydantic,
    "xai": XAI,
    "anthropic-compat": AnthropicCompat,
    "byok": Byok,
    "proxy": Proxied,
}

__all__ = ["DIALECTS", "Dialect", "Stamp", "encode", "logprobs"]
