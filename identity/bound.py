"""What the requests of mode identity may use at most, before any is sent. Pure."""

from collections.abc import Iterable
from typing import NamedTuple

from identity.bank import BANK, OUTPUT_TOKENS, prompt
from identity.cells import CHOOSING, MOST
from identity.looks import LOOKS
from identity.texts import COUNTED, STREAMED
from identity.texts import prompt as repeated

NONCE = "[000000000000000] "
FORMAT_TOKENS = 30
"""Of a chat template: more than any known one adds to a message of the user's."""


class Bound(NamedTuple):
    """At most so many requests, and tokens in and out."""

    requests: int
    prompt_tokens: int
    output_tokens: int


def counting() -> Bound:
    """The repeated texts."""
    return _of(repeated(*place) for place in (*COUNTED, *STREAMED))


def enrolment(answers: int) -> Bound:
    """Choosing, and so many answers to each cell."""
    choosing = _of([prompt(q, NONCE) for q in range(len(BANK))] * CHOOSING)
    return Bound(*(a + b for a, b in zip(choosing, dearest(answers), strict=True)))


def dearest(answers: int) -> Bound:
    """So many answers to each cell, before it is known which they are."""
    longest = sorted((prompt(q, NONCE) for q in range(len(BANK))), key=_bytes)[-2 * MOST :]
    return _of(longest * answers)


def audit(questions: Iterable[int]) -> tuple[Bound, Bound]:
    """One look, and all of them."""
    asked = [prompt(question, NONCE) for question in questions]
    return _of(asked * LOOKS[0][0]), _of(asked * LOOKS[-1][0])


def _of(prompts: Iterable[str]) -> Bound:
    """No tokenizer makes more than a token of a byte."""
    sizes = [_bytes(text) + FORMAT_TOKENS for text in prompts]
    return Bound(len(sizes), sum(sizes), OUTPUT_TOKENS * len(sizes))


def _bytes(text: str) -> int:
    return len(text.encode())
