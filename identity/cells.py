"""Which questions distinguish models: cells, chosen without using the reference's answers. Pure.

Chosen and measured by the same answers, a question that was lucky once would look changed later:
an honest endpoint would be taken for a mixed one.
"""

from collections import Counter
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from math import log2
from typing import Literal

from identity.word import FILTERED

Kind = Literal["spread", "concentrated"]
CHOOSING, MOST, LEAST = 10, 12, 4
"""Answers to each question by which it is chosen; cells of each kind, at most and at least."""
LEAST_ANSWERS = 8
LEAST_BITS, MOST_BITS = 0.5, 3.0
OF_ALL = 3
"""A word that is always given to so many questions answers none of them: it begins every reply of
a model that writes sentences (`The answer is ...`), and another such model begins them alike."""


@dataclass(frozen=True, slots=True)
class Cell:
    """A question that is asked: its number, its kind, and the usual answer when it was chosen."""

    question: int
    kind: Kind
    usual: str


def choose(answers: Mapping[int, Sequence[str]]) -> list[Cell]:
    """Up to 12 cells of each kind: answers of 0.5 to 3 bits, and answers that are all alike.

    A question to which a content filter withholds answers is none of them.
    """
    counts_of = {
        question: Counter(words)
        for question, words in sorted(answers.items())
        if len(words) >= LEAST_ANSWERS and FILTERED not in words
    }
    usual = {question: counts.most_common(1)[0][0] for question, counts in counts_of.items()}
    alike = [question for question, counts in counts_of.items() if len(counts) == 1]
    usual_counts = Counter(usual[question] for question in alike)
    alike = [question for question in alike if usual_counts[usual[question]] < OF_ALL]
    middle = (LEAST_BITS + MOST_BITS) / 2
    varied = sorted(
        (abs(bits - middle), question)
        for question, counts in counts_of.items()
        if LEAST_BITS <= (bits := entropy(counts)) <= MOST_BITS
    )
    return [
        *(Cell(q, "spread", usual[q]) for _, q in varied[:MOST]),
        *(Cell(q, "concentrated", usual[q]) for q in alike[:MOST]),
    ]


def unfiltered(cells: Iterable[Cell], *sides: Mapping[int, Collection[str]]) -> list[Cell]:
    """The cells to which no side has an answer that a content filter withheld: what a filter
    withholds says nothing about the model behind it."""
    return [
        cell for cell in cells if not any(FILTERED in side.get(cell.question, ()) for side in sides)
    ]


def enough(cells: Sequence[Cell]) -> bool:
    """Whether either kind has cells enough to say anything."""
    kinds = Counter(cell.kind for cell in cells)
    return max(kinds.values(), default=0) >= LEAST


def entropy(counts: Mapping[str, int]) -> float:
    """Of answers, bits."""
    total = sum(counts.values())
    return sum(n / total * log2(total / n) for n in counts.values() if n)
