"""What a run could have shown: the smallest detectable share and effect. Pure.

Nothing is shown by a test that could have shown nothing; so each "no difference" names these.
"""

from bisect import bisect_right
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import accumulate
from random import Random
from statistics import NormalDist

from identity.alpha import LOOKS, of_each
from identity.exact import Counts, chances_of, steps
from identity.reference import Reference
from identity.tail import POWER, at_least, critical, fisher

SHARED = 0.3
"""Of the fixed answers, those that another model is taken to give alike."""
_DRAWS = 200


@dataclass(frozen=True, slots=True)
class Detectable:
    """Shares, 0 to 1; None: no share of the kind would have been shown.

    `swapped`: of answers that another model gives, which shares SHARED of the fixed answers.
    `moved`: of answers to open questions that come out otherwise (the total variation).
    """

    swapped: float | None
    moved: float | None


def detectable(reference: Reference, models: int = 1) -> Detectable:
    """What all three looks would have shown with 90 %, by the reference's own answers; by the last
    look alone, so that it is rather too much than too little."""
    rounds, share = LOOKS[-1]
    alpha = of_each(share, models) / 2
    return Detectable(swapped(reference, rounds, alpha), moved(reference, rounds, alpha))


def swapped(reference: Reference, rounds: int, alpha: float) -> float | None:
    """The smallest share of answers from elsewhere that Fisher's test would show."""
    counts, cells = reference.counts(), [c for c in reference.cells if c.kind == "concentrated"]
    answers = sum(sum(counts[cell.question].values()) for cell in cells)
    if not cells or not answers:
        return None
    stray = answers - sum(counts[cell.question][cell.usual] for cell in cells)
    requests = rounds * len(cells)
    needed = critical(lambda k: fisher(stray, answers, k, requests), requests, alpha)
    if needed is None:
        return None
    stray_rate = (stray + 0.5) / (answers + 1)
    for percent in range(1, 101):
        share = percent / 100
        rate = (1 - share) * stray_rate + share * (1 - SHARED)
        if at_least(needed, requests, rate) >= POWER:
            return share
    return None


def moved(reference: Reference, rounds: int, alpha: float) -> float | None:
    """The smallest share of answers that come out as another word that the permutation test would
    show, by seeded draws."""
    counts = [
        words for cell in reference.cells
        if cell.kind == "spread" and (words := reference.counts()[cell.question])
    ]  # fmt: skip
    if not counts:
        return None
    dice = Random(0)
    for percent in range(5, 101, 5):
        share = percent / 100
        audits = [[_draw(one, rounds, share, dice) for one in counts] for _ in range(_DRAWS)]
        needed = _critical(counts, audits[0], alpha)
        detected = sum(
            sum(steps(one, moved_words) for one, moved_words in zip(counts, audit, strict=True))
            >= needed
            for audit in audits
        )
        if detected >= POWER * _DRAWS:
            return share
    return None


def _critical(counts: Sequence[Counts], audits: Sequence[Counts], alpha: float) -> float:
    """The distance, in steps, that the permutation test takes: by its mean and variance.

    The sum over questions is near enough to normal for a statement of power; verdicts are exact.
    """
    mean = variance = 0.0
    for one, audit in zip(counts, audits, strict=True):
        chances = chances_of(one, audit)
        expected = sum(step * chance for step, chance in chances.items())
        mean += expected
        variance += sum((step - expected) ** 2 * chance for step, chance in chances.items())
    return mean + NormalDist().inv_cdf(1 - alpha) * float(variance**0.5)


def _draw(one: Counts, rounds: int, share: float, dice: Random) -> Counter[str]:
    """Answers of the reference's distribution, but for a share that is another word."""
    words, weights = [*one], [*accumulate(one.values())]
    answers: Counter[str] = Counter()
    for _ in range(rounds):
        moved_away = dice.random() < share
        word = words[bisect_right(weights, dice.random() * weights[-1])]
        answers["(another)" if moved_away else word] += 1
    return answers
