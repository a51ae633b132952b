"""What is known of each pair: answers, requests that were waited for, refusals, unlike replies."""

import numpy as np
import pandas as pd

from analysis.pairs.differences import Differences, differences
from analysis.pairs.pairing import paired
from analysis.pairs.verdict import Said, judged
from tests.analysis.pairs.world import World, constant


def of(rows: pd.DataFrame, metric: str) -> Differences:
    (pairs,) = paired(rows)
    return differences(pairs, metric)


def failed(rows: pd.DataFrame, where: "pd.Series[bool]", outcome: str, **cells: object) -> None:
    unknown = dict.fromkeys(("ttft_s", "last_token_s", "completion_tokens", "api_cost"), np.nan)
    for name, cell in {"success": False, "outcome": outcome, **unknown, **cells}.items():
        rows.loc[where, name] = cell


def test_differences_are_gateway_less_reference() -> None:
    rows = World(constant(0.5)).rows(20, 1)
    found = of(rows, "ttft")
    table = rows.pivot(index="request_index", columns="arm", values="ttft_s")
    assert np.allclose(found.low, table["a"] - table["b"]) and np.array_equal(found.low, found.high)
    assert np.allclose(of(rows, "tpot").low, 0, atol=1e-9)
    assert not of(rows, "tpot").low.any()  # not even by a float's last digit


def test_a_request_that_was_waited_for_is_at_least_as_long() -> None:
    rows = World().rows(20, 1)
    failed(rows, (rows["request_index"] == 2) & (rows["arm"] == "a"), "timeout_total",
           elapsed_sec=30.0)  # fmt: skip
    failed(rows, (rows["request_index"] == 3) & (rows["arm"] == "b"), "timeout_first_byte",
           elapsed_sec=10.0)  # fmt: skip
    for metric in ("ttft", "total"):
        found = of(rows, metric)
        assert found.unanswered == (1, 1) and len(found) == 20
        assert found.low[2] > 28 and found.high[2] == np.inf
        assert found.low[3] == -np.inf and found.high[3] < -8


def test_a_stream_that_was_cut_has_shown_its_first_token() -> None:
    rows = World().rows(20, 1)
    failed(rows, (rows["request_index"] == 2) & (rows["arm"] == "a"), "stream_truncated",
           elapsed_sec=3.0, ttft_s=0.4)  # fmt: skip
    found = of(rows, "ttft")
    assert found.unanswered == (0, 0) and np.isfinite(found.high[2])
    assert of(rows, "total").unanswered == (1, 0)


def test_a_refusal_is_no_time() -> None:
    rows = World().rows(20, 1)
    failed(rows, (rows["request_index"] == 2) & (rows["arm"] == "a"), "server_error",
           http_status=500)  # fmt: skip
    assert len(of(rows, "ttft")) == 19 and of(rows, "ttft").unknown == 1


def test_the_total_of_unlike_replies_is_not_compared() -> None:
    rows = World().rows(20, 1)
    rows.loc[(rows["request_index"] < 4) & (rows["arm"] == "a"), "completion_tokens"] = 19
    rows.loc[(rows["request_index"] == 4) & (rows["arm"] == "a"), "finish_reason"] = "stop"
    assert len(of(rows, "total")) == 15 and of(rows, "total").unlike == 5
    assert len(of(rows, "ttft")) == 20


def test_timeouts_of_the_gateway_alone_show_that_it_adds() -> None:
    """Of 80 pairs 60 gateway requests time out after 5 s: nothing bounds it above, all below."""
    rows = World(constant(0.0)).rows(80, 1)
    failed(rows, (rows["request_index"] % 4 != 0) & (rows["arm"] == "a"), "timeout_total",
           elapsed_sec=5.0)  # fmt: skip
    ttft = next(v for v in judged(rows).verdicts if v.metric == "ttft")
    assert ttft.said is Said.ADDS and ttft.low is not None and ttft.low > 1
    assert ttft.high == np.inf and ttft.visible is None and ttft.unanswered == (60, 0)


def test_timeouts_of_both_arms_show_nothing() -> None:
    rows = World(constant(0.0)).rows(80, 1)
    failed(rows, rows["request_index"] % 4 != 0, "timeout_total", elapsed_sec=5.0)
    said = {v.metric: v.said for v in judged(rows).verdicts}
    assert said["ttft"] is said["total"] is Said.NOT_SHOWN
