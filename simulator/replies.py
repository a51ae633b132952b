"""What the models write when nothing is dictated: seeded prose, and reasoning."""

from functools import cache
from random import Random

from simulator import tokens

PROSE = (
    "A weighbridge weighs the loaded cart and then the empty one. "
    "The difference between the two is what the carrier is paid for. "
    "Nobody argues with the figure when both sides saw the needle. "
    "The scale is checked every spring with iron blocks of known mass. "
    "Before the first cart of the day the keeper sets it to nought. "
    "Rain in the straw is weight too and it is written down as rain. "
    "Long queues at harvest are not the fault of the scale. "
    "He notes when a cart arrived and when it was weighed in two columns. "
)
THINKING = (
    "Let me read the request again and see what is being asked. "
    "There may be a simpler way to look at it. "
    "First I note what is given and then what is wanted. "
    "The two candidate answers differ in one step only. "
    "I check that step with a small example. "
    "It holds so the first answer stands. "
    "I should also consider what happens at the edges. "
    "Now I can put it into a short reply. "
)


def excerpt(text: str, count: int, dice: Random) -> tuple[int, ...]:
    """`count` tokens of an endlessly repeated text, starting at one of its sentences."""
    ids, starts = sentences(text)
    start = starts[dice.randrange(len(starts))]
    turns = (start + count) // len(ids) + 1
    return (ids * turns)[start : start + count]


def token_texts(ids: tuple[int, ...]) -> list[str]:
    """The text of each token, the first without the space it may begin with."""
    texts = tokens.pieces(ids)
    if texts:
        texts[0] = texts[0].lstrip()
    return texts


@cache
def sentences(text: str) -> tuple[tuple[int, ...], tuple[int, ...]]:
    """The text's tokens, and where among them each of its sentences starts."""
    ids: list[int] = []
    starts: list[int] = []
    for sentence in text.split(". ")[:-1]:
        starts.append(len(ids))
        ids += tokens.encode(f" {sentence}.")
    return tuple(ids), tuple(starts)
