"""Costs against the run's own prices: true outliers are found, and honest prices raise no alarm."""

import math
from pathlib import Path
from random import Random
from typing import Any

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from analysis.numbers.outliers import MIN_ROWS, Misfits, outliers
from analysis.page.markdown import render
from analysis.reading.load import Run, load
from analysis.report.report import compose, look
from recording.record import COLUMNS, RequestRecord
from tests.analysis.runs import make, record


def frame(records: list[RequestRecord]) -> Any:
    import pandas as pd

    columns_of = pd.DataFrame({name: [getattr(one, name) for one in records] for name in COLUMNS})
    counts = [n for n in COLUMNS if n.endswith("_tokens")]
    return columns_of.astype(dict.fromkeys(counts, "Int64"))


def priced(
    index: int, *, prompt: int = 12, cached: int | None = 0, completion: int = 6,
    prices: tuple[float, float, float] = (1.0, 0.1, 4.0), minimum: float = 0.0,
    decimals: int | None = 6, times: float = 1.0, **known: Any,
) -> RequestRecord:  # fmt: skip
    """A row that cost `times` what its tokens cost at these prices per million."""
    held = cached or 0
    exact = ((prompt - held) * prices[0] + held * prices[1] + completion * prices[2]) / 1e6
    cost = max(minimum, exact) * times
    values = {
        "prompt_tokens": prompt, "cached_tokens": cached, "completion_tokens": completion,
        "total_tokens": prompt + completion,
        "api_cost": cost if decimals is None else round(cost, decimals),
    }  # fmt: skip
    return record(index, **(values | known))


def outlier_indices(records: list[RequestRecord]) -> list[Misfits]:
    return outliers(frame(records))


