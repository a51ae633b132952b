"""Percentiles that an operator names, and shares with their interval."""

from fractions import Fraction

import pytest

from rules.conditions import ConditionError, metric_of, parse
from rules.percentiles import USUAL, PercentError, decimal, label, of_name
from rules.percentiles import parse as percents
from rules.wilson import wilson
from settings.option_faults import faults
from settings.options import Options


def test_a_list_of_percentiles_is_read_in_order_without_repeats() -> None:
    assert percents("99.9, 50,90,50") == (50, 90, Fraction("99.9"))
    assert percents("") == percents(" , ") == USUAL
    assert [label(p) for p in percents("50,99.99")] == ["p50", "p99_99"]
    assert [decimal(p) for p in percents("2.5,30")] == ["2.5", "30"]


@pytest.mark.parametrize(
    "text", ["0", "100", "-1", "p50", "50;90", "1e1", "nan", "٥", "99.9999999"]
)
def test_a_malformed_percentile_is_one_sentence(text: str) -> None:
    with pytest.raises(PercentError, match="above 0 and below 100"):
        percents(text)
    assert any(
        "--percentiles" in fault for fault in faults(Options(mode="smoke", percentiles=text))
    )


def test_more_than_ten_percentiles_are_refused() -> None:
    with pytest.raises(PercentError, match="at most 10"):
        percents(",".join(map(str, range(1, 12))))


@pytest.mark.parametrize(("name", "number"), [
    ("p90_s", "latency_p90_s"), ("p99_9_s", "latency_p99_9_s"), ("e2e_p90_s", "latency_p90_s"),
    ("ttft_p99_9_s", "ttft_p99_9_s"), ("tpot_p75_s", "tpot_p75_s"), ("itl_p99_9_s", "itl_p99_9_s"),
    ("p50_s", "latency_p50_s"), ("send_lag_p99_s", "send_lag_p99_s"),
])  # fmt: skip
def test_a_condition_can_name_any_percentile(name: str, number: str) -> None:
    metric = metric_of(name)
    assert metric is not None and metric.number == number
    assert parse(f"{name}>1")[0].metric == name


@pytest.mark.parametrize("name", ["p0_s", "p100_s", "p_s", "p99_9", "cost_p90_s", "send_lag_p90_s"])
def test_a_percentile_metric_that_does_not_exist_is_refused(name: str) -> None:
    assert metric_of(name) is None
    with pytest.raises(ConditionError, match="is unknown"):
        parse(f"{name}>1")


def test_the_name_of_a_metric_gives_its_percentile() -> None:
    assert of_name("latency_p99_9_s") == Fraction("99.9")
    assert of_name("wall_s") is None


@pytest.mark.parametrize(("hits", "count", "low", "high"), [
    (5, 5, 0.5655, 1.0), (19, 20, 0.7639, 0.9911), (0, 10, 0.0, 0.2775), (0, 0, 0.0, 1.0),
])  # fmt: skip
def test_wilsons_interval_is_that_of_the_tables(
    hits: int, count: int, low: float, high: float
) -> None:
    assert wilson(hits, count) == pytest.approx((low, high), abs=5e-5)


def test_more_hits_than_trials_are_refused() -> None:
    with pytest.raises(ValueError, match="not a share"):
        wilson(3, 2)
