"""Samples a reply's tokens: temperature, top_p, seed, logit_bias and logprobs over a fixed table.

At each place of a reply the candidates are the text's own next token and the table's seven words.
At the start of a reply that is not dictated, only the table's words are candidates, and the word
drawn decides which sentence follows. So the distribution is known at every place, whatever was
drawn before.

    logit = 40        the next token of a dictated text: no other is ever drawn
            4.5       the next token of free prose: probability 0.80 at temperature 1
            2.0, ...  the table's words
            -10       any other token that `logit_bias` names; biases are added to all of these
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from functools import cache
from math import exp, log
from random import Random
from typing import Any

from simulator import replies, tokens

_DICTATED, _FREE, _OTHER = 40.0, 4.5, -10.0
_TABLE = (2.0, 1.6, 1.2, 0.9, 0.6, 0.3, 0.0)  # the first words of the prose's sentences


@dataclass(frozen=True, slots=True)
class Sampling:
    """The sampling settings of a request."""

    temperature: float = 1.0
    top_p: float = 1.0
    seed: int | None = None
    logit_bias: Mapping[int, float] = field(default_factory=dict)
    logprobs: bool = False
    top_logprobs: int = 0

    @property
    def trivial_where_dictated(self) -> bool:
        """Whether a dictated text comes out unchanged and without its probabilities."""
        return not self.logprobs and not self.logit_bias


@dataclass(frozen=True, slots=True)
class Sample:
    """The tokens of a reply; `logprobs` has one entry per token if they were requested."""

    ids: tuple[int, ...]
    logprobs: Sequence[dict[str, Any]] | None


def free(count: int, sampling: Sampling, dice: Random) -> Sample:
    """`count` tokens of prose."""
    ids, starts = replies.sentences(replies.PROSE)
    first = _Place({**_table()}, sampling)
    begin = first.draw(dice)
    start = next((start for start in starts if ids[start] == begin), 0)
    rest = (ids * ((start + count) // len(ids) + 1))[start + 1 : start + count]
    return _sample([(first, begin)], rest, _FREE, sampling, dice)


def dictated(ids: Sequence[int], sampling: Sampling, dice: Random) -> Sample:
    """The tokens of a dictated text, except where `logit_bias` forbids or forces others."""
    return _sample([], ids, _DICTATED, sampling, dice)


def _sample(
    begun: list[tuple["_Place", int]],
    rest: Sequence[int],
    logit: float,
    sampling: Sampling,
    dice: Random,
) -> Sample:
    places = begun
    for number in rest:
        place = _Place({**_table(), number: logit}, sampling)
        places.append((place, place.draw(dice)))
    ids = tuple(number for _, number in places)
    if not sampling.logprobs:
        return Sample(ids, None)
    return Sample(ids, _entries(places, replies.token_texts(ids), sampling.top_logprobs))


def _entries(
    places: list[tuple["_Place", int]], texts: list[str], top: int
) -> list[dict[str, Any]] | None:
    if len(texts) != len(places):  # the pieces of a character with several tokens have no text
        places = places[: len(texts)]
    entries = []
    for (place, number), text in zip(places, texts, strict=True):
        best = sorted(place.logprobs.items(), key=lambda item: -item[1])[:top]
        top_entries = [_entry(text if i == number else _text(i), value) for i, value in best]
        entries.append(_entry(text, place.logprobs[number]) | {"top_logprobs": top_entries})
    return entries


def of_word(likeliest: Mapping[str, float], word: str, top: int) -> dict[str, Any]:
    """The entry of a token that is a whole word, and what else might have been it."""
    logprob = likeliest.get(word, min(likeliest.values()))
    top_entries = [_entry(text, value) for text, value in [*likeliest.items()][:top]]
    return _entry(word, logprob) | {"top_logprobs": top_entries}


def _entry(text: str, logprob: float) -> dict[str, Any]:
    return {"token": text, "logprob": logprob, "bytes": [*text.encode("utf-8", "replace")]}


def _text(number: int) -> str:
    return "".join(tokens.pieces((number,)))


class _Place:
    """The distribution at one place, after biases and temperature."""

    def __init__(self, logits: dict[int, float], sampling: Sampling) -> None:
        for number, bias in sampling.logit_bias.items():
            logits[number] = logits.get(number, _OTHER) + bias
        # Greedy decoding has no temperature to divide by; its logprobs are those of temperature 1.
        heat = sampling.temperature or 1.0
        most = max(logits.values())
        log_total = log(sum(exp((logit - most) / heat) for logit in logits.values()))
        self.logprobs = {n: (logit - most) / heat - log_total for n, logit in logits.items()}
        self._greedy = sampling.temperature == 0
        self._top_p = sampling.top_p

    def draw(self, dice: Random) -> int:
        ranked = sorted(self.logprobs.items(), key=lambda item: -item[1])
        if self._greedy:
            return ranked[0][0]
        nucleus, mass = [], 0.0
        for number, logprob in ranked:
            nucleus.append((number, exp(logprob)))
            mass += exp(logprob)
            if mass >= self._top_p:
                break
        point = dice.random() * mass
        for number, share in nucleus:
            point -= share
            if point <= 0:
                return number
        return nucleus[-1][0]


@cache
def _table() -> dict[int, float]:
    """The tokens that sentences of the prose begin with, and their logits."""
    ids, starts = replies.sentences(replies.PROSE)
    return dict(zip(dict.fromkeys(ids[start] for start in starts), _TABLE, strict=False))
