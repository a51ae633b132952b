"""Probes mixed into a load: honest runs do not alarm, a change under load does."""

from dataclasses import replace
from random import Random

import pytest

from identity.bank import BANK
from identity.mixed import (
    ALPHA,
    LEAST_ANSWERS,
    MOST_PARTS,
    QUESTIONS,
    ProbeAnswer,
    course,
)
from identity.mixed import question as asked
from identity.word import FILTERED
from recording.probe_place import is_probe
from tests.identity.endpoint import Endpoint

HONEST = Endpoint()


def run(
    dice: Random, minutes: int, a_minute: int, *, other: range = range(0), phases: int = 1
) -> list[ProbeAnswer]:
    """So many minutes of probes; in the minutes of `other` another model answers."""
    probes, number = list[ProbeAnswer](), 0
    for minute in range(minutes * phases):
        served = Endpoint(weights=2) if minute in other else HONEST
        for place in range(a_minute):
            at = (minute % minutes) * 60 + place * 60 / a_minute
            question, phase = asked(1, number), f"rpm/m/{minute // minutes}"
            number += 1
            if question is None:
                probes.append(ProbeAnswer(phase, at, tokens=64))
            else:
                probes.append(ProbeAnswer(phase, at, question, served.answer(question, dice) or ""))
    return probes


def test_probes_are_from_the_bank_and_spread_over_the_load() -> None:
    assert all(question < len(BANK) for question in QUESTIONS)
    probes = [number for number in range(1000) if is_probe(50, number)]
    assert len(probes) == 20 and not is_probe(50, 0) and not is_probe(0, 7)
    questions = [asked(50, number) for number in probes]
    assert questions.count(None) == 5 and {*questions} == {*QUESTIONS, None}


def test_about_one_in_a_hundred_of_300_honest_runs_alarms() -> None:
    """The level is exact; these seeds are fixed."""
    alarms = sum(bool(course(run(Random(seed), 6, 20)).differing) for seed in range(300))
    assert alarms <= 300 * ALPHA + 3


def test_another_model_in_the_busy_minutes_alarms() -> None:
    alarms = sum(
        bool(course(run(Random(seed), 10, 40, other=range(4, 6))).differing) for seed in range(20)
    )
    assert alarms >= 18


def test_the_phase_in_which_another_model_answered_is_named() -> None:
    probes = run(Random(1), 2, 40, other=range(4, 6), phases=3)
    assert course(probes).differing[0].phase == "rpm/m/2"


def test_the_smallest_detectable_share_is_stated() -> None:
    smallest_share = course(run(Random(1), 6, 40)).shown
    assert smallest_share is not None and smallest_share >= 0.25


@pytest.mark.parametrize("minutes", [1, 3, 30])
def test_parts_of_a_run_are_few_and_have_enough_answers_each(minutes: int) -> None:
    parts = course(run(Random(1), minutes, 40)).parts
    assert len(parts) <= MOST_PARTS + 1
    assert sum(part.answers for part in parts) == minutes * 30
    assert all(part.answers >= LEAST_ANSWERS - 6 for part in parts)


def test_different_token_counts_of_one_prompt_are_kept_by_part() -> None:
    probes = run(Random(1), 4, 40)
    probes[0] = ProbeAnswer(probes[0].phase, 0.0, tokens=70)
    result = course(probes)
    assert set(result.tokens) == {64, 70} and 70 in result.parts[0].tokens


def test_a_few_probes_are_not_judged() -> None:
    result = course(run(Random(1), 1, 8))
    assert len(result.parts) == 1 and result.parts[0].spread is None


def test_a_filter_that_is_strict_in_busy_minutes_is_not_taken_for_another_model() -> None:
    """It withholds the answers to two questions there; these are left out, and it says so. Another
    model is found by the other questions."""
    for other, differs in ((range(0), False), (range(4, 6), True)):
        probes = [
            replace(one, word=FILTERED) if one.question in QUESTIONS[:2] and 240 <= one.at_s < 360
            else one
            for one in run(Random(7), 10, 40, other=other)
        ]  # fmt: skip
        whole = course(probes)
        assert (bool(whole.differing), whole.filtered) == (differs, 2)
