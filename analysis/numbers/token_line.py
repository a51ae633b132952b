"""The tokenizer behind the stated counts of repeated texts, as a line over their length. Pure.

A text repeated k times adds the same number of tokens each time, so the stated counts are a line:
its slope over the true count is inflation, its start is what else is in the prompt. Every bound is
exact: the lines that pass within half a token (rounding) of each point, and no other, are possible.
"""

from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from rules.billing_cases import prompt
from rules.line_fit import EXACT, LOOSE, Point, slopes
from rules.token_slopes import CHAT_TOKENS, KNOWN, claimed

HIDDEN_TOKENS = 40  # fewer may be a template of the model's own


@dataclass(frozen=True, slots=True)
class TokenLine:
    """What the stated counts of repeated texts show.

    `points`: repeats and stated tokens, by text. `tokenizer`: the claimed model's, where its counts
    are known. `inflation`: the factors between which the stated counts exceed those, for all texts;
    None: not known, or no one factor fits (`other`: another tokenizer's counts). `no_line`: one
    prompt was counted in several ways. `hidden`: at least this many tokens in every prompt were
    not sent; None: not known.
    """

    points: Mapping[int, Sequence[Point]]
    tokenizer: str | None = None
    inflation: tuple[float, float] | None = None
    other: bool = False
    no_line: bool = False
    hidden: int | None = None

    @property
    def inflated(self) -> bool:
        """Whether every factor that fits is above 1."""
        return self.inflation is not None and self.inflation[0] > 1

    def fits(self, text: int, k: int, tokens: int) -> bool:
        """Whether one more count lies on the line of its text."""
        return slopes([*self.points[text], (k, tokens)], LOOSE) is not None

    def expected(self, text: int, k: int) -> int | None:
        """The tokens that the line gives for `k` repeats of a text; None: there is no line."""
        points = self.points.get(text, ())
        slope_bounds = slopes(points, EXACT) or slopes(points, LOOSE)
        if slope_bounds is None or len({x for x, _ in points}) < 2:
            return None
        slope = sum(slope_bounds) / 2
        return round(sum(y - slope * x for x, y in points) / len(points) + slope * k)


def fit_line(model: str, counted: Sequence[tuple[int, int, int]]) -> TokenLine | None:
    """Judge (text, repeats, stated tokens) of a model; None: too little was stated."""
    points: dict[int, list[Point]] = defaultdict(list)
    for text, k, tokens in counted:
        points[text].append((k, tokens))
    if not points or any(len({k for k, _ in line}) < 2 for line in points.values()):
        return None
    if any(slopes(line, LOOSE) is None for line in points.values()):
        return TokenLine(points, no_line=True)
    name = claimed(model)
    if name is None:
        return TokenLine(points, hidden=_unsent(points))
    lines, low, high = KNOWN[name], 0.0, float("inf")
    for text, line in points.items():
        expected = [(lines[text].tokens(k), tokens) for k, tokens in line]
        factors = slopes(expected, EXACT)
        low, high = (max(low, factors[0]), min(high, factors[1])) if factors else (1.0, 0.0)
    if low > high:
        return TokenLine(points, name, other=True, hidden=_unsent(points))
    most = max(high, 1.0)
    hidden = min(
        tokens - most * (lines[text].tokens(k) + CHAT_TOKENS)
        for text, line in points.items()
        for k, tokens in line
    )
    return TokenLine(points, name, (low, high), hidden=max(0, round(hidden)))


def _unsent(points: Mapping[int, Sequence[Point]]) -> int:
    """Tokens that no tokenizer can get from what was sent: at most one per byte."""
    beyond = (
        tokens - len(prompt(text, k).encode())
        for text, line in points.items()
        for k, tokens in line
    )
    return max(0, *beyond)
