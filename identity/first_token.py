"""The likeliest first tokens of a reply: how they are asked for, and what is kept of them. Pure."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

PROMPTS = (1, 27, 16)
"""Of identity.bank.BANK, without a nonce: log-probabilities are of one prompt, byte for byte."""
ROUNDS, LEAST_ROWS = 10, 8
TOPS = (20, 5)
"""The most that OpenAI takes, and what stricter providers do."""
PREFIX = "logprobs-"
Row = Mapping[str, float]
"""The likeliest first tokens of one reply, and their log-probabilities."""


@dataclass(frozen=True, slots=True)
class Stated:
    """What a route stated: rows by prompt, of `top` tokens each at most."""

    top: int
    rows: tuple[tuple[Row, ...], ...]

    @property
    def enough(self) -> bool:
        """Whether each prompt has rows enough: where they are absent now and then, none is."""
        return len(self.rows) == len(PROMPTS) and min(map(len, self.rows)) >= LEAST_ROWS


def row_of(top: Sequence[Mapping[str, object]]) -> Row:
    """The row of a first token's `top_logprobs`; empty where any of it is no number."""
    row: dict[str, float] = {}
    for one in top:
        token, value = one.get("token"), one.get("logprob")
        if not isinstance(token, str) or isinstance(value, bool):
            return {}
        if not isinstance(value, int | float) or not -1e4 < value <= 1e-6:
            return {}
        row[token] = round(float(value), 6)
    return row if len(row) > 1 else {}
