"""Make the table of rules/token_slopes.py: `python docs/token_slopes.py`.

The tokenizers are those of the package bpe-openai; a text whose counts are not on a
line is refused.
"""

import sys
from collections.abc import Callable
from importlib.metadata import version
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parents[1]))

from rules.billing_cases import TEXTS, prompt

NAMES = {"o200k": "o200k_base", "cl100k": "cl100k_base"}
REPEATS = (1, 2, 3, 4, 8, 16, 80)


def lines(count: Callable[[str], int]) -> list[tuple[int, int]]:
    """Start and slope of each text. ValueError if its tokens are not linear in the repeats."""
    rows = []
    for text in range(len(TEXTS)):
        tokens = {k: count(prompt(text, k)) for k in REPEATS}
        slope = tokens[2] - tokens[1]
        start = tokens[1] - slope
        if any(tokens[k] != start + slope * k for k in REPEATS):
            raise ValueError(f"{TEXTS[text]!r} does not have linear counts: {tokens}")
        rows.append((start, slope))
    return rows


def table() -> dict[str, list[tuple[int, int]]]:
    """Every tokenizer's lines."""
    import bpe_openai

    slopes = {}
    for name, encoding in NAMES.items():
        tokenizer = bpe_openai.get_encoding(encoding)
        slopes[name] = lines(lambda text, using=tokenizer: len(using.encode(text)))  # type: ignore[misc]
    return slopes


if __name__ == "__main__":
    print(f"# bpe-openai {version('bpe-openai')}")
    for name, found in table().items():
        print(f'"{name}": ({", ".join(f"Line({start}, {slope})" for start, slope in found)}),')
