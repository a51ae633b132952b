"""Context length:

a truncated prompt is detected; a model that forgets now and then is not accused.
"""

from random import Random

import pytest
from scipy.stats import binom

from identity import alpha, context
from identity.context import DEPTHS, ROUNDS, SHORT, SHORT_ROUNDS, Reply, Why, judge, lines, prompt
from identity.counting import Count
from identity.looks import Verdict

LINE = (12.0, 23.0)
SIZE = 8000


def shown(
    rounds: int, recall: tuple[float, float, float], dice: Random, tokens: int
) -> list[Reply]:
    return [Reply([dice.random() < one for one in recall], tokens) for _ in range(rounds)]


def verdict(
    recall: tuple[float, float, float], seed: int = 1, tokens: int = SIZE + 60, short: float = 1.0
) -> context.Length:
    dice = Random(seed)
    replies = {
        SHORT: shown(SHORT_ROUNDS, (short, short, short), dice, SHORT),
        SIZE: shown(ROUNDS, recall, dice, tokens),
    }
    (result,) = judge(replies, LINE)
    return result


def test_a_prompt_recalled_at_every_place_shows_no_difference() -> None:
    result = verdict((1, 1, 1))
    assert (result.verdict, result.lost, result.codes) == (Verdict.NOT_SHOWN, 0, 18)
    assert result.smallest is not None and result.smallest <= 0.6


@pytest.mark.parametrize("recall", [(0, 0, 1), (1, 0, 1), (0, 0, 0), (0, 1, 1)])
def test_a_place_that_is_never_recalled_differs(recall: tuple[float, float, float]) -> None:
    result = verdict(recall)
    assert result.verdict is Verdict.DIFFERS and not result.cut
    assert result.depths == tuple(d for d, r in zip(DEPTHS, recall, strict=True) if not r)


def test_fewer_stated_tokens_than_were_sent_differ() -> None:
    result = verdict((1, 1, 1), tokens=4096)
    assert (result.verdict, result.stated, result.cut) == (Verdict.DIFFERS, 4096, True)


def test_one_reply_that_states_fewer_tokens_is_not_enough() -> None:
    replies = {
        SHORT: shown(SHORT_ROUNDS, (1, 1, 1), Random(1), SHORT),
        SIZE: [Reply([True] * 3, 9 if n == 0 else SIZE + 60) for n in range(ROUNDS)],
    }
    assert judge(replies, LINE)[0].verdict is Verdict.NOT_SHOWN


@pytest.mark.slow
@pytest.mark.parametrize("forgets", [0.1, 0.3, 0.5])
def test_of_2000_models_that_also_forget_short_prompts_almost_none_alarms(forgets: float) -> None:
    """The level of the test."""
    recalled = 1 - forgets
    alarms = sum(
        verdict((recalled, recalled, recalled), n, short=recalled).verdict is Verdict.DIFFERS
        for n in range(2000)
    )
    assert alarms <= binom.ppf(0.999, 2000, alpha.CONTEXT)


def test_a_model_that_forgets_long_prompts_at_random_is_not_accused() -> None:
    """It loses a fifth of the places anywhere, and none in short prompts."""
    verdicts_seen = {verdict((0.8, 0.8, 0.8), n).verdict for n in range(300)}
    assert verdicts_seen == {Verdict.NOT_SHOWN}


def test_a_model_that_recalls_no_short_prompt_is_not_judged() -> None:
    assert verdict((0, 0, 0), short=0.2).why is Why.UNRECALLED


@pytest.mark.parametrize("refused", [True, False])
def test_refused_or_unanswered_prompts_are_not_judged(refused: bool) -> None:
    replies = {
        SHORT: shown(SHORT_ROUNDS, (1, 1, 1), Random(1), SHORT),
        SIZE: [Reply(None, None, refused)] * ROUNDS,
    }
    result = judge(replies, LINE)[0]
    assert result.verdict is Verdict.NOT_ENOUGH
    assert result.why is (Why.REFUSED if refused else Why.UNANSWERED)


def test_the_tokens_of_a_line_are_those_the_gateway_counts() -> None:
    counts = [Count(0, 2, 58), Count(0, 6, 150), Count(0, 2, 58), Count(1, 2, 9)]
    assert context.line_of(counts) == LINE
    assert context.line_of([*counts, Count(0, 2, 59)]) is None
    assert context.line_of([]) is None


def test_the_codes_are_at_their_places_in_the_prompt() -> None:
    count = lines(SIZE, LINE)
    lines_sent = prompt(SIZE, count, 0, "run", "m").splitlines()
    assert len(lines_sent) == count + 3 + 1
    places = [n for n, line in enumerate(lines_sent) if line.startswith("The code")]
    assert [round(n / count, 2) for n in places] == pytest.approx(list(DEPTHS), abs=0.02)
    assert len(set(context.codes(SIZE, 0, "run", "m") + context.codes(SIZE, 1, "run", "m"))) == 6


@pytest.mark.parametrize("text", ["8k", "100", "-8000", "8000;9000", "99999999"])
def test_a_malformed_length_is_refused(text: str) -> None:
    with pytest.raises(ValueError):
        context.sizes(text)


def test_lengths_are_tried_in_ascending_order() -> None:
    assert context.sizes("32000, 8000,8000") == (8000, 32000) and context.sizes("") == ()
