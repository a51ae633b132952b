"""Context length: what is cut is found, and a model that forgets now and then is not accused."""

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
    told = {
        SHORT: shown(SHORT_ROUNDS, (short, short, short), dice, SHORT),
        SIZE: shown(ROUNDS, recall, dice, tokens),
    }
    (found,) = judge(told, LINE)
    return found


def test_what_is_recalled_everywhere_is_read_whole() -> None:
    found = verdict((1, 1, 1))
    assert (found.verdict, found.lost, found.codes) == (Verdict.NOT_SHOWN, 0, 18)
    assert found.smallest is not None and found.smallest <= 0.6


@pytest.mark.parametrize("recall", [(0, 0, 1), (1, 0, 1), (0, 0, 0), (0, 1, 1)])
def test_places_that_are_never_recalled_differ(recall: tuple[float, float, float]) -> None:
    found = verdict(recall)
    assert found.verdict is Verdict.DIFFERS and not found.cut
    assert found.depths == tuple(d for d, r in zip(DEPTHS, recall, strict=True) if not r)


def test_fewer_stated_tokens_than_were_sent_are_a_cut() -> None:
    found = verdict((1, 1, 1), tokens=4096)
    assert (found.verdict, found.stated, found.cut) == (Verdict.DIFFERS, 4096, True)


def test_one_reply_that_states_less_accuses_nobody() -> None:
    told = {
        SHORT: shown(SHORT_ROUNDS, (1, 1, 1), Random(1), SHORT),
        SIZE: [Reply([True] * 3, 9 if n == 0 else SIZE + 60) for n in range(ROUNDS)],
    }
    assert judge(told, LINE)[0].verdict is Verdict.NOT_SHOWN


@pytest.mark.slow
@pytest.mark.parametrize("forgets", [0.1, 0.3, 0.5])
def test_of_2000_forgetful_models_hardly_any_alarms(forgets: float) -> None:
    """One that forgets as much in short prompts: the test's level."""
    kept = 1 - forgets
    alarms = sum(
        verdict((kept, kept, kept), n, short=kept).verdict is Verdict.DIFFERS for n in range(2000)
    )
    assert alarms <= binom.ppf(0.999, 2000, alpha.CONTEXT)


def test_a_model_that_forgets_long_prompts_at_random_is_not_accused() -> None:
    """It loses a fifth anywhere, and nothing of short ones."""
    found = {verdict((0.8, 0.8, 0.8), n).verdict for n in range(300)}
    assert found == {Verdict.NOT_SHOWN}


def test_what_short_prompts_do_not_recall_tells_nothing() -> None:
    assert verdict((0, 0, 0), short=0.2).why is Why.UNRECALLED


@pytest.mark.parametrize("refused", [True, False])
def test_what_is_refused_or_not_answered_is_not_judged(refused: bool) -> None:
    told = {
        SHORT: shown(SHORT_ROUNDS, (1, 1, 1), Random(1), SHORT),
        SIZE: [Reply(None, None, refused)] * ROUNDS,
    }
    found = judge(told, LINE)[0]
    assert found.verdict is Verdict.NOT_ENOUGH
    assert found.why is (Why.REFUSED if refused else Why.UNANSWERED)


def test_a_line_is_what_the_gateway_counts() -> None:
    counts = [Count(0, 2, 58), Count(0, 6, 150), Count(0, 2, 58), Count(1, 2, 9)]
    assert context.line_of(counts) == LINE
    assert context.line_of([*counts, Count(0, 2, 59)]) is None
    assert context.line_of([]) is None


def test_the_codes_stand_where_they_should() -> None:
    count = lines(SIZE, LINE)
    said = prompt(SIZE, count, 0, "run", "m").splitlines()
    assert len(said) == count + 3 + 1
    places = [n for n, line in enumerate(said) if line.startswith("The code")]
    assert [round(n / count, 2) for n in places] == pytest.approx(list(DEPTHS), abs=0.02)
    assert len(set(context.codes(SIZE, 0, "run", "m") + context.codes(SIZE, 1, "run", "m"))) == 6


@pytest.mark.parametrize("text", ["8k", "100", "-8000", "8000;9000", "99999999"])
def test_what_is_no_length_is_refused(text: str) -> None:
    with pytest.raises(ValueError):
        context.sizes(text)


def test_lengths_are_asked_for_in_order() -> None:
    assert context.sizes("32000, 8000,8000") == (8000, 32000) and context.sizes("") == ()
