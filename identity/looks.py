"""Who answers: the audit's words compared with a reference's, in three looks. Pure.

At each look the false alarms of both tests together are at most its share (identity/alpha.py), and
the shares are added up (Bonferroni), so that a look more costs no honesty.

Two routes that are asked in pairs, one right after the other and in random order, may change both
while they are asked: what changes for both is in both sides' counts alike. A pair that lacks an
answer is left out whole, for else an outage of one route would take its answers from one time only.

Where no open question ever gets a second answer, each reply may be the first one again (a cache
that gives it a new id): then one answer to each question is compared, and no more.
"""

from collections import Counter
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum

from identity.alpha import LOOKS, of_each
from identity.cells import Cell, enough, unfiltered
from identity.exact import Counts, Spread, spread, strays
from identity.reference import Reference

ANSWERS = 40
"""To each question of a reference."""
SELF_ALPHA = 0.01
LEAST_ANSWERED = 0.8
"""Of what was asked: where more has no answer, what is missing may be what is different."""


_HARDLY = 0.001  # the chance of answers that are all alike, below which they were not drawn


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
    FILTERED = "a content filter withholds too many answers"
    REPEATED = "no open question gets a second answer"


@dataclass(frozen=True, slots=True)
class Look:
    """What a number of answers to each question shows. `alpha` is its share of false alarms;
    `spread` the distance on questions with many answers, `strays_p` of those with one, `strays` and
    `answers` how often the audit's answers to these were not the usual one, `before` and `whole`
    the reference's."""

    rounds: int
    alpha: float
    spread: Spread | None
    strays_p: float | None
    strays: int
    answers: int
    before: int
    whole: int

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
    requests; `filtered` are the questions that are left out because of a content filter."""

    verdict: Verdict
    looks: tuple[Look, ...]
    self_p: float
    asked: int
    answered: int
    thought: int
    why: Why | None = None
    filtered: frozenset[int] = frozenset()


@dataclass(frozen=True, slots=True)
class Asked:
    """One request: its question, and its answer. None: there is none (an error, say); empty:
    the reply held no word, as a model's that thinks until its budget is spent."""

    question: int
    word: str | None


def self_check(reference: Reference) -> float:
    """The p-value of the reference's own halves, by the same two tests."""
    sides = reference.first, reference.second
    return _compare(unfiltered(reference.cells, *sides), *sides, 0, SELF_ALPHA).p


def audit(reference: Reference, requests: Sequence[Asked], models: int = 1) -> Audit:
    """Judge what was asked so far, in the order in which it was, in a run of so many models."""
    self_p, reference_counts = self_check(reference), reference.counts()
    looks, left_out = list[Look](), set[int]()

    def result(verdict: Verdict, why: Why | None = None) -> Audit:
        return _audit(verdict, why, looks, left_out, self_p, requests, requests)

    if self_p <= SELF_ALPHA:
        return result(Verdict.NOT_ENOUGH, Why.REFERENCE)
    for rounds, alpha in LOOKS:
        part = [requests[place] for place in _first(requests, reference.cells, rounds)]
        if len(part) < rounds * len(reference.cells):
            return result(Verdict.NOT_ENOUGH, Why.UNFINISHED)
        words = [one for one in part if one.word]
        if len(words) < LEAST_ANSWERED * len(part):
            thinks = sum(one.word == "" for one in part) > len(part) - len(words) - len(part) // 10
            return result(Verdict.NOT_ENOUGH, Why.THINKS if thinks else Why.UNANSWERED)
        share = of_each(alpha, models)
        ended = _compared(reference.cells, reference_counts, words, rounds, share, looks, left_out)
        if ended is not None:
            return result(*ended)
    return result(Verdict.NOT_SHOWN)


