"""P-values by swapping arms: by enumeration, by scipy, by how often they accuse."""

from itertools import product

import numpy as np
import pytest
from scipy import stats

from analysis.pairs.swapping import p_value
from estimates import blocks
from estimates.location import signed_ranks


def test_few_pairs_are_enumerated() -> None:
    scores = np.random.default_rng(1).normal(1, 1, 9)
    sums = [abs(float(np.dot(ways, scores))) for ways in product((1, -1), repeat=9)]
    truth = sum(s >= abs(scores.sum()) - 1e-9 for s in sums) / len(sums)
    assert p_value(scores, np.arange(9)) == pytest.approx(truth)


def test_of_many_pairs_it_is_wilcoxon_s_p_value() -> None:
    values = np.random.default_rng(6).normal(0.2, 1, 80)
    p = p_value(signed_ranks(values, values), np.arange(80), seed=3)
    assert p == pytest.approx(stats.wilcoxon(values).pvalue, abs=0.015)


def test_the_same_seed_gives_the_same_p_and_another_one_nearly() -> None:
    values = np.random.default_rng(6).normal(0.2, 1, 80)
    one, again, other = (p_value(values, np.arange(80), seed) for seed in (1, 1, 2))
    assert one == again and other == pytest.approx(one, abs=0.02)


def test_no_scores_and_equal_arms_show_nothing() -> None:
    assert p_value(np.empty(0), np.arange(0)) == 1.0
    assert p_value(np.zeros(50), np.arange(50)) == 1.0


def test_neighbours_that_are_alike_are_swapped_together() -> None:
    """AR(1) 0.8 about 0: of 200 series of 400 at most 5 % and chance have p <= 0.05."""
    wrong = 0
    for seed in range(200):
        shocks = np.random.default_rng(seed).normal(size=450)
        values = np.zeros(450)
        for place in range(1, 450):
            values[place] = 0.8 * values[place - 1] + shocks[place]
        wrong += p_value(values[50:], blocks.for_swaps(400, 15.0), seed) <= 0.05
    assert wrong <= 18


def test_blocks_are_pairs_blocks_or_too_few() -> None:
    assert list(blocks.for_swaps(5, 1.0)) == [0, 1, 2, 3, 4]
    assert blocks.for_swaps(300, 20.0).max() == 9
    assert blocks.for_swaps(1_000_000, 1.0).max() == blocks.MOST - 1
    found = blocks.for_bootstrap(400, 1.0)
    assert found is not None and found.max() == 19 and set(np.bincount(found)) == {20}
    assert blocks.for_bootstrap(400, 30.0) is None


def test_a_clear_difference_is_shown_among_many_numbers() -> None:
    """Of 60 pairs that all point one way the exact p is 2^-59: 1,000 numbers must not hide it."""
    scores = np.arange(1.0, 61.0)
    assert 2.0**-59 <= p_value(scores, np.arange(60)) < 0.05 / 1000


@pytest.mark.parametrize("blocks", [15, 18])
def test_no_p_value_is_below_the_exact_one(blocks: int) -> None:
    """Against every way of swapping, for sums from the middle to the far end."""
    dice = np.random.default_rng(blocks)
    ways = 1 - 2 * (np.arange(2**blocks)[:, None] >> np.arange(blocks)[None, :] & 1)
    for shift in (0.0, 0.5, 1.0, 2.0, 5.0):
        scores = dice.normal(shift, 1.0, blocks)
        sums = np.abs(ways @ scores)
        exact = float((sums >= abs(scores.sum()) - 1e-9).mean())
        found = p_value(scores, np.arange(blocks), seed=4)
        drawn = 3 * np.sqrt(exact * (1 - exact) / 5_000)
        assert found >= min(exact, exact - drawn) and found <= max(exact + drawn, 1e-3) + 1e-3