def mixed(dice: Random, count: int, **how: Any) -> list[RequestRecord]:
    """Requests with short, long and cached prompts, and with short and long replies."""
    rows = []
    for index in range(count):
        prompt = dice.choice([12, 12, 12, 900, 4000, 11_719])
        cached = dice.choice([0, prompt // 128 * 128]) if prompt > 1024 else 0
        rows.append(
            priced(index, prompt=prompt, cached=cached, completion=dice.randint(1, 400), **how)
        )
    return rows


def test_a_cost_a_hundred_times_too_high_is_an_outlier() -> None:
    rows = [priced(i, times=100 if i == 7 else 1) for i in range(MIN_ROWS)]
    (misfits,) = outlier_indices(rows)
    assert (misfits.model, misfits.judged, misfits.rows) == ("gpt-5.4-nano", MIN_ROWS, [7])
    assert misfits.costs == [rows[7].api_cost]
    assert misfits.expected[0] == pytest.approx(rows[0].api_cost)
    assert misfits.steady


@pytest.mark.parametrize("times", [100.0, 10.0, 4.0, 0.2, 0.01])
@pytest.mark.parametrize("seed", range(5))
def test_one_wrong_charge_among_unlike_requests_is_found(times: float, seed: int) -> None:
    dice = Random(seed)
    rows = mixed(dice, 200, decimals=None)
    odd = sorted(dice.sample(range(200), 8))
    for index in odd:
        old = rows[index]
        rows[index] = record(
            **{name: getattr(old, name) for name in COLUMNS if name != "request_index"}
            | {"api_cost": (old.api_cost or 0) * times, "index": index}
        )
    (misfits,) = outlier_indices(rows)
    assert misfits.rows == odd


money = st.floats(0.01, 100.0)


@example(seed=5, prices=(0.0625, 1.0, 0.125), minimum=0.0001, decimals=None)
@settings(max_examples=60)
@given(
    seed=st.integers(0, 10_000),
    prices=st.tuples(money, money, money),
    minimum=st.sampled_from([0.0, 1e-6, 1e-4]),
    decimals=st.sampled_from([None, 4, 6, 9]),
)
def test_honest_prices_raise_no_alarm(
    seed: int, prices: tuple[float, float, float], minimum: float, decimals: int | None
) -> None:
    """Whatever the prices, the minimum charge and the rounding."""
    rows = mixed(Random(seed), 80, prices=prices, minimum=minimum, decimals=decimals)
    assert outlier_indices(rows) == []


def test_too_few_rows_have_no_outliers() -> None:
    assert (
        outlier_indices([priced(i, times=100 if i == 7 else 1) for i in range(MIN_ROWS - 1)]) == []
    )


def test_each_models_costs_are_judged_by_its_own_prices() -> None:
    cheap = [priced(i) for i in range(30)]
    dear = [priced(i, prices=(100, 10, 400), model_requested="x") for i in range(30)]
    assert outlier_indices(cheap + dear) == []


def test_unstated_cached_tokens_raise_no_alarm() -> None:
    """Without cached_tokens the cold request looks ten times too expensive, and is not."""
    short = [priced(i, cached=None) for i in range(40)]
    cold = priced(40, prompt=11_719, cached=None)
    warm = [
        priced(i, prompt=11_719, cached=None, api_cost=(cold.api_cost or 0) / 10)
        for i in range(41, 45)
    ]
    assert outlier_indices([*short, cold, *warm]) == []


def test_reasoning_tokens_outside_the_completion_are_priced_too() -> None:
    rows = [
        priced(i, total_tokens=18 + i * 50, api_cost=round(36e-6 + i * 50 * 4e-6, 6))
        for i in range(40)
    ]
    assert outlier_indices(rows) == []


def test_unknown_costs_and_impossible_tokens_are_not_judged() -> None:
    rows = [priced(i) for i in range(30)]
    rows += [priced(30, completion=-6, times=100), priced(31, api_cost=None), priced(32, prompt=0)]
    rows += [priced(33, api_cost=-1.0)]
    assert [m.rows for m in outlier_indices(rows)] in ([], [[32]])


def test_free_models_raise_no_alarm() -> None:
    assert outlier_indices([priced(i, prices=(0, 0, 0)) for i in range(30)]) == []


def test_costs_that_follow_no_prices_are_reported_as_such() -> None:
    """Half of the rows cost ten times as much: no row is an outlier, but there is no price."""
    rows = [priced(i, decimals=None, times=10 if i % 5 < 2 else 1) for i in range(100)]
    (misfits,) = outlier_indices(rows)
    assert (len(misfits.rows), misfits.steady) == (40, False)


def page(folder: Path, lang: Any = "en") -> str:
    run: Run = load(folder)
    return render(compose(look(run, lang)))


def test_the_first_page_lists_flags_by_kind_with_examples(tmp_path: Path) -> None:
    detail = '{"flags": {"model_mismatch": "asked for a, got b", "usage_sum": "9 is not 5 + 2"}}'
    rows = [priced(i, times=100 if i == 7 else 1) for i in range(MIN_ROWS)]
    odd = {"check": "pass model_mismatch usage_sum", "check_detail": detail}
    rows[3] = priced(3, **odd)
    rows[4] = priced(4, check="fail", check_detail="not JSON")
    folder = make(tmp_path / "r", *rows)
    text = page(folder)
    name = "nl-rpm-gpt-5.4-nano-target-600-req-"
    assert (
        "1 row (5%) is flagged model_mismatch (the answer names a different model than was "
        f"requested): {name}3 (asked for a, got b)." in text
    )
    assert f"{name}3 (9 is not 5 + 2)" in text
    assert f"is flagged fail (a probe judged the answer wrong): {name}4." in text
    assert f"{name}7 (¥0.003600 instead of ¥0.000036)" in text
    zh = page(folder, "zh")
    assert "1 行（5%）被标记为 model_mismatch（应答所称模型与请求模型不同）" in zh
    assert "cost_outlier" in zh and "¥0.003600，按单价应为 ¥0.000036" in zh


def test_flags_and_verdicts_are_counted_apart(tmp_path: Path) -> None:
    rows = [
        priced(0, check="pass usage_sum"),
        priced(1, check="fail usage_sum"),
        priced(2, check="usage_sum"),
        priced(3),
    ]
    (phase,) = look(load(make(tmp_path / "r", *rows))).phases
    numbers = phase.as_dict()
    assert numbers["checks"] == {"usage_sum": 3, "pass": 1, "fail": 1}
    assert numbers["checks_failed"] == 1


def test_outliers_of_many_rows_are_those_of_few() -> None:
    rows = [priced(i, completion=1 + i % 300, times=50 if i == 5 else 1) for i in range(20_000)]
    (misfits,) = outlier_indices(rows)
    assert misfits.rows == [5]
    assert math.isclose(misfits.expected[0], (rows[5].api_cost or 0) / 50, rel_tol=0.05)
