"""The search for a level against true capacities, with and without wrong answers."""

from collections.abc import Callable
from math import ceil, log2
from random import Random

import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy.stats import binom

from loadshapes.level_search import Span, highest
from rules.bracket import Bracket, Trial, bracket
from tests.searches import found, holds


def searched(span: Span, answer: Callable[[int], Trial]) -> tuple[Bracket, list[int]]:
    """What a search finds, and the levels it tried."""
    search, tried = highest(span), []
    level = next(search)
    while True:
        assert len(tried) < span.trials, "the search must end"
        tried.append(level)
        try:
            level = search.send(answer(level))
        except StopIteration as end:
            return end.value, tried


spans = st.builds(
    lambda edges, precision: Span(
        lowest=edges[0], first=edges[1], highest=edges[2], precision=precision, trials=80
    ),
    st.lists(st.integers(1, 100_000), min_size=3, max_size=3).map(sorted),
    st.floats(0.01, 1.0),
)


@given(spans, st.integers(0, 200_000), st.booleans())
def test_without_noise_the_bracket_holds_the_capacity_and_is_narrow_enough(
    span: Span, capacity: int, sure: bool
) -> None:
    """Whatever level the search begins at."""
    result, tried = searched(span, lambda level: Trial(level, level <= capacity, sure))
    assert all(span.lowest <= level <= span.highest for level in tried)
    assert (result.low is None) == (capacity < span.lowest)
    assert (result.high is None) == (capacity >= span.highest)
    if result.low is not None:
        assert result.low <= capacity
    if result.high is not None:
        assert result.high > capacity
    if result.low is not None and result.high is not None:
        assert result.high <= result.low + 1 or result.high <= result.low * (1 + span.precision)
    assert result.confidence >= span.confidence


@given(st.integers(1, 1000), st.integers(1, 1000))
def test_a_search_takes_as_many_trials_as_doublings_and_halvings(first: int, capacity: int) -> None:
    """With a second look at both ends."""
    span = Span(first=first, lowest=1, highest=1000, precision=0.1, trials=100)
    _, tried = searched(span, lambda level: Trial(level, level <= capacity))
    assert len(tried) <= ceil(abs(log2(first) - log2(capacity))) + ceil(log2(1 / log2(1.1))) + 6


def test_one_wrong_answer_is_outvoted() -> None:
    """The first answer calls 60 missed, though all levels up to 100 are met."""
    wrong = iter([False])

    def answer(level: int) -> Trial:
        return Trial(level, next(wrong, level <= 100))

    result, tried = searched(Span(first=60, highest=1000, trials=40), answer)
    assert result.low is not None and result.high is not None
    assert result.low <= 100 < result.high
    assert tried.count(60) > 1


def test_with_10_percent_wrong_answers_90_of_100_brackets_hold_the_truth() -> None:
    """The bracket is a precision wider, and the search ends within its trials each time."""
    held = 0
    for seed in range(200):
        dice = Random(seed)
        capacity = dice.randint(20, 800)

        def answer(level: int, dice: Random = dice, capacity: int = capacity) -> Trial:
            return Trial(level, (level <= capacity) != (dice.random() < 0.1))

        result, _ = searched(Span(first=60, highest=1000, trials=40), answer)
        low, high = result.low or 0, result.high or 10**9
        held += low / 1.1 <= capacity <= high * 1.1
    assert held >= 180


def test_a_gradual_limit_is_found_where_answers_turn() -> None:
    """Real gateways do not break at one level: the share of missed trials rises over a range."""
    held = 0
    for seed in range(100):
        dice = Random(seed)

        def answer(level: int, dice: Random = dice) -> Trial:
            share = min(1.0, max(0.0, (level - 250) / 100))  # from 250 to 350
            return Trial(level, dice.random() >= share)

        result, _ = searched(Span(first=60, highest=1000, trials=30), answer)
        held += result.low is not None and 200 <= result.low <= 380
    assert held >= 90


