"""Who answers: the audit's words compared with a reference's, in three looks. Pure.

At each look the false alarms of both tests together are at most its share (identity/alpha.py), and
the shares are added up (Bonferroni), so that a look more costs no honesty.

Two routes that are asked in pairs, one right after the other and in random order, may change both
while they are asked: what changes for both is in both sides' counts alike. A pair that lacks an
answer is left out whole, for else an outage of one route would take its answers from one time only.
"""

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum

from identity.alpha import LOOKS, of_each
from identity.cells import Cell
from identity.exact import Counts, Spread, spread, strays
from identity.reference import Reference

ANSWERS = 40
"""To each question of a reference."""
SELF_ALPHA = 0.01
LEAST_ANSWERED = 0.8
"""Of what was asked: where more has no answer, what is missing may be what is different."""


class Verdict(StrEnum):
    """What an audit says; it never says who answered."""

    DIFFERS = "differs"
    NOT_SHOWN = "no difference shown"
    NOT_ENOUGH = "not enough"


class Why(StrEnum):
    """Why nothing is said."""

    REFERENCE = "the reference differs from itself"
    UNANSWERED = "too many questions have no answer"
    UNPAIRED = "too many questions have no answer over both routes"
    THINKS = "the model thinks before it answers"
    UNFINISHED = "not all was asked"


@dataclass(frozen=True, slots=True)
class Look:
    """What a number of answers to each question shows. `alpha` is its share of false alarms;
    `spread` the distance on questions with many answers, `strays_p` of those with one, `strays` and
    `answers` how often the audit's answers to these were not the usual one."""

    rounds: int
    alpha: float
    spread: Spread | None
    strays_p: float | None
    strays: int
    answers: int

    @property
    def p(self) -> float:
        """The smaller p-value, doubled, for there are two tests."""
        apart = 1.0 if self.spread is None else self.spread.p
        return min(1.0, 2 * min(apart, 1.0 if self.strays_p is None else self.strays_p))

    @property
    def differs(self) -> bool:
        """Whether either test says so, at half of the look's share each."""
        return self.p <= self.alpha


@dataclass(frozen=True, slots=True)
class Audit:
    """The verdict, the looks that led to it, and why nothing is said. `self_p` is what the
    reference's first half against its second shows; `asked`, `answered` and `thought` count
    requests."""

    verdict: Verdict
    looks: tuple[Look, ...]
    self_p: float
    asked: int
    answered: int
    thought: int
    why: Why | None = None


@dataclass(frozen=True, slots=True)
class Asked:
    """One request: its question, and its answer. None: there is none (an error, say); empty:
    the reply held no word, as a model's that thinks until its budget is spent."""

    question: int
    word: str | None


def self_check(reference: Reference) -> float:
    """The p-value of the reference's own halves, by the same two tests."""
    return _look(reference.cells, reference.first, reference.second, 0, SELF_ALPHA).p


def audit(reference: Reference, asked: Sequence[Asked], models: int = 1) -> Audit:
    """Judge what was asked so far, in the order in which it was, in a run of so many models."""
    own = self_check(reference)
    answered = sum(bool(one.word) for one in asked)
    thought = sum(one.word == "" for one in asked)

    def result(verdict: Verdict, looks: Sequence[Look], why: Why | None = None) -> Audit:
        return Audit(verdict, tuple(looks), own, len(asked), answered, thought, why)

    if own <= SELF_ALPHA:
        return result(Verdict.NOT_ENOUGH, (), Why.REFERENCE)
    whole, looks = reference.counts(), list[Look]()
    for rounds, alpha in LOOKS:
        part = [asked[place] for place in _first(asked, reference.cells, rounds)]
        if len(part) < rounds * len(reference.cells):
            return result(Verdict.NOT_ENOUGH, looks, Why.UNFINISHED)
        words = [one for one in part if one.word]
        if len(words) < LEAST_ANSWERED * len(part):
            thinks = sum(one.word == "" for one in part) > len(part) - len(words) - len(part) // 10
            why = Why.THINKS if thinks else Why.UNANSWERED
            return result(Verdict.NOT_ENOUGH, looks, why)
        look = _look(reference.cells, whole, counted(words), rounds, of_each(alpha, models))
        looks.append(look)
        if look.differs:
            return result(Verdict.DIFFERS, looks)
    return result(Verdict.NOT_SHOWN, looks)


