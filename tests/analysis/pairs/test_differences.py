"""The difference of each pair where replies, timeouts, refusals or unlike replies came."""

import numpy as np
import pandas as pd

from analysis.pairs.differences import Differences, differences
from analysis.pairs.pairing import paired
from analysis.pairs.verdict import Conclusion, judge_pairs
from tests.analysis.pairs.world import World, constant


def differences_of(rows: pd.DataFrame, metric: str) -> Differences:
    (pairs,) = paired(rows)
    return differences(pairs, metric)


def failed(rows: pd.DataFrame, where: "pd.Series[bool]", outcome: str, **cells: object) -> None:
    unknown = dict.fromkeys(("ttft_s", "last_token_s", "completion_tokens", "api_cost"), np.nan)
    for name, cell in {"success": False, "outcome": outcome, **unknown, **cells}.items():
        rows.loc[where, name] = cell


def test_a_difference_is_the_gateways_time_minus_the_references() -> None:
    rows = World(constant(0.5)).rows(20, 1)
    ttft = differences_of(rows, "ttft")
    table = rows.pivot(index="request_index", columns="arm", values="ttft_s")
    assert np.allclose(ttft.low, table["a"] - table["b"]) and np.array_equal(ttft.low, ttft.high)
    assert np.allclose(differences_of(rows, "tpot").low, 0, atol=1e-9)
    assert not differences_of(rows, "tpot").low.any()  # not even by a float's last digit


def test_a_timeout_bounds_the_difference_on_one_side() -> None:
    rows = World().rows(20, 1)
    failed(rows, (rows["request_index"] == 2) & (rows["arm"] == "a"), "timeout_total",
           elapsed_sec=30.0)  # fmt: skip
    failed(rows, (rows["request_index"] == 3) & (rows["arm"] == "b"), "timeout_first_byte",
           elapsed_sec=10.0)  # fmt: skip
    for metric in ("ttft", "total"):
        apart = differences_of(rows, metric)
        assert apart.unanswered == (1, 1) and len(apart) == 20
        assert apart.low[2] > 28 and apart.high[2] == np.inf
        assert apart.low[3] == -np.inf and apart.high[3] < -8


def test_a_truncated_stream_still_has_its_ttft() -> None:
    rows = World().rows(20, 1)
    failed(rows, (rows["request_index"] == 2) & (rows["arm"] == "a"), "stream_truncated",
           elapsed_sec=3.0, ttft_s=0.4)  # fmt: skip
    ttft = differences_of(rows, "ttft")
    assert ttft.unanswered == (0, 0) and np.isfinite(ttft.high[2])
    assert differences_of(rows, "total").unanswered == (1, 0)


def test_a_pair_with_a_refusal_has_no_difference_of_time() -> None:
    rows = World().rows(20, 1)
    failed(rows, (rows["request_index"] == 2) & (rows["arm"] == "a"), "server_error",
           http_status=500)  # fmt: skip
    assert len(differences_of(rows, "ttft")) == 19 and differences_of(rows, "ttft").unknown == 1


def test_total_times_are_compared_only_of_replies_that_end_alike() -> None:
    rows = World().rows(20, 1)
    rows.loc[(rows["request_index"] < 4) & (rows["arm"] == "a"), "completion_tokens"] = 19
    rows.loc[(rows["request_index"] == 4) & (rows["arm"] == "a"), "finish_reason"] = "stop"
    assert len(differences_of(rows, "total")) == 15 and differences_of(rows, "total").unlike == 5
    assert len(differences_of(rows, "ttft")) == 20


def test_timeouts_of_the_gateway_alone_show_that_it_adds_time() -> None:
    """60 of 80 gateway requests time out after 5 s:

    the interval has a lower bound and no upper one.
    """
    rows = World(constant(0.0)).rows(80, 1)
    failed(rows, (rows["request_index"] % 4 != 0) & (rows["arm"] == "a"), "timeout_total",
           elapsed_sec=5.0)  # fmt: skip
    ttft = next(v for v in judge_pairs(rows).verdicts if v.metric == "ttft")
    assert ttft.conclusion is Conclusion.ADDS and ttft.low is not None and ttft.low > 1
    assert ttft.high == np.inf and ttft.visible is None and ttft.unanswered == (60, 0)


def test_timeouts_of_both_arms_show_no_difference() -> None:
    rows = World(constant(0.0)).rows(80, 1)
    failed(rows, rows["request_index"] % 4 != 0, "timeout_total", elapsed_sec=5.0)
    verdict_of = {v.metric: v.conclusion for v in judge_pairs(rows).verdicts}
    assert verdict_of["ttft"] is verdict_of["total"] is Conclusion.NOT_SHOWN
