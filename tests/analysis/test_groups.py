"""Groups, masks, ranks and prefixes: the fast implementations against plain ones."""

from math import fsum
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from analysis.numbers.percentile import nearest_rank, nearest_ranks
from analysis.reading.groups import groups, known_sum
from analysis.reading.load import load
from analysis.reading.subset import Chosen
from analysis.report.plots import thin
from tests.analysis.runs import make, record

KEYS = st.tuples(
    st.sampled_from(["a", "b", None]), st.sampled_from([1, 2, None]), st.sampled_from([0.5, None])
)


@given(st.lists(KEYS, max_size=12))
def test_groups_are_those_of_pandas_groupby(keys: list[tuple[object, ...]]) -> None:
    """Whether or not equal keys are adjacent, and with missing keys."""
    frame = pd.DataFrame(
        {
            "name": pd.Series([k[0] for k in keys], dtype="str"),
            "number": pd.Series([k[1] for k in keys], dtype="Int64"),
            "size": pd.Series([k[2] for k in keys], dtype="float64"),
            "row": range(len(keys)),
        }
    )
    by = ["name", "number", "size"]
    wanted = [rows["row"].tolist() for _, rows in frame.groupby(by, sort=False, dropna=False)]
    assert [rows["row"].tolist() for _, rows in groups(frame, by)] == wanted


@given(st.lists(st.tuples(st.floats(-9, 9), st.sampled_from([True, False, None])), max_size=9))
def test_chosen_rows_are_those_of_the_mask(rows: list[tuple[float, bool | None]]) -> None:
    frame = pd.DataFrame({"x": [x for x, _ in rows]}, dtype="float64")
    truth = pd.Series([b for _, b in rows], dtype="boolean")
    chosen = Chosen.of(frame, truth).where(frame["x"] > 0)
    wanted = frame[truth.fillna(False) & (frame["x"] > 0)]["x"]
    assert (len(chosen), chosen["x"].tolist()) == (len(wanted), wanted.tolist())


@given(st.lists(st.floats(-1e9, 1e9), max_size=300))
def test_percentiles_computed_together_are_those_computed_alone(values: list[float]) -> None:
    percents = (50, 95, 99, 0, 100)
    wanted = [nearest_rank(sorted(values), percent) for percent in percents]
    assert nearest_ranks(np.array(values), percents) == wanted


@given(st.lists(st.floats(allow_nan=False, allow_infinity=False), max_size=40))
@example([5e-324, -2.2250738585072014e-308, 1.0])
@example([1e308, -1e308, 0.1])
@example([-0.0])
def test_a_sum_is_correctly_rounded_like_fsum(values: list[float]) -> None:
    try:
        wanted = fsum(values)
    except OverflowError:
        return
    assert known_sum(pd.Series(values, dtype="float64")) == wanted


def test_a_sum_of_many_blocks_is_exact() -> None:
    values = pd.Series([1e16, 1.0, -1e16] * 100_001)
    assert known_sum(values) == 100_001


@pytest.mark.parametrize(
    ("task", "prefix"),
    [
        ("nl-rpm-m-target-600-req-7", "nl-rpm"),
        ("nl-m-m-m-1", "nl"),
        ("nl-tool-1", "nl-tool"),
        ("nl-tool-12--3", "nl-tool-12"),
        ("-m-", None),
        ("123", None),
        (None, None),
    ],
)
def test_a_task_prefix_ends_before_the_model_or_the_number(
    tmp_path: Path, task: str | None, prefix: str | None
) -> None:
    run = load(make(tmp_path / "r", record(0, task_id=task, model_requested="m")))
    (prefix_of_task,) = run.rows.task_prefixes()
    assert prefix_of_task == (prefix or "") if task else prefix_of_task != prefix_of_task


@given(st.lists(st.tuples(st.floats(0, 1e6), st.floats(0, 1e6)), min_size=1, max_size=400))
def test_thinned_points_keep_the_extremes(points: list[tuple[float, float]]) -> None:
    x, y = np.array(points).T
    thinned = thin(x, y, limit=20)
    assert len(thinned) <= 20
    heights = [height for _, height in thinned]
    assert (min(heights), max(heights)) == (round(float(y.min()), 6), round(float(y.max()), 6))
