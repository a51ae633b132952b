"""P-values by swapping arms: against enumeration and scipy, and how often they are false alarms."""

from itertools import product

import numpy as np
import pytest
from scipy import stats

from analysis.pairs.swapping import p_value
from estimates import blocks
from estimates.location import signed_ranks


def test_the_p_value_of_nine_pairs_is_that_of_enumeration() -> None:
    scores = np.random.default_rng(1).normal(1, 1, 9)
    sums = [abs(float(np.dot(ways, scores))) for ways in product((1, -1), repeat=9)]
    truth = sum(s >= abs(scores.sum()) - 1e-9 for s in sums) / len(sums)
    assert p_value(scores, np.arange(9)) == pytest.approx(truth)


def test_the_p_value_of_signed_ranks_is_wilcoxons() -> None:
    values = np.random.default_rng(6).normal(0.2, 1, 80)
    p = p_value(signed_ranks(values, values), np.arange(80), seed=3)
    assert p == pytest.approx(stats.wilcoxon(values).pvalue, abs=0.015)


def test_the_p_value_is_fixed_by_the_seed_and_nearly_the_same_for_another() -> None:
    values = np.random.default_rng(6).normal(0.2, 1, 80)
    first, again, other_seed = (p_value(values, np.arange(80), seed) for seed in (1, 1, 2))
    assert first == again and other_seed == pytest.approx(first, abs=0.02)


def test_the_p_value_without_scores_or_differences_is_1() -> None:
    assert p_value(np.empty(0), np.arange(0)) == 1.0
    assert p_value(np.zeros(50), np.arange(50)) == 1.0


def test_swapping_blocks_keeps_false_alarms_of_correlated_pairs_at_5_percent() -> None:
    """AR(1) of 0.8 about 0: of 200 series at most 18 (5 % and chance) have p <= 0.05."""
    wrong = 0
    for seed in range(200):
        shocks = np.random.default_rng(seed).normal(size=450)
        values = np.zeros(450)
        for place in range(1, 450):
            values[place] = 0.8 * values[place - 1] + shocks[place]
        wrong += p_value(values[50:], blocks.for_swaps(400, 15.0), seed) <= 0.05
    assert wrong <= 18


def test_blocks_grow_with_the_memory_until_too_few_are_left() -> None:
    assert list(blocks.for_swaps(5, 1.0)) == [0, 1, 2, 3, 4]
    assert blocks.for_swaps(300, 20.0).max() == 9
    assert blocks.for_swaps(1_000_000, 1.0).max() == blocks.MOST - 1
    bootstrap = blocks.for_bootstrap(400, 1.0)
    assert bootstrap is not None and bootstrap.max() == 19 and set(np.bincount(bootstrap)) == {20}
    assert blocks.for_bootstrap(400, 30.0) is None


def test_a_clear_difference_passes_a_correction_for_1000_numbers() -> None:
    """All of 60 pairs point one way, so that the exact p is 2^-59."""
    scores = np.arange(1.0, 61.0)
    assert 2.0**-59 <= p_value(scores, np.arange(60)) < 0.05 / 1000


@pytest.mark.parametrize("blocks", [15, 18])
def test_the_p_value_is_near_the_exact_one_and_not_below_it(blocks: int) -> None:
    """Exact by every way of swapping, for sums from the middle to the far end."""
    dice = np.random.default_rng(blocks)
    ways = 1 - 2 * (np.arange(2**blocks)[:, None] >> np.arange(blocks)[None, :] & 1)
    for shift in (0.0, 0.5, 1.0, 2.0, 5.0):
        scores = dice.normal(shift, 1.0, blocks)
        sums = np.abs(ways @ scores)
        exact = float((sums >= abs(scores.sum()) - 1e-9).mean())
        p = p_value(scores, np.arange(blocks), seed=4)
        drawn = 3 * np.sqrt(exact * (1 - exact) / 5_000)
        assert p >= min(exact, exact - drawn) and p <= max(exact + drawn, 1e-3) + 1e-3