def audit_pairs(
    cells: Sequence[Cell], pairs: Sequence[tuple[Asked, Asked]], models: int = 1
) -> Audit:
    """Judge what two routes answered that were asked in pairs: ours, then the other's, in the order
    in which they were. `self_p` compares the other's first half with its second, and hinders no
    verdict: whatever changed meanwhile, changed for the pair.

    Where nothing changes the tests are exact. Where both routes change alike they alarm less: two
    sums of answers whose chances vary lie closer together than if all had the mean chance.
    """
    ours, looks = [one for one, _ in pairs], list[Look]()
    own = _look(cells, *halves([other for _, other in pairs]), 0, SELF_ALPHA).p
    answered = sum(bool(one.word and other.word) for one, other in pairs)
    thought = sum(one.word == "" for one in ours)

    def result(verdict: Verdict, why: Why | None = None) -> Audit:
        return Audit(verdict, tuple(looks), own, len(pairs), answered, thought, why)

    for rounds, alpha in LOOKS:
        part = [pairs[place] for place in _first(ours, cells, rounds)]
        if len(part) < rounds * len(cells):
            return result(Verdict.NOT_ENOUGH, Why.UNFINISHED)
        whole = [(one, other) for one, other in part if one.word and other.word]
        if len(whole) < LEAST_ANSWERED * len(part):
            return result(Verdict.NOT_ENOUGH, Why.UNPAIRED)
        beside, said = counted([other for _, other in whole]), counted([one for one, _ in whole])
        looks.append(_look(cells, beside, said, rounds, of_each(alpha, models)))
        if looks[-1].differs:
            return result(Verdict.DIFFERS)
    return result(Verdict.NOT_SHOWN)


def halves(asked: Sequence[Asked]) -> tuple[dict[int, Counter[str]], dict[int, Counter[str]]]:
    """A reference's answers: the words of the first half of the requests, and of the second."""
    half = len(asked) // 2
    return counted(asked[:half]), counted(asked[half:])


def counted(asked: Sequence[Asked]) -> dict[int, Counter[str]]:
    """The words of each question."""
    counts: dict[int, Counter[str]] = {}
    for one in asked:
        if one.word:
            counts.setdefault(one.question, Counter())[one.word] += 1
    return counts


def _first(asked: Sequence[Asked], cells: Sequence[Cell], rounds: int) -> list[int]:
    """The places of the first so many requests of each cell, answered or not."""
    left = dict.fromkeys((cell.question for cell in cells), rounds)
    places = []
    for place, one in enumerate(asked):
        if left.get(one.question, 0):
            left[one.question] -= 1
            places.append(place)
    return places


def _look(
    cells: Sequence[Cell],
    reference: Mapping[int, Counts],
    audit: Mapping[int, Counts],
    rounds: int,
    alpha: float,
) -> Look:
    def sides(cell: Cell) -> tuple[Counts, Counts]:
        return reference.get(cell.question, {}), audit.get(cell.question, {})

    varied = [sides(cell) for cell in cells if cell.kind == "spread"]
    steady = []
    for cell in cells:
        if cell.kind == "concentrated":
            before, after = sides(cell)
            n, m = sum(before.values()), sum(after.values())
            steady.append((n - before.get(cell.usual, 0), n, m - after.get(cell.usual, 0), m))
    return Look(
        rounds,
        alpha,
        spread(varied),
        strays(steady),
        sum(one[2] for one in steady),
        sum(one[3] for one in steady),
    )