def audit_pairs(
    cells: Sequence[Cell], pairs: Sequence[tuple[Asked, Asked]], models: int = 1
) -> Audit:
    """Judge what two routes answered that were asked in pairs: ours, then the other's, in the order
    in which they were. `self_p` compares the other's first half with its second, and hinders no
    verdict: whatever changed meanwhile, changed for the pair.

    Where nothing changes the tests are exact. Where both routes change alike they alarm less: two
    sums of answers whose chances vary lie closer together than if all had the mean chance.
    """
    ours, theirs = [one for one, _ in pairs], [other for _, other in pairs]
    looks, left_out, sides = list[Look](), set[int](), halves(theirs)
    self_p = _compare(unfiltered(cells, *sides), *sides, 0, SELF_ALPHA).p
    both = [one for one, other in pairs if one.word and other.word]

    def result(verdict: Verdict, why: Why | None = None) -> Audit:
        return _audit(verdict, why, looks, left_out, self_p, ours, both)

    for rounds, alpha in LOOKS:
        part = [pairs[place] for place in _first(ours, cells, rounds)]
        if len(part) < rounds * len(cells):
            return result(Verdict.NOT_ENOUGH, Why.UNFINISHED)
        answered_pairs = [(one, other) for one, other in part if one.word and other.word]
        if len(answered_pairs) < LEAST_ANSWERED * len(part):
            return result(Verdict.NOT_ENOUGH, Why.UNPAIRED)
        beside, our_answers = (
            counted([other for _, other in answered_pairs]),
            [one for one, _ in answered_pairs],
        )
        share = of_each(alpha, models)
        if (
            ended := _compared(cells, beside, our_answers, rounds, share, looks, left_out)
        ) is not None:
            return result(*ended)
    return result(Verdict.NOT_SHOWN)


def _audit(
    verdict: Verdict,
    why: Why | None,
    looks: Sequence[Look],
    left_out: Collection[int],
    self_p: float,
    requests: Sequence[Asked],
    answered: Sequence[Asked],
) -> Audit:
    return Audit(
        verdict,
        tuple(looks),
        self_p,
        len(requests),
        sum(bool(one.word) and one.question not in left_out for one in answered),
        sum(one.word == "" for one in requests),
        why,
        frozenset(left_out),
    )


def _compared(
    cells: Sequence[Cell],
    reference: Mapping[int, Counts],
    words: Sequence[Asked],
    rounds: int,
    alpha: float,
    looks: list[Look],
    left_out: set[int],
) -> tuple[Verdict, Why | None] | None:
    """Add a look to `looks`, and to `left_out` the questions that a filter takes part in; what ends
    the audit, or None."""
    answers = counted(words)
    usable = unfiltered(cells, reference, answers)
    left_out |= {cell.question for cell in cells} - {cell.question for cell in usable}
    if not enough(usable):
        return Verdict.NOT_ENOUGH, Why.FILTERED
    repeated = _repeated(usable, reference, answers)
    if repeated:
        answers = counted([*{one.question: one for one in reversed(words)}.values()])
    looks.append(_compare(usable, reference, answers, rounds, alpha))
    if looks[-1].differs:
        return Verdict.DIFFERS, None
    return (Verdict.NOT_ENOUGH, Why.REPEATED) if repeated else None


def _repeated(
    cells: Sequence[Cell], reference: Mapping[int, Counts], answers_of: Mapping[int, Counts]
) -> bool:
    """Whether each open question has one answer only, although the reference's vary."""
    chance = 1.0
    for cell in cells:
        if cell.kind == "spread":
            words, before = answers_of.get(cell.question, {}), reference.get(cell.question, {})
            if len(words) != 1 or not before:
                return False
            answers, before_in_all = sum(words.values()), sum(before.values())
            chance *= sum((n / before_in_all) ** answers for n in before.values())
    return chance <= _HARDLY


def halves(requests: Sequence[Asked]) -> tuple[dict[int, Counter[str]], dict[int, Counter[str]]]:
    """A reference's answers: the words of the first half of the requests, and of the second."""
    half = len(requests) // 2
    return counted(requests[:half]), counted(requests[half:])


def counted(requests: Sequence[Asked]) -> dict[int, Counter[str]]:
    """The words of each question."""
    counts: dict[int, Counter[str]] = {}
    for one in requests:
        if one.word:
            counts.setdefault(one.question, Counter())[one.word] += 1
    return counts


def _first(requests: Sequence[Asked], cells: Sequence[Cell], rounds: int) -> list[int]:
    """The places of the first so many requests of each cell, answered or not."""
    still_to_take = dict.fromkeys((cell.question for cell in cells), rounds)
    places = []
    for place, one in enumerate(requests):
        if still_to_take.get(one.question, 0):
            still_to_take[one.question] -= 1
            places.append(place)
    return places


def _compare(
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
        sum(one[0] for one in steady),
        sum(one[1] for one in steady),
    )
