"""An audit: honest endpoints do not alarm, others do, and too few answers decide nothing."""

from collections import Counter
from dataclasses import replace
from random import Random

import pytest
from scipy.stats import binom

from identity.alpha import LOOKS, WHOLE
from identity.bank import BANK
from identity.cells import Cell, choose
from identity.looks import SELF_ALPHA, Asked, Audit, Verdict, Why, audit, self_check
from identity.power import SHARED, detectable, swapped
from identity.word import FILTERED
from tests.identity.endpoint import Endpoint, asked, audited, enrolled, reference

HONEST = Endpoint()


def verdicts(served: Endpoint, runs: int, seed: int = 0) -> Counter[Verdict]:
    """The verdicts of so many audits of an endpoint, each against its own reference of HONEST."""
    counted: Counter[Verdict] = Counter()
    for number in range(runs):
        dice = Random(f"{seed}/{number}")
        counted[audited(enrolled(HONEST, dice), served, dice)[0].verdict] += 1
    return counted


def test_the_looks_share_less_than_the_audits_one_percent() -> None:
    assert sum(alpha for _, alpha in LOOKS) < WHOLE == SELF_ALPHA == 0.01


@pytest.mark.slow
def test_at_most_10_of_500_honest_audits_alarm() -> None:
    """Five models in turn.

    The level is exact: 500 draws of one percent are at most 10 in 98 of 100 cases, and these
    seeds are fixed.
    """
    alarms = 0
    for number in range(500):
        dice, served = Random(1000 + number), Endpoint(weights=1 + number % 5)
        alarms += audited(enrolled(served, dice), served, dice)[0].verdict is Verdict.DIFFERS
    assert alarms <= 5


@pytest.mark.slow
@pytest.mark.parametrize(
    ("served", "expected"),
    [
        (Endpoint(weights=2), 1.00),
        (Endpoint(share=0.10), 0.94),
        (Endpoint(share=0.05), 0.38),
        (Endpoint(errors=0.10), 0.00),
    ],
)
def test_the_power_of_an_audit_is_that_documented(served: Endpoint, expected: float) -> None:
    """Within the 99.9 % binomial interval of what docs/how-to/identity.md states."""
    runs = 60
    differing = verdicts(served, runs)[Verdict.DIFFERS]
    low, high = binom.interval(0.999, runs, min(max(expected, 0.01), 0.99))
    assert low <= differing <= high


def test_another_model_differs_at_the_first_look() -> None:
    dice = Random(3)
    result, sent = audited(enrolled(HONEST, dice), Endpoint(weights=2), dice)
    assert result.verdict is Verdict.DIFFERS
    assert sent == LOOKS[0][0] * 24


def test_a_tenth_of_failed_requests_is_no_difference() -> None:
    """Refusals and errors are no answers: a busy gateway is not accused."""
    assert verdicts(Endpoint(errors=0.10), 10)[Verdict.NOT_SHOWN] == 10


def outcome(answers: list[Asked]) -> Audit:
    return audit(enrolled(HONEST, Random(1)), answers)


def some(rounds: int) -> list[Asked]:
    cells = enrolled(HONEST, Random(1)).cells
    return asked(HONEST, [cell.question for cell in cells], rounds, Random(2))


def test_fewer_answers_than_one_look_are_not_judged() -> None:
    result = outcome(some(10))
    assert (result.verdict, result.why, len(result.looks)) == (
        Verdict.NOT_ENOUGH,
        Why.UNFINISHED,
        1,
    )


def test_an_audit_with_many_refusals_is_not_judged() -> None:
    with_refusals = [
        replace(one, word=None) if i % 3 == 0 else one for i, one in enumerate(some(40))
    ]
    assert (outcome(with_refusals).verdict, outcome(with_refusals).why) == (
        Verdict.NOT_ENOUGH,
        Why.UNANSWERED,
    )


def test_a_model_that_answers_only_with_reasoning_is_not_judged() -> None:
    result = outcome([replace(one, word="") for one in some(4)])
    assert (result.verdict, result.why) == (Verdict.NOT_ENOUGH, Why.THINKS)


def test_a_reference_that_differs_from_itself_is_not_used() -> None:
    """Its first half is of one model, its second half of another."""
    cells = enrolled(HONEST, Random(1)).cells
    questions = [cell.question for cell in cells]
    mixed = reference(
        cells,
        [*asked(HONEST, questions, 20, Random(2)),
         *asked(Endpoint(weights=2), questions, 20, Random(3))],
    )  # fmt: skip
    assert self_check(mixed) <= SELF_ALPHA
    result = audit(mixed, asked(Endpoint(weights=2), questions, 40, Random(4)))
    assert (result.verdict, result.why) == (Verdict.NOT_ENOUGH, Why.REFERENCE)


def test_questions_are_chosen_by_how_varied_their_answers_are() -> None:
    answers = {
        0: ["a"] * 10,
        1: ["a", "b"] * 5,
        2: [*"abcdefghij"],
        3: ["a"] * 7,
        4: ["a"] * 9 + ["b"],
    }
    assert choose(answers) == [Cell(1, "spread", "a"), Cell(0, "concentrated", "a")]


