"""Whether the same weights answer: the first token's log-probabilities, beside a reference's. Pure.

The statistic is that of Chauvin et al. (arXiv 2512.03816): the mean absolute difference of the mean
log-probabilities, a token that is missing taken at its row's least. Hardware and batches move them
a little in any case, so a difference must be more than chance and more than is tolerated.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from enum import StrEnum
from random import Random
from statistics import fmean

from identity import alpha
from identity.first_token import Row, Stated
from identity.looks import Verdict

TOLERATED_NATS, TOLERATED_TIMES = 0.05, 3
"""Of difference: at least so much, and so many times that of the reference's own halves."""
LEAST_LOGPROB = -5.0
"""Tokens that are rarer in every row are left out: rounding moves them most."""
FRESH_S = 6 * 3600
_SHUFFLES = 1999


class Why(StrEnum):
    """Why nothing is said."""

    ABSENT = "the gateway states no log-probabilities"
    UNASKED = "the reference has none"
    PROMPT = "the prompts are not the reference's"
    OLD = "they differ, as those of another day may"


@dataclass(frozen=True, slots=True)
class Weights:
    """`gap`: the difference, nats; `tolerated` as well; `smallest`: the gap that would have shown;
    `rows` of `asked` replies have log-probabilities."""

    verdict: Verdict
    rows: int
    asked: int
    why: Why | None = None
    gap: float | None = None
    tolerated: float | None = None
    p: float | None = None
    smallest: float | None = None


def judge(
    reference: Stated | None,
    stated: Stated,
    requests: int,
    *,
    same_prompts: bool = True,
    fresh: bool = True,
    models: int = 1,
) -> Weights:
    """`same_prompts`: whether both routes are known to add nothing, or the same, to a prompt.
    `fresh`: whether the reference is a few hours old at most, for a chat template that states the
    date moves log-probabilities from day to day, and nothing outside shows it.

    The shuffles of one model cannot show the share of each of several: where they leave no doubt,
    so many times as many are drawn.
    """
    rows = sum(map(len, stated.rows))
    if reference is None or not reference.enough:
        return Weights(Verdict.NOT_ENOUGH, rows, requests, Why.UNASKED)
    if not stated.enough:
        return Weights(Verdict.NOT_ENOUGH, rows, requests, Why.ABSENT)
    if not same_prompts:
        return Weights(Verdict.NOT_ENOUGH, rows, requests, Why.PROMPT)
    pairs = [*zip(reference.rows, stated.rows, strict=True)]
    halves = [(one[: len(one) // 2], one[len(one) // 2 :]) for one in reference.rows]
    tolerated = max(TOLERATED_NATS, TOLERATED_TIMES * _gap([_vectors(*half) for half in halves]))
    vectors = [_vectors(*pair) for pair in pairs]
    gap = _gap(vectors)
    share = alpha.of_each(alpha.LOGPROBS, models)
    shuffled = sorted(_shuffled(vectors, Random(n)) for n in range(_SHUFFLES))
    if models > 1 and gap > tolerated and _p(gap, shuffled) <= alpha.LOGPROBS:
        more = range(_SHUFFLES, (1 + _SHUFFLES) * models - 1)
        shuffled = sorted([*shuffled, *(_shuffled(vectors, Random(n)) for n in more)])
    p = _p(gap, shuffled)
    differs = p <= share and gap > tolerated
    if differs and not fresh:
        return Weights(Verdict.NOT_ENOUGH, rows, requests, Why.OLD, gap, tolerated, p)
    chance = shuffled[-max(1, int(share * len(shuffled)))]
    return Weights(
        Verdict.DIFFERS if differs else Verdict.NOT_SHOWN,
        rows, requests, None, gap, tolerated, p, max(tolerated, chance),
    )  # fmt: skip


def _p(gap: float, shuffled: Sequence[float]) -> float:
    return (1 + sum(one >= gap - 1e-12 for one in shuffled)) / (1 + len(shuffled))


Vectors = tuple[list[list[float]], int]
"""Rows of log-probabilities by token, and how many of them are the first side's."""


def _vectors(first: Sequence[Row], second: Sequence[Row]) -> Vectors:
    """Both sides' rows cut to as many tokens as each has, and put in one order of tokens."""
    rows = [sorted(row.items(), key=lambda item: (-item[1], item[0])) for row in (*first, *second)]
    least = min(map(len, rows), default=0)
    cut = [dict(row[:least]) for row in rows]
    tokens = sorted({token for row in cut for token in row if row[token] >= LEAST_LOGPROB})
    return [[row.get(token, min(row.values())) for token in tokens] for row in cut], len(first)


def _gap(vectors: Sequence[Vectors]) -> float:
    return fmean(_between(rows, range(first)) for rows, first in vectors)


def _between(rows: Sequence[Sequence[float]], first: Sequence[int]) -> float:
    """The mean absolute difference of the mean rows of both sides."""
    one, other = len(first), len(rows) - len(first)
    if not one or not other or not rows[0]:
        return 0.0
    sums = [sum(column) for column in zip(*(rows[n] for n in first), strict=True)]
    totals = [sum(column) for column in zip(*rows, strict=True)]
    return fmean(abs(a / one - (b - a) / other) for a, b in zip(sums, totals, strict=True))


def _shuffled(vectors: Sequence[Vectors], dice: Random) -> float:
    """The gap where each prompt's rows are dealt out to the sides at random."""
    return fmean(_between(rows, dice.sample(range(len(rows)), first)) for rows, first in vectors)
