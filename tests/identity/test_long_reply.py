"""A gateway's own output limit is named; a model that ends its lists early is not accused."""

import re
from random import Random

import pytest

from identity.long_reply import Reply, Why, budgets, fact, judge, prompt
from identity.looks import Verdict

SIZE = 4000
TOKENS_A_LINE = (3, 7)
"""Of the two lists: such that equal numbers of lines are not equal numbers of tokens."""


def shown(
    dice: Random,
    *,
    cap: int | None = None,
    says_cut: bool = True,
    own_lines: float = float("inf"),
    spread: float = 0.0,
    counted: float = 1.0,
    reasoning: int = 0,
    unstated: bool = False,
) -> list[Reply]:
    """Replies of a model that would write `own_lines` lines, whose gateway cuts at `cap` tokens and
    counts them by a factor."""
    replies = []
    for budget, count in budgets(SIZE):
        for number in range(count):
            each = TOKENS_A_LINE[number % 2]
            wanted = own_lines * dice.lognormvariate(0, spread) * each
            thought = dice.randrange(reasoning + 1)
            stated = 0 if unstated else thought
            limit = min(budget, cap or budget) - thought
            tokens, cut = min(wanted, limit), wanted > limit
            replies.append(
                Reply(number, budget, round((tokens + stated) * counted), cut and says_cut,
                      int(tokens / each), pure=True)
            )  # fmt: skip
    return replies


@pytest.mark.parametrize("cap", [500, 1024, 2048, 3500])
@pytest.mark.parametrize("counted", [0.7, 1.0, 1.3])
def test_an_output_limit_is_named_however_tokens_are_counted(cap: int, counted: float) -> None:
    result = judge(SIZE, shown(Random(1), cap=cap, counted=counted))
    if cap * counted >= 0.95 * SIZE:  # it looks as if the budget were spent
        assert result.verdict is Verdict.NOT_SHOWN
        return
    assert (result.verdict, result.seen, result.stated) == (Verdict.DIFFERS, 4, True)
    assert result.tokens == round(cap * counted)


@pytest.mark.parametrize("cap", [500, 1024, 2048])
def test_an_output_limit_is_named_although_replies_claim_to_be_finished(cap: int) -> None:
    result = judge(SIZE, shown(Random(1), cap=cap, says_cut=False))
    assert (result.verdict, result.tokens, result.stated) == (Verdict.DIFFERS, cap, False)


@pytest.mark.parametrize("seed", range(40))
def test_a_model_that_ends_its_lists_by_itself_is_not_accused(seed: int) -> None:
    """After the same or a varying number of lines, before or after most of its budget, with
    reasoning, and however the gateway counts tokens.
    """
    dice = Random(seed)
    facts = shown(
        dice,
        own_lines=dice.choice([30, 100, 250, 500, 900, 1400]),
        spread=dice.choice([0.0, 0.0, 0.1, 0.6]),
        counted=dice.choice([0.7, 1.0, 1.3]),
        reasoning=dice.choice([0, 0, 800]),
    )
    assert judge(SIZE, facts).verdict is not Verdict.DIFFERS


@pytest.mark.parametrize("seed", range(60))
def test_reasoning_that_nobody_states_is_no_output_limit(seed: int) -> None:
    """It leaves less of each budget, by another number of tokens each time."""
    dice = Random(seed)
    facts = shown(dice, reasoning=dice.choice([300, 800, 2000]), unstated=True)
    assert judge(SIZE, facts).verdict is not Verdict.DIFFERS


@pytest.mark.parametrize("seed", range(20))
def test_a_gateway_that_always_claims_finished_is_not_accused(seed: int) -> None:
    """Even replies cut at their own max_tokens say that they are finished."""
    dice = Random(seed)
    facts = shown(dice, says_cut=False, counted=dice.choice([0.8, 1.0]))
    assert judge(SIZE, facts).verdict is not Verdict.DIFFERS


@pytest.mark.parametrize("counted", [0.5, 0.9, 1.0, 1.5])
def test_a_healthy_gateway_shows_no_difference_however_it_counts(counted: float) -> None:
    result = judge(SIZE, shown(Random(1), counted=counted))
    assert result.verdict is Verdict.NOT_SHOWN
    assert result.smallest is not None and 0 < result.smallest < 1


def test_an_output_limit_that_the_second_route_has_too_is_no_difference() -> None:
    ours = shown(Random(1), cap=1024)
    result = judge(SIZE, ours, shown(Random(2), cap=1024))
    assert (result.verdict, result.why) == (Verdict.NOT_ENOUGH, Why.BESIDE)
    assert judge(SIZE, ours, shown(Random(2))).verdict is Verdict.DIFFERS
    assert judge(SIZE, ours, shown(Random(2), cap=2048)).verdict is Verdict.DIFFERS


def test_a_reply_that_cannot_be_judged_says_why() -> None:
    refused = [Reply(n, SIZE, None, False, None, refused=True) for n in range(6)]
    assert judge(SIZE, refused).why is Why.REFUSED
    uncounted = [one._replace(tokens=None) for one in shown(Random(1), cap=500)]
    assert judge(SIZE, uncounted).why is Why.UNANSWERED
    assert judge(SIZE, shown(Random(1), own_lines=40)).why is Why.ENDED


@pytest.mark.parametrize("index", [0, 1])
def test_a_long_reply_is_summarised_without_its_words(index: int) -> None:
    prompt_sent = prompt(SIZE, index, "run", "m")
    first, last = (int(n) for n in re.findall(r"from (\d+) to (\d+)", prompt_sent)[0])
    line = re.findall(r"`(.*) N (.*)`", prompt_sent)
    each = [f"{line[0][0]} {n} {line[0][1]}" if line else str(n) for n in range(first, last + 1)]
    listed = "\n".join(each[:100])
    summaries = [
        fact(SIZE, index, "run", "m", text)
        for text in (listed, listed[:-2], f"{listed}\nand so on", "I would rather not.", "",
                     "\n".join(each))
    ]  # fmt: skip
    assert summaries == [
        {"lines": 100, "pure": True},
        {"lines": 99, "pure": True},
        {"lines": 100, "pure": False},
        {"lines": 0, "pure": False},
        {"lines": 0, "pure": True},
        {"lines": SIZE + 1, "pure": False},
    ]