@pytest.mark.long
def test_the_smallest_share_that_an_audit_names_is_detected() -> None:
    """In nine of ten audits, while half of it is not."""
    known = enrolled(HONEST, Random(1))
    share = detectable(known).swapped
    assert share is not None and 0.03 <= share <= 0.15
    differing = sum(
        audited(known, Endpoint(share=share), Random(seed))[0].verdict is Verdict.DIFFERS
        for seed in range(40)
    )
    assert differing >= 30


def test_no_smallest_share_is_named_without_fixed_answers() -> None:
    known = enrolled(HONEST, Random(1))
    spread = tuple(cell for cell in known.cells if cell.kind == "spread")
    assert swapped(replace(known, cells=spread), 40, 0.0025) is None
    assert SHARED == 0.3


def test_all_questions_of_the_bank_are_different() -> None:
    assert len({*BANK}) == len(BANK) == 60


def withheld(answers: list[Asked], questions: set[int], share: float, dice: Random) -> list[Asked]:
    """The answers, but for those to some questions that a content filter withholds."""
    return [
        replace(one, word=FILTERED) if one.question in questions and dice.random() < share else one
        for one in answers
    ]


@pytest.mark.parametrize("share", [0.2, 1.0])
def test_a_content_filter_is_not_taken_for_another_model(share: float) -> None:
    """Six of 24 questions are left out whole; so is nothing else, and another model still differs.
    The power that is named is that of the other questions."""
    known = enrolled(HONEST, Random(1))
    questions = [cell.question for cell in known.cells]
    refused, dice = {*questions[::4]}, Random(5)
    honest = audit(known, withheld(asked(HONEST, questions, 40, dice), refused, share, dice))
    assert (honest.verdict, honest.filtered) == (Verdict.NOT_SHOWN, refused)
    assert honest.answered == 40 * (len(questions) - len(refused))
    other = asked(Endpoint(weights=2), questions, 40, dice)
    assert audit(known, withheld(other, refused, share, dice)).verdict is Verdict.DIFFERS
    everything = audit(known, withheld(asked(HONEST, questions, 40, dice), {*questions}, 1.0, dice))
    assert (everything.verdict, everything.why) == (Verdict.NOT_ENOUGH, Why.FILTERED)


def test_a_filter_at_the_reference_leaves_its_questions_out_too() -> None:
    known = enrolled(HONEST, Random(1))
    first = {q: Counter(counts) for q, counts in known.first.items()}
    first[known.cells[0].question] = Counter({FILTERED: 20})
    result = audit(
        replace(known, first=first),
        asked(HONEST, [cell.question for cell in known.cells], 40, Random(2)),
    )
    assert result.verdict is Verdict.NOT_SHOWN
    assert result.filtered == {known.cells[0].question}


def remembered(served: Endpoint, questions: list[int], dice: Random) -> list[Asked]:
    """A cache that pays no heed to nonces: the first answer to each question, again and again."""
    first = asked(served, questions, 1, dice)
    return first * 40


def test_an_honest_model_behind_a_cache_that_gives_new_ids_is_not_accused() -> None:
    """One answer a question is all that was drawn: of 60 gateways at most 1 (0.15 % is due)."""
    alarms = 0
    for seed in range(60):
        dice, served = Random(f"cache/{seed}"), Endpoint(weights=1 + seed % 5)
        known = enrolled(served, dice)
        result = audit(known, remembered(served, [c.question for c in known.cells], dice))
        assert result.verdict is not Verdict.NOT_SHOWN
        alarms += result.verdict is Verdict.DIFFERS
    assert alarms <= 1


def test_another_model_behind_a_cache_that_gives_new_ids_differs() -> None:
    differing = 0
    for seed in range(20):
        dice = Random(seed)
        known = enrolled(HONEST, dice)
        questions = [cell.question for cell in known.cells]
        result = audit(known, remembered(Endpoint(weights=2), questions, dice))
        differing += result.verdict is Verdict.DIFFERS
    assert differing >= 18


def test_open_questions_that_hardly_vary_are_not_taken_for_repeated_ones() -> None:
    """Four questions with one answer in 95 of 100: four alike are no surprise."""
    cells = [*(Cell(n, "spread", "a") for n in range(4)),
             *(Cell(n, "concentrated", "a") for n in range(4, 8))]  # fmt: skip
    rare = ["a"] * 38 + ["b"] * 2
    fresh = [Asked(cell.question, rare[n] if cell.kind == "spread" else "a")
             for n in range(40) for cell in cells]  # fmt: skip
    known = reference(cells, fresh)
    assert audit(known, fresh).verdict is Verdict.NOT_SHOWN


def test_the_first_word_of_every_sentence_is_no_answer() -> None:
    """`The answer is ...`: another model that writes so as well would never be noticed."""
    answers = {n: ["the"] * 10 for n in range(30)} | {40: ["paris"] * 10, 41: ["paris"] * 10}
    assert [cell.question for cell in choose(answers)] == [40, 41]


def test_a_question_with_filtered_answers_is_not_chosen() -> None:
    assert choose({0: [FILTERED] * 10, 1: ["a", FILTERED] * 5, 2: ["a"] * 10}) == [
        Cell(2, "concentrated", "a")
    ]


def test_no_question_asks_for_what_the_date_suggests() -> None:
    """Chat templates and hidden prompts state it, so that its answers change overnight."""
    for word in ("month", "weekday", "season", "date", "today", "now"):
        assert not [text for text in BANK if word in text.lower().rstrip(".?").split()]
