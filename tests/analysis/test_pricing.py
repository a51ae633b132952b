"""Stated costs against the price table, row by row and in the report."""

from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from analysis.numbers.pricing import beyond, compare, table_costs
from analysis.page import markdown
from analysis.reading.load import Run, load
from analysis.report import report
from recording.record import RequestRecord
from rules.prices import Price, Prices
from tests.analysis.runs import failed, make, record

NANO = Price(input=1.4, cached_input=0.14, output=8.75, decimals=6)
TABLE = Prices({"gpt-5.4-nano": NANO}, "CNY")


def run(folder: Path, *records: RequestRecord, **manifest: Any) -> Run:
    return load(make(folder / "r", *records, prices=TABLE.as_dict(), **manifest))


def section(found: Run, lang: Any = "en") -> str:
    text = markdown.render(report.compose(report.look(found, lang)))
    title = "## Cost and request tracing" if lang == "en" else "## 费用和请求追踪"
    return text.partition(title)[2].partition("\n## ")[0]


counts = st.none() | st.integers(0, 40)
rows = st.lists(
    st.tuples(st.sampled_from(["gpt-5.4-nano", "other"]), *[counts] * 6),
    min_size=1,
    max_size=30,
)


@given(rows)
@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], max_examples=25)
def test_many_rows_are_priced_as_each_alone(
    tmp_path_factory: pytest.TempPathFactory, rows: list[tuple[Any, ...]]
) -> None:
    """Grouping equal rows changes nothing."""
    names = ("model_requested", "prompt_tokens", "completion_tokens", "cached_tokens",
             "cache_write_tokens", "reasoning_tokens", "total_tokens")  # fmt: skip
    records = [record(i, **dict(zip(names, row, strict=True))) for i, row in enumerate(rows)]
    costs_of_rows = table_costs(run(tmp_path_factory.mktemp("run"), *records).requests, TABLE)
    expected = [TABLE.cost(*row) for row in rows]
    assert [None if cost != cost else cost for cost in costs_of_rows] == expected


def test_a_cost_within_a_millionth_of_the_table_agrees(tmp_path: Path) -> None:
    """12 + 6 tokens cost 0.000069; a millionth off is rounding, more is not."""
    costs = (0.000069, 0.00007, 0.000068, 0.0000711, 0.00009)
    loaded = run(tmp_path, *(record(i, api_cost=cost) for i, cost in enumerate(costs)))
    (comparison,) = compare(loaded.requests, TABLE)
    assert comparison.count == 5
    assert comparison.differing["request_index"].tolist() == [4, 3], "the largest difference first"
    assert comparison.difference == pytest.approx(sum(costs) - 5 * 0.000069)


def test_a_cost_below_a_millionth_can_differ_from_the_table(tmp_path: Path) -> None:
    """Stated at the billionth: 18 tokens at 0.05 a million are 0.0000009, not 0.0000005."""
    loaded = run(tmp_path, record(0, api_cost=9e-7), record(1, api_cost=5e-7))
    (comparison,) = compare(loaded.requests, Prices({"*": Price(input=0.05, output=0.05)}))
    assert comparison.differing["request_index"].tolist() == [1]
    (comparison,) = compare(
        loaded.requests, Prices({"*": Price(input=0.05, output=0.05, decimals=6)})
    )
    assert comparison.differing.empty, "a table that rounds cannot tell them apart"


def test_only_stated_costs_with_a_price_are_compared(tmp_path: Path) -> None:
    loaded = run(
        tmp_path,
        record(0, api_cost=1.0, cost_source="price_table"),
        record(1, api_cost=None, cost_source="unknown"),
        record(2, prompt_tokens=None),
        record(3, model_requested="unpriced"),
        record(4, cost_source="header"),
    )
    (comparison,) = compare(loaded.requests, TABLE)
    assert comparison.count == 1 and comparison.differing.empty


def test_float_rounding_is_no_difference() -> None:
    """0.016478 - 0.016477 is more than a millionth in binary."""
    assert 0.016478 - 0.016477 > 1e-6 and not beyond(0.016478 - 0.016477, 1e-6)


def test_the_report_lists_costs_that_differ_from_the_table(tmp_path: Path) -> None:
    loaded = run(tmp_path, record(0), record(1, api_cost=0.00009), record(2, api_cost=0.0002))
    text = section(loaded)
    assert "2 of 3 stated costs differ from the price table." in text
    assert "| gpt-5.4-nano | 3 | 2 | ¥0.000359 | ¥0.000207 | ¥0.000152 |" in text
    first, second = (text.index(f"req-{i} ") for i in (2, 1))
    assert first < second
    assert "| 12 | - | - | 6 | ¥0.000200 | ¥0.000069 | ¥0.000131 |" in text
    assert "3 条自报费用中有 2 条与价格表不符" in section(loaded, "zh")


def test_the_report_says_that_all_costs_agree(tmp_path: Path) -> None:
    text = section(run(tmp_path, record(0), record(1)))
    assert "✅ 0 of 2 stated costs differ from the price table." in text
    assert "Largest differences" not in text


def test_without_a_table_nothing_is_compared(tmp_path: Path) -> None:
    assert "price table." not in section(load(make(tmp_path / "r", record(0))))


def test_the_report_lists_costs_by_source(tmp_path: Path) -> None:
    """Each source with its rows, its share and its money; unknown money is not 0."""
    text = section(
        run(
            tmp_path,
            record(0),
            record(1, api_cost=0.5, cost_source="header"),
            record(2, api_cost=0.25, cost_source="price_table"),
            failed(3, api_cost=None),
        )
    )
    assert "| body | the reply's usage.cost | 1 | 25% | 1 | ¥0.000069 |" in text
    assert "| header | a header of the reply | 1 | 25% | 1 | ¥0.500000 |" in text
    assert "| price_table | tokens x the price table | 1 | 25% | 1 | ¥0.250000 |" in text
    assert "| unknown | no source states one | 1 | 25% | 0 | - |" in text


def test_cost_per_1000_tokens_counts_only_rows_that_state_both(tmp_path: Path) -> None:
    view = report.look(
        run(
            tmp_path,
            record(0, api_cost=0.3, total_tokens=100),
            record(1, api_cost=0.1, total_tokens=100),
            record(2, api_cost=None, cost_source="unknown", total_tokens=5_000),
            record(3, api_cost=9.0, total_tokens=None),
        )
    )
    (phase,) = view.phases
    assert phase.cost_per_1k_tokens == pytest.approx(2.0)
    assert phase.cost_unknown_share == 0.25
