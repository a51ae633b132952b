"""A text repeated k times has a token count that is linear in k: its start and slope."""

from collections.abc import Callable, Sequence


def lines(
    texts: Sequence[str],
    prompt: Callable[[int, int], str],
    repeats: Sequence[int],
    count: Callable[[str], int],
) -> list[tuple[int, int]]:
    """Start and slope of each text; `prompt` repeats the text of a number, `count` counts tokens.

    Raises ValueError if the tokens of a text are not linear in the repeats.
    """
    rows = []
    for text in range(len(texts)):
        tokens = {k: count(prompt(text, k)) for k in repeats}
        slope = tokens[2] - tokens[1]
        start = tokens[1] - slope
        if any(tokens[k] != start + slope * k for k in repeats):
            raise ValueError(f"{texts[text]!r} does not have linear counts: {tokens}")
        rows.append((start, slope))
    return rows
