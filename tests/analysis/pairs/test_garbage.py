"""Any rows can be compared: none raises an error, and no number of a verdict is NaN."""

from math import isnan

import numpy as np
import pytest

from analysis.page.words import Words
from analysis.pairs.verdict import Conclusion, judge_pairs
from analysis.report.sections.pairs import first_page, section
from recording.outcome import Outcome
from tests.analysis.pairs.world import World

_FLOATS = (
    "ttft_s", "last_token_s", "elapsed_sec", "sent_offset_s", "send_lag_s", "prompt_tokens",
    "completion_tokens", "cached_tokens", "api_cost", "chunks", "arrivals", "completion_created",
    "ratelimit_remaining_requests",
)  # fmt: skip


@pytest.mark.parametrize("seed", range(20))
def test_random_cells_raise_no_error_and_give_no_nan(seed: int) -> None:
    """Any outcome; unknown, zero, negative and huge numbers; pairs lost, twice and out of order."""
    dice = np.random.default_rng(seed)
    rows = World().rows(int(dice.integers(1, 80)), seed).sample(frac=1, random_state=seed)
    odd = dice.random()
    for name in _FLOATS:
        cells = rows[name].astype("float64").to_numpy().copy()
        hit = dice.random(len(cells)) < odd * 0.5
        cells[hit] = dice.choice([np.nan, 0.0, -1.0, 1e9, 1e-9], int(hit.sum()))
        rows[name] = cells
    outcomes = np.array([outcome.value for outcome in Outcome])
    hit = dice.random(len(rows)) < odd * 0.7
    drawn = np.where(hit, dice.choice(outcomes, len(rows)), "ok")
    rows = rows.assign(outcome=drawn, success=drawn == "ok")
    rows["completion_id"] = rows["completion_id"].where(dice.random(len(rows)) > odd, None)
    rows = rows[dice.random(len(rows)) > odd * 0.2]
    comparison = judge_pairs(rows, seed)
    for verdict in comparison.verdicts:
        for value in (verdict.least, verdict.most, verdict.low, verdict.high, verdict.p):
            assert value is None or not isnan(value), verdict
        if verdict.low is not None and verdict.high is not None:
            assert verdict.low <= verdict.high
        assert isinstance(verdict.conclusion, Conclusion)
    for t in (Words("en", "CNY"), Words("zh", "CNY")):
        section(t, rows, comparison, {})
        first_page(t, comparison, {})


def test_a_comparison_without_rows_has_no_verdicts() -> None:
    rows = World().rows(2, 1)
    assert judge_pairs(rows.iloc[:0]).verdicts == []
