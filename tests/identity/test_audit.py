"""An audit: honest endpoints do not alarm, others do, and nothing is said on too little."""

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
from tests.identity.endpoint import Endpoint, asked, audited, enrolled, reference

HONEST = Endpoint()


def verdicts(served: Endpoint, runs: int, seed: int = 0) -> Counter[Verdict]:
    """Of so many audits of an endpoint, each against a reference of its own of HONEST."""
    found: Counter[Verdict] = Counter()
    for number in range(runs):
        dice = Random(f"{seed}/{number}")
        found[audited(enrolled(HONEST, dice), served, dice)[0].verdict] += 1
    return found


def test_the_looks_take_less_than_the_audits_one_percent() -> None:
    assert sum(alpha for _, alpha in LOOKS) < WHOLE == SELF_ALPHA == 0.01


@pytest.mark.slow
def test_of_500_honest_audits_at_most_one_percent_alarm() -> None:
    """Five models in turn. The bound is exact; 500 draws of one percent are at most 10 in 98 of 100
    cases, and these seeds are fixed."""
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
def test_power_is_that_of_the_page(served: Endpoint, expected: float) -> None:
    """Within the 99.9 % binomial interval of what docs/how-to/identity.md states."""
    runs = 60
    found = verdicts(served, runs)[Verdict.DIFFERS]
    low, high = binom.interval(0.999, runs, min(max(expected, 0.01), 0.99))
    assert low <= found <= high


def test_another_model_is_found_at_the_first_look() -> None:
    dice = Random(3)
    found, sent = audited(enrolled(HONEST, dice), Endpoint(weights=2), dice)
    assert found.verdict is Verdict.DIFFERS
    assert sent == LOOKS[0][0] * 24


def test_a_tenth_of_the_requests_failing_is_no_difference() -> None:
    """Refusals and errors are no answers: a busy gateway is not accused."""
    assert verdicts(Endpoint(errors=0.10), 10)[Verdict.NOT_SHOWN] == 10


def outcome(answers: list[Asked]) -> Audit:
    return audit(enrolled(HONEST, Random(1)), answers)


def some(rounds: int) -> list[Asked]:
    cells = enrolled(HONEST, Random(1)).cells
    return asked(HONEST, [cell.question for cell in cells], rounds, Random(2))


def test_half_a_look_is_not_judged() -> None:
    found = outcome(some(10))
    assert (found.verdict, found.why, len(found.looks)) == (Verdict.NOT_ENOUGH, Why.UNFINISHED, 1)


def test_where_most_are_refused_nothing_is_said() -> None:
    lost = [replace(one, word=None) if i % 3 == 0 else one for i, one in enumerate(some(40))]
    assert (outcome(lost).verdict, outcome(lost).why) == (Verdict.NOT_ENOUGH, Why.UNANSWERED)


def test_a_model_that_thinks_is_not_judged() -> None:
    found = outcome([replace(one, word="") for one in some(4)])
    assert (found.verdict, found.why) == (Verdict.NOT_ENOUGH, Why.THINKS)


def test_a_reference_that_differs_from_itself_accuses_nobody() -> None:
    """Its first half is of one model, its second of another."""
    cells = enrolled(HONEST, Random(1)).cells
    questions = [cell.question for cell in cells]
    mixed = reference(
        cells,
        [*asked(HONEST, questions, 20, Random(2)),
         *asked(Endpoint(weights=2), questions, 20, Random(3))],
    )  # fmt: skip
    assert self_check(mixed) <= SELF_ALPHA
    found = audit(mixed, asked(Endpoint(weights=2), questions, 40, Random(4)))
    assert (found.verdict, found.why) == (Verdict.NOT_ENOUGH, Why.REFERENCE)


def test_cells_are_chosen_by_their_answers() -> None:
    said = {
        0: ["a"] * 10,
        1: ["a", "b"] * 5,
        2: [*"abcdefghij"],
        3: ["a"] * 7,
        4: ["a"] * 9 + ["b"],
    }
    assert choose(said) == [Cell(1, "spread", "a"), Cell(0, "concentrated", "a")]


@pytest.mark.long
def test_what_an_audit_would_have_shown_it_shows() -> None:
    """The smallest share that is named is found in nine of ten audits, and not just in the half."""
    known = enrolled(HONEST, Random(1))
    share = detectable(known).swapped
    assert share is not None and 0.03 <= share <= 0.15
    found = sum(
        audited(known, Endpoint(share=share), Random(seed))[0].verdict is Verdict.DIFFERS
        for seed in range(40)
    )
    assert found >= 30


def test_without_fixed_answers_no_share_is_named() -> None:
    known = enrolled(HONEST, Random(1))
    spread = tuple(cell for cell in known.cells if cell.kind == "spread")
    assert swapped(replace(known, cells=spread), 40, 0.0025) is None
    assert SHARED == 0.3


def test_every_question_of_the_bank_is_another() -> None:
    assert len({*BANK}) == len(BANK) == 60
