"""Probes that are mixed into a load: honest runs have no alarm, a change under load has one."""

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
from recording.probe_place import is_probe
from tests.identity.endpoint import Endpoint

HONEST = Endpoint()


def run(
    dice: Random, minutes: int, a_minute: int, *, other: range = range(0), phases: int = 1
) -> list[ProbeAnswer]:
    """So many minutes of probes; in those of `other` another model answers."""
    found, number = list[ProbeAnswer](), 0
    for minute in range(minutes * phases):
        served = Endpoint(weights=2) if minute in other else HONEST
        for place in range(a_minute):
            at = (minute % minutes) * 60 + place * 60 / a_minute
            question, phase = asked(1, number), f"rpm/m/{minute // minutes}"
            number += 1
            if question is None:
                found.append(ProbeAnswer(phase, at, tokens=64))
            else:
                found.append(ProbeAnswer(phase, at, question, served.answer(question, dice) or ""))
    return found


def test_the_probes_are_of_the_bank_and_spread_over_the_load() -> None:
    assert all(question < len(BANK) for question in QUESTIONS)
    probes = [number for number in range(1000) if is_probe(50, number)]
    assert len(probes) == 20 and not is_probe(50, 0) and not is_probe(0, 7)
    questions = [asked(50, number) for number in probes]
    assert questions.count(None) == 5 and {*questions} == {*QUESTIONS, None}


def test_of_300_honest_runs_hardly_one_in_a_hundred_alarms() -> None:
    """The bound is exact; these seeds are fixed."""
    alarms = sum(bool(course(run(Random(seed), 6, 20)).differing) for seed in range(300))
    assert alarms <= 300 * ALPHA + 3


def test_another_model_in_the_busy_minutes_is_found() -> None:
    found = sum(
        bool(course(run(Random(seed), 10, 40, other=range(4, 6))).differing) for seed in range(20)
    )
    assert found >= 18


def test_the_busy_phase_is_named() -> None:
    told = run(Random(1), 2, 40, other=range(4, 6), phases=3)
    assert course(told).differing[0].phase == "rpm/m/2"


def test_what_would_have_shown_is_said() -> None:
    shown = course(run(Random(1), 6, 40)).shown
    assert shown is not None and shown >= 0.25


@pytest.mark.parametrize("minutes", [1, 3, 30])
def test_parts_hold_enough_and_are_not_many(minutes: int) -> None:
    found = course(run(Random(1), minutes, 40)).parts
    assert len(found) <= MOST_PARTS + 1
    assert sum(part.answers for part in found) == minutes * 30
    assert all(part.answers >= LEAST_ANSWERS - 6 for part in found)


def test_several_counts_of_one_prompt_are_kept_by_part() -> None:
    told = run(Random(1), 4, 40)
    told[0] = ProbeAnswer(told[0].phase, 0.0, tokens=70)
    found = course(told)
    assert set(found.tokens) == {64, 70} and 70 in found.parts[0].tokens


def test_a_few_probes_say_nothing() -> None:
    found = course(run(Random(1), 1, 8))
    assert len(found.parts) == 1 and found.parts[0].spread is None
