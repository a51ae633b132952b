"""The k-th smallest sum, against all of them."""

from itertools import combinations_with_replacement, product

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from estimates import selection
from estimates.selection import kth_sum

VALUES = st.lists(
    st.floats(-1e3, 1e3).map(lambda v: round(v, 2)) | st.just(float("inf")), min_size=1, max_size=12
)


@settings(max_examples=150)
@given(VALUES, VALUES, st.booleans(), st.booleans(), st.data())
def test_the_kth_sum_is_that_of_sorting_all_sums(
    x: list[float], y: list[float], once: bool, below: bool, data: st.DataObject
) -> None:
    """However many are held at once; with infinite values of either sign, and many equal ones."""
    sign = -1.0 if below else 1.0
    xs = np.sort(sign * np.array(x))
    ys = xs if once else np.sort(sign * np.array(y))
    ways = combinations_with_replacement(xs, 2) if once else product(xs, ys)
    sums = sorted(float(a + b) for a, b in ways)
    rank = data.draw(st.integers(1, len(sums)))
    with pytest.MonkeyPatch.context() as patched:
        patched.setattr(selection, "_AT_ONCE", data.draw(st.sampled_from([1, 5, 1_000])))
        kth = kth_sum(xs, ys, rank, once)
    assert kth == pytest.approx(sums[rank - 1], rel=1e-9, abs=1e-9)


def test_a_rank_out_of_range_is_refused() -> None:
    with pytest.raises(ValueError, match="no rank 4 among 3"):
        kth_sum(np.array([1.0, 2.0]), np.array([1.0, 2.0]), 4, once=True)


def test_200000_values_have_a_median_sum_near_that_of_their_distribution() -> None:
    """Of 2 * 10^10 sums no more than a few million are ever computed."""
    values = np.sort(np.random.default_rng(5).normal(3, 1, 200_000))
    middle = kth_sum(values, values, len(values) * (len(values) + 1) // 4, once=True)
    assert middle / 2 == pytest.approx(3, abs=0.01)
