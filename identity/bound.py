"""What the requests of mode identity may use at most, before any is sent. Pure."""

import json
from collections.abc import Iterable, Sequence
from functools import reduce
from typing import NamedTuple

from identity import context, first_token, long_reply, setting, tools
from identity.alpha import LOOKS
from identity.bank import BANK, OUTPUT_TOKENS, prompt
from identity.cells import CHOOSING, MOST
from identity.texts import COUNTED, STREAMED
from identity.texts import prompt as repeated

NONCE = "[000000000000000] "
FORMAT_TOKENS = 30
LENGTH_TOKENS = 300
"""Of a chat template: more than any known one adds to a message of the user's."""


class Bound(NamedTuple):
    """At most so many requests, and tokens in and out."""

    requests: int
    prompt_tokens: int
    output_tokens: int


def counting() -> Bound:
    """The repeated texts."""
    return _of(repeated(*place) for place in (*COUNTED, *STREAMED))


def plain_counting() -> Bound:
    """The repeated texts that are not streamed."""
    return _of(repeated(*place) for place in COUNTED)


def settings(known: bool) -> Bound:
    """Whether settings are honoured; `known`: by a reference, which knows what varies. Where
    answers at temperature 0 vary, they are asked for twice, else for their variety at 1."""
    prompts = [
        (setting.prompt(scenario, index, "", "m"), setting.output_tokens(scenario))
        for scenario, count in setting.COUNTS.items()
        for index in range(count)
    ]
    by_scenario = Bound(
        len(prompts),
        sum(_bytes(text) + FORMAT_TOKENS for text, _ in prompts),
        sum(n for _, n in prompts),
    )
    each = setting.COLD_ANSWERS // setting.LEAST_VARIED
    longest = _longest(setting.LEAST_VARIED) * each * 2
    if not known:
        longest += [prompt(q, NONCE) for q in setting.WARM_QUESTIONS] * setting.WARM_ROUNDS
    return _sum(by_scenario, _of(longest))


def seeds() -> Bound:
    """Answers with one seed."""
    return _of(_longest(setting.SEED_QUESTIONS) * setting.SEED_ROUNDS)


def likeliest(tops: int) -> Bound:
    """Log-probabilities of the first token, asked for in so many ways."""
    return _of([prompt(q, "") for q in first_token.PROMPTS] * first_token.ROUNDS * tops)


def calls() -> Bound:
    """Calls of a tool, whose schema is part of every prompt."""
    schema = len(json.dumps(tools.TOOLS))
    prompts = [tools.prompt(n) for n in range(tools.ROUNDS * len(tools.WANTED))]
    sizes = [_bytes(text) + schema + 10 * FORMAT_TOKENS for text in prompts]
    return Bound(len(sizes), sum(sizes), tools.OUTPUT_TOKENS * len(sizes))


def lengths(sizes: Sequence[int]) -> Bound:
    """Prompts of these lengths. They are made of so many tokens by the gateway's own count, and
    what a line of text and a code have beyond that is a hundredth at most, and a template."""
    rounds = [(context.SHORT, context.SHORT_ROUNDS), *((size, context.ROUNDS) for size in sizes)]
    requests = sum(count for _, count in rounds)
    prompts = sum(count * (size + size // 100 + LENGTH_TOKENS) for size, count in rounds)
    return Bound(requests, prompts, context.OUTPUT_TOKENS * requests)


def long_replies(size: int) -> Bound:
    """Replies of so many tokens, and of three quarters of that."""
    budgets = [budget for budget, count in long_reply.budgets(size) for _ in range(count)]
    prompts = [long_reply.prompt(budget, 1, "", "m") for budget in budgets]
    each = sum(_bytes(text) + FORMAT_TOKENS for text in prompts)
    return Bound(len(budgets), each, sum(budgets))


def enrolment(answers: int) -> Bound:
    """Choosing, and so many answers to each cell."""
    more = _sum(seeds(), likeliest(len(first_token.TOPS)))
    return _sum(_sum(choosing(), dearest(answers)), more)


def choosing() -> Bound:
    """The answers by which questions are chosen."""
    return _of([prompt(q, NONCE) for q in range(len(BANK))] * CHOOSING)


def dearest(answers: int) -> Bound:
    """So many answers to each cell, before it is known which they are."""
    return _of(_longest(2 * MOST) * answers)


def audit(questions: Iterable[int]) -> tuple[Bound, Bound]:
    """One look, and all of them."""
    prompts = [prompt(question, NONCE) for question in questions]
    return _of(prompts * LOOKS[0][0]), _of(prompts * LOOKS[-1][0])


def _of(prompts: Iterable[str]) -> Bound:
    """No tokenizer makes more than a token of a byte."""
    sizes = [_bytes(text) + FORMAT_TOKENS for text in prompts]
    return Bound(len(sizes), sum(sizes), OUTPUT_TOKENS * len(sizes))


def _longest(count: int) -> list[str]:
    """The longest questions: before it is known which are asked."""
    return sorted((prompt(q, NONCE) for q in range(len(BANK))), key=_bytes)[-count:]


def together(bounds: Iterable[Bound]) -> Bound:
    """Of several tests together."""
    return reduce(_sum, bounds, Bound(0, 0, 0))


def _sum(one: Bound, other: Bound) -> Bound:
    return Bound(*(a + b for a, b in zip(one, other, strict=True)))


def _bytes(text: str) -> int:
    return len(text.encode())
