"""Simulated endpoints: how often each question is answered with what. The truth of these tests."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from random import Random

from identity import cells
from identity.alpha import LOOKS
from identity.bank import BANK
from identity.cells import Cell, choose
from identity.looks import Asked, Audit, Verdict, audit, counted
from identity.reference import Reference

CHOSEN, ANSWERS = cells.CHOOSING, 40


@dataclass(frozen=True)
class Endpoint:
    """A model by its weights (a number), served at a temperature, some answers from another."""

    weights: int = 1
    temperature: float = 1.0
    other: int = 2
    share: float = 0.0
    errors: float = 0.0

    def answer(self, question: int, dice: Random) -> str | None:
        if dice.random() < self.errors:
            return None
        if dice.random() < self.share:
            return replace(self, weights=self.other, share=0.0, errors=0.0).answer(question, dice)
        words, weights = _answers(self.weights, question)
        heat = [weight ** (1 / self.temperature) for weight in weights]
        return dice.choices(words, heat)[0]


def _answers(model: int, question: int) -> tuple[list[str], list[float]]:
    """A third of the questions have one answer, given in 97 to 100 of 100; others a Zipf tail.

    Two models agree on 3 of 10 fixed answers.
    """
    fixed = Random(f"{question}")
    own = Random(f"{model}/{question}")
    if question % 3 == 0:
        usual = f"fact{question}" if fixed.random() < 0.3 else f"fact{model}-{question}"
        most = own.uniform(0.97, 1.0)
        return [usual, *(f"w{n}" for n in range(5))], [most, *[(1 - most) / 5] * 5]
    size, slope = own.randrange(3, 13), own.uniform(0.6, 2.0)
    words = [f"w{n}" for n in range(20)]
    own.shuffle(words)
    return words[:size], [1 / (rank + 1) ** slope for rank in range(size)]


def asked(endpoint: Endpoint, questions: Sequence[int], rounds: int, dice: Random) -> list[Asked]:
    """So many rounds of questions, and the answers."""
    return [Asked(q, endpoint.answer(q, dice)) for _ in range(rounds) for q in questions]


def said(answers: Sequence[Asked]) -> Mapping[int, list[str]]:
    answers_by_question: dict[int, list[str]] = {}
    for one in answers:
        if one.word:
            answers_by_question.setdefault(one.question, []).append(one.word)
    return answers_by_question


def enrolled(endpoint: Endpoint, dice: Random, *, reused: bool = False) -> Reference:
    """A reference as enrolment makes it; `reused` (the trap):

    of the answers that also chose its questions.
    """
    choosing = asked(endpoint, range(len(BANK)), CHOSEN, dice)
    chosen = choose(said(choosing))
    questions = [cell.question for cell in chosen]
    fresh = asked(endpoint, questions, ANSWERS, dice)
    if reused:
        comparing = [one for one in choosing if one.question in questions]
        fresh = comparing + asked(endpoint, questions, ANSWERS - CHOSEN, dice)
    return reference(chosen, fresh)


def reference(chosen: Sequence[Cell], fresh: Sequence[Asked]) -> Reference:
    half = len(fresh) // 2
    return Reference(
        model="m", host="direct.example", began="2026-11-20T08:00:00+00:00",
        ended="2026-11-20T09:00:00+00:00", cells=tuple(chosen), first=counted(fresh[:half]),
        second=counted(fresh[half:]),
    )  # fmt: skip


def audited(reference: Reference, endpoint: Endpoint, dice: Random) -> tuple[Audit, int]:
    """The audit, asked look by look as the mode does, and the requests it took."""
    questions, sent, before = [cell.question for cell in reference.cells], list[Asked](), 0
    for rounds, _ in LOOKS:
        sent += asked(endpoint, questions, rounds - before, dice)
        before, result = rounds, audit(reference, sent)
        if result.verdict is Verdict.DIFFERS or (result.why and result.why.name != "UNFINISHED"):
            break
    return result, len(sent)
