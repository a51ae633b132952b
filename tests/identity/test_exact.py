"""The exact tests against slow, independent formulas."""

from collections import Counter
from itertools import combinations
from random import Random

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.stats import fisher_exact

from identity.exact import GRID, Counts, Pair, spread, steps, strays

answers = st.lists(st.sampled_from("abcd"), min_size=1, max_size=5)


def distance(reference: Counts, audit: Counts) -> float:
    """Total variation, by its definition."""
    n, m = sum(reference.values()), sum(audit.values())
    words = {*reference, *audit}
    return sum(abs(reference.get(w, 0) / n - audit.get(w, 0) / m) for w in words) / 2


def by_enumeration(pairs: list[Pair]) -> tuple[float, float]:
    """p and the expected distance, over every way to assign the answers."""
    observed = sum(steps(*pair) for pair in pairs)
    sums = [0]
    for reference, audit in pairs:
        pool = [*Counter(reference).elements(), *Counter(audit).elements()]
        size = sum(audit.values())
        distances = []
        for chosen in combinations(range(len(pool)), size):
            theirs = Counter(pool[i] for i in chosen)
            distances.append(steps(Counter(pool) - theirs, theirs))
        sums = [a + b for a in sums for b in distances]
    more = sum(one >= observed for one in sums) / len(sums)
    return more, sum(sums) / len(sums) / GRID / len(pairs)


@settings(deadline=None, max_examples=60)
@given(st.lists(st.tuples(answers, answers), min_size=1, max_size=2))
def test_the_permutation_test_is_that_of_enumeration(
    said: list[tuple[list[str], list[str]]],
) -> None:
    pairs: list[Pair] = [(Counter(a), Counter(b)) for a, b in said]
    result = spread(pairs)
    p, expected = by_enumeration(pairs)
    assert result is not None
    assert result.p == pytest.approx(p)
    assert result.expected == pytest.approx(expected)


@given(answers, answers)
def test_a_distance_is_total_variation_within_half_a_step(a: list[str], b: list[str]) -> None:
    counts = Counter(a), Counter(b)
    assert abs(steps(*counts) / GRID - distance(*counts)) <= 0.5 / GRID + 1e-12


@pytest.mark.parametrize(("a", "n", "b", "m"), [(1, 40, 6, 40), (0, 12, 3, 4), (5, 40, 1, 40)])
def test_the_test_of_strays_for_one_question_is_fishers(a: int, n: int, b: int, m: int) -> None:
    table = [[b, m - b], [a, n - a]]
    assert strays([(a, n, b, m)]) == pytest.approx(fisher_exact(table, "greater").pvalue)


def test_strays_of_several_questions_are_permuted_within_each() -> None:
    """By enumeration; a pooled table would mix a question that strays with one that does not."""
    sides = [(1, 3, 2, 3), (0, 2, 1, 3)]
    sums = [0]
    for a, n, b, m in sides:
        pool = [1] * (a + b) + [0] * (n + m - a - b)
        strays_dealt = [sum(pool[i] for i in some) for some in combinations(range(n + m), m)]
        sums = [x + y for x in sums for y in strays_dealt]
    assert strays(sides) == pytest.approx(sum(one >= 3 for one in sums) / len(sums))


def test_an_empty_side_gives_no_p_value() -> None:
    assert spread([(Counter("a"), Counter())]) is None
    assert strays([(0, 0, 1, 4)]) is None


def test_p_values_of_equal_distributions_are_not_too_small() -> None:
    """In 2,000 comparisons of answers drawn alike, p is at most 5 % in at most 5 % (and chance)."""
    dice, small = Random(5), 0
    for _ in range(2000):
        draw = [dice.choices("abcde", (8, 4, 2, 1, 1), k=16) for _ in range(2)]
        result = spread([(Counter(draw[0]), Counter(draw[1]))])
        small += result is not None and result.p <= 0.05
    assert small <= 2000 * 0.05 + 3 * (2000 * 0.05 * 0.95) ** 0.5
