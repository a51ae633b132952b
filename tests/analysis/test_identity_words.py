"""What is said of an audit: numbers of answers, counted here by hand, and why nothing is said."""

from random import Random

from analysis.page.words import Words
from analysis.report.identity_words import answers_sentence
from identity.cells import Cell
from identity.looks import Asked, audit
from identity.reference import Reference
from identity.word import FILTERED
from tests.identity.endpoint import reference

CELLS = [*(Cell(n, "spread", "a") for n in range(4)),
         *(Cell(n, "concentrated", "a") for n in range(4, 10))]  # fmt: skip


def answered(spread: str, fixed: str, rounds: int = 40) -> list[Asked]:
    """Rounds of answers: the words of open questions in turn, one word to all fixed ones."""
    return [
        Asked(cell.question, spread[n % len(spread)] if cell.kind == "spread" else fixed)
        for n in range(rounds)
        for cell in CELLS
    ]


KNOWN: Reference = reference(CELLS, answered("ab", "a"))


def said(answers: list[Asked], lang: str = "en") -> str:
    t = Words("zh" if lang == "zh" else "en")
    return answers_sentence(t, audit(KNOWN, answers), KNOWN, None)


def test_a_difference_is_told_in_numbers_of_answers_here_and_at_the_reference() -> None:
    """At the first look 4 answers to each of 6 fixed questions are strange, of 240 there none."""
    text = said(answered("ab", "z"))
    assert "24 of 24 fixed answers were different (0 of 240 at the reference); about 0% of" in text
    assert "p < 0.0001 at 4 answers per question" in text and "a response cache" in text
    assert "固定答案 24 个中有 24 个不同（参照为 0/240）；" in said(answered("ab", "z"), "zh")


def test_answers_that_never_vary_are_not_judged_and_it_says_why() -> None:
    assert "no question ever got a second answer" in said(answered("a", "a"))
    assert "应答缓存" in said(answered("a", "a"), "zh")


def test_questions_of_a_content_filter_are_counted() -> None:
    dice, answers = Random(1), answered("ab", "a")
    filtered = [
        Asked(one.question, FILTERED) if one.question == 5 and dice.random() < 0.5 else one
        for one in answers
    ]
    assert "1 question is left out, because a content filter withheld answers to it." in said(
        filtered
    )
    everything = said([Asked(one.question, FILTERED) for one in answers])
    assert "a content filter withheld answers to 10 questions" in everything


def test_an_audit_that_asked_nothing_does_not_say_that_no_difference_is_shown() -> None:
    assert said([]) == "answers are not judged: no question was asked."
