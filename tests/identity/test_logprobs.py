"""Log-probabilities: quantised weights differ; an unsteady server of the same model does not."""

from math import exp, log
from random import Random

import pytest
from scipy.stats import binom

from identity import alpha, logprobs
from identity.first_token import ROUNDS, Row, Stated, row_of
from identity.logprobs import TOLERATED_NATS, Weights, Why
from identity.looks import Verdict

TOP = 20


def served(prompt: int, sigma: float, model: int = 1) -> dict[str, float]:
    """A model's distribution of first tokens, after a change of its weights by so many nats."""
    own, change = Random(f"{model}/{prompt}"), Random(f"quantised {model}/{prompt}")
    weights = {f"w{n}": -0.4 * n + own.gauss(0, 0.5) + change.gauss(0, sigma) for n in range(40)}
    total = log(sum(map(exp, weights.values())))
    return {word: weight - total for word, weight in weights.items()}


def row(
    prompt: int,
    dice: Random,
    sigma: float = 0.0,
    jitter: float = 0.0,
    top: int = TOP,
    model: int = 1,
) -> Row:
    values = {w: value + dice.gauss(0, jitter) for w, value in served(prompt, sigma, model).items()}
    return dict(sorted(values.items(), key=lambda item: -item[1])[:top])


def route(dice: Random, rounds: int = ROUNDS, **how: float) -> Stated:
    top = int(how.get("top", TOP))
    rows = (tuple(row(n, dice, **how) for _ in range(rounds)) for n in range(3))  # type: ignore[arg-type]
    return Stated(top, tuple(rows))


def judged(seed: int, jitter: float = 0.0, **how: float) -> Weights:
    dice = Random(seed)
    reference = route(dice, jitter=jitter)
    return logprobs.judge(reference, route(dice, jitter=jitter, **how), 30)


def test_the_same_numbers_are_no_difference() -> None:
    result = judged(1)
    assert (result.verdict, result.smallest) == (Verdict.NOT_SHOWN, TOLERATED_NATS)
    assert result.gap == pytest.approx(0)


@pytest.mark.parametrize("jitter", [0.0, 0.02, 0.1])
@pytest.mark.parametrize("sigma", [0.2, 0.5, 1.0])
def test_quantised_weights_differ(jitter: float, sigma: float) -> None:
    result = judged(1, jitter, sigma=sigma)
    assert result.verdict is Verdict.DIFFERS
    assert result.gap is not None and result.smallest is not None and result.gap > result.smallest


def test_another_model_differs() -> None:
    assert judged(1, 0.05, model=2).verdict is Verdict.DIFFERS


def test_differences_as_small_as_hardwares_are_tolerated() -> None:
    """Systematic and never equal: certain, but too small to mean anything."""
    result = judged(1, sigma=0.02)
    assert result.p is not None and result.p <= alpha.LOGPROBS
    assert result.verdict is Verdict.NOT_SHOWN


@pytest.mark.parametrize("seed", range(5))
@pytest.mark.parametrize("jitter", [0.05, 0.5])
def test_an_unsteady_server_is_no_difference(seed: int, jitter: float) -> None:
    assert judged(seed, jitter).verdict is Verdict.NOT_SHOWN


@pytest.mark.slow
def test_at_most_one_of_1000_honest_servers_alarms() -> None:
    """With 0 to 1 nats of noise; a thousandth is the level of the test."""
    alarms = sum(judged(n, jitter=(n % 11) / 10).verdict is Verdict.DIFFERS for n in range(1000))
    assert alarms <= binom.ppf(0.99, 1000, alpha.LOGPROBS)


def test_only_tokens_that_both_sides_state_are_compared() -> None:
    """A gateway that silently limits them to five serves the same weights."""
    assert judged(1, 0.02, top=5).verdict is Verdict.NOT_SHOWN
    assert judged(1, 0.02, top=5, sigma=0.5).verdict is Verdict.DIFFERS


def test_log_probabilities_stated_only_now_and_then_are_not_available() -> None:
    """llama.cpp leaves them out where the token is part of a character."""
    dice = Random(1)
    result = logprobs.judge(route(dice), route(dice, rounds=7), 30)
    assert (result.verdict, result.why) == (Verdict.NOT_ENOUGH, Why.ABSENT)


@pytest.mark.parametrize("reference", [None, Stated(20, ()), Stated(20, ((), (), ()))])
def test_log_probabilities_are_not_judged_without_a_reference(reference: Stated | None) -> None:
    result = logprobs.judge(reference, route(Random(1)), 30)
    assert (result.verdict, result.why) == (Verdict.NOT_ENOUGH, Why.UNASKED)


def test_log_probabilities_of_different_prompts_are_not_compared() -> None:
    """A hidden prompt, for instance with today's date in it, changes them with the same weights."""
    dice = Random(1)
    result = logprobs.judge(route(dice), route(dice, sigma=1), 30, same_prompts=False)
    assert (result.verdict, result.why) == (Verdict.NOT_ENOUGH, Why.PROMPT)


def test_an_old_reference_of_log_probabilities_is_not_used() -> None:
    """A chat template with the date in it has the effect of quantisation."""
    dice = Random(1)
    reference = route(dice)
    result = logprobs.judge(reference, route(dice, sigma=1), 30, fresh=False)
    assert (result.verdict, result.why) == (Verdict.NOT_ENOUGH, Why.OLD)
    assert logprobs.judge(reference, route(dice), 30, fresh=False).verdict is Verdict.NOT_SHOWN


@pytest.mark.parametrize(
    "top",
    [
        [],
        [{"token": "a", "logprob": -0.1}],  # one tells nothing
        [{"token": "a", "logprob": "high"}, {"token": "b", "logprob": -1}],
        [{"token": None, "logprob": -0.1}, {"token": "b", "logprob": -1}],
        [{"token": "a", "logprob": 0.5}, {"token": "b", "logprob": -1}],
        [{"token": "a", "logprob": float("-inf")}, {"token": "b", "logprob": -1}],
        [{"token": "a", "logprob": True}, {"token": "b", "logprob": -1}],
    ],
)
def test_a_malformed_log_probability_is_none(top: list[dict[str, object]]) -> None:
    assert row_of(top) == {}


def test_a_row_keeps_the_stated_log_probabilities() -> None:
    top = [{"token": "a", "logprob": -0.1, "bytes": [97]}, {"token": "b", "logprob": -3}]
    assert row_of(top) == {"a": -0.1, "b": -3.0}