@given(st.lists(st.builds(Trial, st.integers(1, 50), st.booleans(), st.booleans()), max_size=30))
def test_any_answers_give_a_bracket_of_adjacent_levels_tried(trials: list[Trial]) -> None:
    """Contradictory ones too."""
    result = bracket(trials)
    assert 0 < result.confidence <= 1
    levels = sorted({trial.level for trial in trials})
    if levels:
        ends = [None, *levels, None]
        assert (result.low, result.high) in list(zip(ends, ends[1:], strict=False))


@pytest.mark.parametrize(
    ("trials", "expected"),
    [
        ([], Bracket(None, None, 1.0)),
        ([Trial(10, True)], Bracket(10, None, 0.9)),
        ([Trial(10, False)], Bracket(None, 10, 0.9)),
        ([Trial(10, True, sure=True)], Bracket(10, None, 0.99)),
        ([Trial(10, True), Trial(10, True), Trial(10, False)], Bracket(10, None, 0.9)),
        ([Trial(10, True), Trial(20, False)], Bracket(10, 20, 0.81 / (0.81 + 0.09 + 0.09))),
    ],
)
def test_the_confidence_is_that_worked_by_hand(trials: list[Trial], expected: Bracket) -> None:
    result = bracket(trials)
    assert (result.low, result.high) == (expected.low, expected.high)
    assert result.confidence == pytest.approx(expected.confidence)


@pytest.mark.parametrize(
    ("below", "above", "stated"),
    [(1.0, 1.0, True), (0.7, 0.3, True), (0.4, 0.3, False), (1.0, 0.0, True), (0.9, 0.0, False)],
)
def test_a_confidence_is_stated_only_where_the_windows_at_both_ends_are_informative(
    below: float, above: float, stated: bool
) -> None:
    """Windows far from the edge do not count, and the likelihood is the same either way."""
    trials = [
        Trial(10, True, likely=0.99, reliability=0.0),
        Trial(20, True, likely=0.99, reliability=below),
        Trial(22, False, likely=0.01, reliability=above),
    ]
    result = bracket(trials)
    assert (result.low, result.high) == (20, 22)
    assert result.stated_confidence == (result.confidence if stated else None)


def test_a_search_never_exceeds_its_number_of_trials() -> None:
    """Not even with random answers."""
    dice = Random(1)
    span = Span(first=60, highest=1000, confidence=1.0, trials=25)
    _, tried = searched(span, lambda level: Trial(level, dice.random() < 0.5))
    assert len(tried) == 25


def covered(seeds: range, window_s: float) -> None:
    """Of the brackets that state a confidence, as many hold the true edge as stated."""
    brackets = [found(seed, window_s) for seed in seeds]
    stated = [
        (one.stated_confidence, holds(one)) for one in brackets if one.stated_confidence is not None
    ]
    print(f"\n{window_s:g} s: {len(brackets)} searches, {sum(map(holds, brackets))} hold the edge;")
    for least in (0.0, 0.9, 0.95):
        claims = [(sure, right) for sure, right in stated if sure >= least]
        right = sum(right for _, right in claims)
        mean = sum(sure for sure, _ in claims) / len(claims) if claims else 0.0
        print(f"  stated at {least:g} or more: {len(claims)}, mean {mean:.2f}, {right} right")
        assert not claims or right >= binom.ppf(0.01, len(claims), mean), (least, mean, right)


@pytest.mark.parametrize("window_s", [10.0, 20.0])
def test_short_windows_at_a_queue_state_a_confidence_in_at_most_3_searches(window_s: float) -> None:
    """Of 100 such searches 37 (10 s) and 57 (20 s) stated one of half or more:

    4 and 18 were right. Short windows look better than their level, all of them: voting does
    not help.
    """
    brackets = [found(seed, window_s) for seed in range(200, 212)]
    assert sum(one.stated_confidence is not None for one in brackets) <= 3


def test_the_stated_confidence_holds_at_a_queue() -> None:
    """An M/M/8 queue of known edge, windows of 60 s:

    latencies come in waves. With requests taken as independent, 24 of 40 brackets held it at a
    stated 98 %.
    """
    covered(range(100, 112), 60.0)


@pytest.mark.slow
@pytest.mark.parametrize("window_s", [10.0, 20.0, 40.0, 60.0, 120.0])
def test_the_stated_confidence_holds_in_200_searches(window_s: float) -> None:
    covered(range(1_000, 1_200), window_s)
