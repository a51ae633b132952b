"""Make the table of rules/token_slopes.py: `python docs/token_slopes.py`.

The tokenizers are those of the package bpe-openai; a text whose counts are not on a
line is refused.
"""

import sys
from importlib.metadata import version
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parents[1]))

from docs.linear_counts import lines
from rules.billing_cases import TEXTS, prompt

NAMES = {"o200k": "o200k_base", "cl100k": "cl100k_base"}
REPEATS = (1, 2, 3, 4, 8, 16, 80)


def table() -> dict[str, list[tuple[int, int]]]:
    """Every tokenizer's lines."""
    import bpe_openai

    slopes = {}
    for name, encoding in NAMES.items():
        tokenizer = bpe_openai.get_encoding(encoding)
        slopes[name] = lines(
            TEXTS, prompt, REPEATS, lambda text, using=tokenizer: len(using.encode(text))
        )  # type: ignore[misc]
    return slopes


if __name__ == "__main__":
    print(f"# bpe-openai {version('bpe-openai')}")
    for name, rows in table().items():
        print(f'"{name}": ({", ".join(f"Line({start}, {slope})" for start, slope in rows)}),')
