"""A run that asks several models alarms as seldom as a run of one, and names what differs."""

from random import Random

import pytest

from identity import alpha
from identity.alpha import LOOKS, WHOLE, of_each
from identity.first_token import PROMPTS, ROUNDS, Stated
from identity.logprobs import judge
from identity.looks import Verdict, audit, audit_pairs
from identity.mixed import ALPHA, QUESTIONS, ProbeAnswer, course
from identity.power import detectable
from identity.reference import Reference
from tests.identity.endpoint import Endpoint, asked, enrolled

HONEST = Endpoint()


def known() -> Reference:
    return enrolled(HONEST, Random(1))


@pytest.mark.parametrize("models", [1, 2, 5, 20])
def test_the_tests_of_all_models_share_one_percent(models: int) -> None:
    questions = [cell.question for cell in known().cells]
    answers = asked(HONEST, questions, 40, Random(2))
    pairs = [*zip(answers, asked(HONEST, questions, 40, Random(3)), strict=True)]
    others = alpha.TEMPERATURE + alpha.SEED + alpha.CONTEXT + alpha.LOGPROBS + alpha.TOOLS
    for found in (audit(known(), answers, models), audit_pairs(known().cells, pairs, models)):
        assert [look.alpha * models for look in found.looks] == pytest.approx(
            [share for _, share in LOOKS]
        )
        mine = sum(look.alpha for look in found.looks) + of_each(others, models)
        assert models * mine <= WHOLE + 1e-12


def test_probes_under_load_share_theirs_as_well() -> None:
    dice = Random(1)
    told = [ProbeAnswer("p", float(n), QUESTIONS[n % 6], dice.choice("ab")) for n in range(96)]
    alone, one_of_four = course(told), course(told, 4)
    assert alone.alpha * len(alone.parts) == pytest.approx(ALPHA)
    assert one_of_four.alpha * 4 == pytest.approx(alone.alpha)


def test_another_model_among_ten_is_found_at_the_first_look() -> None:
    questions = [cell.question for cell in known().cells]
    found = audit(known(), asked(Endpoint(weights=2), questions, 4, Random(2)), 10)
    assert found.verdict is Verdict.DIFFERS


def test_what_would_have_shown_is_larger_in_a_run_of_many() -> None:
    alone, of_many = detectable(known()), detectable(known(), 20)
    assert alone.swapped is not None and of_many.swapped is not None
    assert alone.swapped < of_many.swapped <= 2 * alone.swapped


@pytest.mark.parametrize("models", [1, 3, 8])
@pytest.mark.parametrize(("apart", "verdict"), [(0.5, Verdict.DIFFERS), (0.0, Verdict.NOT_SHOWN)])
def test_log_probabilities_of_several_models(models: int, apart: float, verdict: Verdict) -> None:
    """The p-value that many models need is one that the shuffles can show."""
    dice = Random(4)

    def stated(more: float) -> Stated:
        rows = [
            [{"a": -0.2 - dice.random() / 100, "b": -2.0 - more - dice.random() / 100}
             for _ in range(ROUNDS)]
            for _ in PROMPTS
        ]  # fmt: skip
        return Stated(5, tuple(map(tuple, rows)))

    found = judge(stated(0.0), stated(apart), 30, models=models)
    assert found.verdict is verdict
    if verdict is Verdict.DIFFERS:
        assert found.p is not None and found.p <= alpha.LOGPROBS / models


@pytest.mark.slow
def test_of_100_honest_runs_of_five_models_about_one_alarms() -> None:
    """3 of 100 draws of one percent are exceeded in 2 of 100 cases; these seeds are fixed."""
    alarms = 0
    for run in range(100):
        dice = Random(9000 + run)
        served = [Endpoint(weights=weights) for weights in range(1, 6)]
        found = []
        for one in served:
            reference = enrolled(one, dice)
            questions = [cell.question for cell in reference.cells]
            found.append(audit(reference, asked(one, questions, 40, dice), 5).verdict)
        alarms += Verdict.DIFFERS in found
    assert alarms <= 3
