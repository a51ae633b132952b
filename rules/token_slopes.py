"""What known tokenizers make of a repeated text: facts, made by docs/token_slopes.py. Pure.

Repeated on lines of its own, a text adds the same number of tokens each time: what a prompt counts
is a line over the repeats, and no tokenizer is needed to know its slope.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from types import MappingProxyType

CHAT_TOKENS = 7
"""What OpenAI's chat format adds to one message of the user's (OpenAI cookbook, "How to count
tokens with tiktoken": 3 a message, 1 for its role, 3 before the reply)."""


@dataclass(frozen=True, slots=True)
class Line:
    """Tokens of a prompt of `k` repeats: `start + slope * k`, the chat format not counted."""

    start: int
    slope: int

    def tokens(self, k: int) -> int:
        """What the tokenizer makes of `k` repeats."""
        return self.start + self.slope * k


KNOWN: Mapping[str, tuple[Line, ...]] = MappingProxyType(
    {  # bpe-openai 0.1.4
        "o200k": (Line(19, 23), Line(19, 19), Line(18, 18)),
        "cl100k": (Line(19, 32), Line(19, 21), Line(18, 18)),
    }
)
"""Each tokenizer's line for each of `rules.billing_cases.TEXTS`."""

_FAMILIES = (
    ("o200k", ("gpt-4o", "gpt-4.1", "gpt-4.5", "gpt-5", "chatgpt-4o", "o1", "o3", "o4")),
    ("cl100k", ("gpt-4", "gpt-3.5")),
)


def claimed(model: str) -> str | None:
    """The tokenizer of the model that a name claims; None: not known. `openai/gpt-4o`: `o200k`."""
    name = model.rpartition("/")[2].lower()
    return next((family for family, begins in _FAMILIES if name.startswith(begins)), None)
