"""The usage of replies of mode billing that state none, from replies to the same prompt that do.

The prompt has as many tokens. The same reply has as many tokens, too; of another one the length in
characters says between how many they lie, and the output budget how many they are at most. Pure.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from math import ceil, floor

from analysis.numbers.billing_rows import Row, cached_of, known
from rules.billing_cases import repeats

_STATING = ("plain", "stream", "plain_again")
_FEWEST = 3  # fewer replies do not show how many characters a token has
_WIDER = 1.25
"""The factor by which a token may have more characters, or fewer, than in any of those replies."""


@dataclass(frozen=True, slots=True)
class Usage:
    """Tokens: of the prompt, and between how many the output lies."""

    prompt: int
    low: int
    high: int


def with_usage(rows: Sequence[Row]) -> list[Row]:
    """The rows; where one states no usage, with the most that it can be (`at_most`: it may be
    less).
    """
    usage = unstated_usage(rows)
    return [
        row
        if (of_row := usage.get(place)) is None
        else {
            **row,
            "prompt_tokens": of_row.prompt,
            "completion_tokens": of_row.high,
            "total_tokens": of_row.prompt + of_row.high,
            "cached_tokens": 0,
            "at_most": of_row.low < of_row.high,
        }
        for place, row in enumerate(rows)
    ]


def unstated_usage(rows: Sequence[Row]) -> Mapping[int, Usage]:
    """By the place of the row. Empty: too few replies to that prompt state their usage, count the
    prompt in one way, and neither reason nor read from a cache.
    """
    stated = [
        row
        for row in rows
        if row["scenario"] in _STATING
        and _text(row)
        and known(row["prompt_tokens"])
        and known(row["completion_tokens"])
        and not cached_of(row)
        and not (known(row["reasoning_tokens"]) and row["reasoning_tokens"])
    ]
    prompts = {(_prompt(row), int(row["prompt_tokens"])) for row in stated}
    if len(stated) < _FEWEST or len(prompts) != 1:
        return {}
    ((prompt, tokens),) = prompts
    counts = dict[tuple[str, str], set[int]]()
    for row in stated:
        counts.setdefault((_text(row), row["finish_reason"]), set()).add(
            int(row["completion_tokens"])
        )
    per_character = [row["completion_tokens"] / len(_text(row)) for row in stated]
    usage = dict[int, Usage]()
    for place, row in enumerate(rows):
        text = _text(row)
        if row["scenario"] != "stream_no_usage" or known(row["prompt_tokens"]) or not text:
            continue
        same = counts.get((text, row["finish_reason"]), set())
        low = floor(len(text) * min(per_character) / _WIDER)
        high = ceil(len(text) * max(per_character) * _WIDER)
        if known(row["max_tokens"]):
            high = max(low, min(high, int(row["max_tokens"])))
        if len(same) == 1:
            low = high = min(same)
        if _prompt(row) == prompt:
            usage[place] = Usage(tokens, low, high)
    return usage


def _prompt(row: Row) -> tuple[int, int] | None:
    return repeats(row["scenario"], row["request_index"])


def _text(row: Row) -> str:
    """What was answered, as far as it is known."""
    return str(row["content"]) if row["success"] and known(row["content"]) else ""
