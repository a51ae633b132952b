"""One-word answers: what a model with certain weights answers to a question, and how often.

The weights are a number: the same number and question give the same distribution, in any process.
Half of the questions have one answer in 97 to 100 of 100 cases, the others a tail by rank. Two
models agree on 3 of 10 fixed answers, as models that learned the same facts do.
"""

import re
import time
from functools import lru_cache
from math import exp, log
from random import Random

from simulator.profile import Answers

_ASKS = re.compile(r"\b(?:reply|answer|respond) with one word\b", re.IGNORECASE)
_NONCE = re.compile(r"^\[\d+\]\s*")
_TEXT = (
    "amber anchor apple arrow autumn badger barley basket beacon birch bridge bronze candle "
    "canvas cedar chalk cherry copper coral cotton crane crimson crystal daisy ember falcon "
    "feather fiddle garnet ginger granite hammer harbor hazel heron indigo ivory jasmine "
    "juniper lantern lemon linen lotus maple marble meadow mustard nettle olive onyx orchid "
    "otter pearl pepper pewter plover quartz raven ribbon river saffron sparrow spruce "
    "thistle timber topaz tulip velvet violet walnut willow"
)
_WORDS = tuple(_TEXT.split())
_AGREE, _SURE = 0.3, 0.97


def question_in(prompt: str) -> str | None:
    """The question in a prompt that asks for one word, without its nonce; None if it does not."""
    return _NONCE.sub("", prompt) if _ASKS.search(prompt[:200]) else None


def answer(
    question: str, rule: Answers, temperature: float, dice: Random, now: float | None = None
) -> str:
    """One answer, from the rule's weights or, for a share in certain hours, from the other ones."""
    words, chances = _served(question, rule, dice, now)
    heat = temperature * rule.temperature
    if heat <= 0 and rule.unsteady and dice.random() < rule.unsteady:
        heat = 1.0  # batches and hardware change some
    if heat <= 0:
        return words[chances.index(max(chances))]
    return dice.choices(words, [chance ** (1 / heat) for chance in chances])[0]


def likeliest(question: str, rule: Answers, dice: Random) -> dict[str, float]:
    """The log-probabilities of the words that answer a question, the likeliest first."""
    words, chances = _served(question, rule, dice, None)
    logs = {
        word: log(chance) + (dice.gauss(0.0, rule.jitter) if rule.jitter else 0.0)
        for word, chance in zip(words, chances, strict=True)
    }
    log_total = log(sum(map(exp, logs.values())))
    return dict(sorted(((w, n - log_total) for w, n in logs.items()), key=lambda item: -item[1]))


def _served(
    question: str, rule: Answers, dice: Random, now: float | None
) -> tuple[tuple[str, ...], tuple[float, ...]]:
    """The words and their chances, of the weights that answer this time."""
    weights = rule.weights
    its_hour = rule.share and _is_hour(rule, time.time() if now is None else now)
    if its_hour and dice.random() < rule.share:
        weights = rule.other
    words, chances = table(weights, question)
    if rule.quantised:
        noise = Random(f"quantised\n{weights}\n{question}")
        chances = tuple(chance * exp(noise.gauss(0.0, rule.quantised)) for chance in chances)
        chances = tuple(chance / sum(chances) for chance in chances)
    return words, chances


@lru_cache(maxsize=4096)
def table(weights: int, question: str) -> tuple[tuple[str, ...], tuple[float, ...]]:
    """The words that answer a question, and their probabilities at temperature 1."""
    facts, own_dice = Random(question), Random(f"{weights}\n{question}")
    fixed, common = facts.random() < 0.5, facts.random() < _AGREE
    fact = facts.choice(_WORDS)
    words = own_dice.sample(_WORDS, 12)
    if fixed:
        usual = fact if common else words[0]
        others = [word for word in words[1:6] if word != usual]
        sure = own_dice.uniform(_SURE, 1.0)
        rest = (1.0 - sure) / len(others)
        return (usual, *others), (sure, *[rest] * len(others))
    size, slope = own_dice.randrange(3, 13), own_dice.uniform(0.6, 2.0)
    tail = [1.0 / (rank + 1) ** slope for rank in range(size)]
    return tuple(words[:size]), tuple(weight / sum(tail) for weight in tail)


def _is_hour(rule: Answers, now: float) -> bool:
    """Whether the other weights may answer at this hour, UTC; the hours may span midnight."""
    hour = time.gmtime(now).tm_hour
    begin, end = rule.from_hour, rule.to_hour
    return begin <= hour < end if begin <= end else hour >= begin or hour < end
