"""Equal usage charged unequally, and costs in body and header:

what is reported, and what is honest.
"""

from dataclasses import asdict
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest

from analysis.numbers.charges import READ, Apart, doubles, headers
from analysis.page import markdown
from analysis.reading.load import load
from analysis.report import report
from analysis.report.sections.vision import READABLE
from recording.record import RequestRecord
from tasks.probes.vision import PASS_SHARE
from tests.analysis.runs import failed, make, record


def frame(tmp_path: Path, *rows: RequestRecord) -> Any:
    return load(make(tmp_path / "r", *rows)).rows.frame(READ)


def charged(costs: list[float], **known: Any) -> list[RequestRecord]:
    return [record(i, api_cost=cost, **known) for i, cost in enumerate(costs)]


def random(count: int, share: float) -> "list[bool]":
    hit = np.random.default_rng(1).random(count) < share
    return [bool(one) for one in hit]


@pytest.mark.parametrize("share", [0.03, 0.5])
@pytest.mark.parametrize("factor", [2, 3, 18])
def test_equal_requests_charged_more_are_counted_with_the_extra_amount(
    tmp_path: Path, share: float, factor: int
) -> None:
    """Twice or three times as much, for 3 % to a half of the requests."""
    dear = random(300, share)
    rows = charged([0.00007 * (factor if one else 1) for one in dear])
    doubled = doubles(frame(tmp_path, *rows))
    assert (doubled.rows, doubled.of) == (sum(dear), 300)
    assert doubled.amount == pytest.approx(sum(dear) * 0.00007 * (factor - 1))
    text = markdown.render(report.compose(report.look(load(tmp_path / "r"))))
    assert (
        f"{sum(dear)} of 300 requests were charged more than others with exactly the same" in text
    )


@pytest.mark.parametrize(
    "rows",
    [
        charged([0.00007] * 100),
        charged([0.00007] * 50 + [0.00014] * 50),  # the price changed
        charged([0.00007] * 40 + [0.00014] * 40 + [0.00007] * 40),  # and changed back
        charged(([0.00014] * 9 + [0.00007] * 15) * 5),  # dearer by day
        charged([0.00014] * 30 + [0.00007, 0.00014] * 4 + [0.00007] * 30),  # answers overtake
        charged([0.00007] * 99 + [0.00014]),  # the last one: a new price, or not
        charged([0.000001 if i % 2 else 0.000002 for i in range(100)]),  # rounded to a millionth
        [record(i, api_cost=0.0001 * (1 + i % 2), completion_tokens=6 + i % 2) for i in range(99)],
        [record(i, api_cost=0.0004 if i % 3 else 0.0001, prompt_tokens=4000) for i in range(99)],
        [record(i, api_cost=0.0004 if i % 3 else 0.0001, cached_tokens=0 if i % 3 else 10)
         for i in range(99)],
        [record(i, api_cost=0.0004 if i % 3 else 0.0001, model_returned=f"m{i % 3}")
         for i in range(99)],
        [*charged([0.00007] * 20), *(failed(20 + i, api_cost=0.0002) for i in range(20))],
        charged([0.00007, 0.00014, 0.00007]),  # too few
    ],
)  # fmt: skip
def test_charges_that_honest_pricing_explains_are_not_reported(
    tmp_path: Path, rows: list[RequestRecord]
) -> None:
    """Rounding, caches, a price change, another model, other usage, failures."""
    assert doubles(frame(tmp_path, *rows)).rows == 0


@pytest.mark.parametrize(
    ("dear", "bad"),
    [(0.000141, False), (0.000219, False), (0.000182, False),  # other providers' prices
     (0.0001534, True), (0.0002301, True), (0.0001535, True)],  # twice, three times, rounded after
)  # fmt: skip
def test_a_dearer_provider_is_a_note_and_a_charge_made_twice_is_bad(
    tmp_path: Path, dear: float, bad: bool
) -> None:
    """A healthy router must not get a bad verdict; a whole multiple of the usual charge does."""
    rows = charged([dear if one else 0.0000767 for one in random(200, 0.3)])
    page = report.compose(report.look(load(make(tmp_path / "r", *rows))))
    text = markdown.render(page)
    line = next(line for line in text.splitlines() if "exactly the same usage" in line)
    assert ("several times" in line, "different prices" in line) == (bad, not bad)
    assert ("⚠️" in line) == bad, line


def test_a_provider_at_double_the_price_beside_a_third_price_is_not_reported_as_double(
    tmp_path: Path,
) -> None:
    """Where there are other ratios too, a whole multiple may be just a price."""
    pick = np.random.default_rng(3).integers(0, 3, 300)
    rows = charged([(0.0000767, 0.0001534, 0.000131)[i] for i in pick])
    doubled = doubles(frame(tmp_path, *rows))
    assert 0 < doubled.multiples < doubled.rows


def test_price_changes_are_taken_for_double_charges_in_at_most_2_of_200_runs(
    tmp_path: Path,
) -> None:
    """The change may be anywhere, and is blurred by answers that overtake one another."""
    dice, accused = np.random.default_rng(5), 0
    for _ in range(200):
        sent = np.sort(dice.uniform(0, 100, 100))
        ends = np.sort(dice.uniform(0, 100, int(dice.integers(1, 4))))
        noted = sent + dice.normal(0, 1.5, 100)  # when the gateway looked at the clock
        costs = [0.00007 * (1 + int(np.searchsorted(ends, at)) % 2) for at in noted]
        rows = pd.DataFrame([asdict(r) for r in charged(costs)])[list(READ)]
        accused += doubles(rows).rows > 0
    assert accused <= 2


@pytest.mark.long
def test_double_charges_at_random_are_detected_in_36_of_40_runs() -> None:
    """3 %, a tenth or half of 200 requests."""
    dice = np.random.default_rng(6)
    for share in (0.03, 0.1, 0.5):
        detected = 0
        for _ in range(40):
            costs = [0.00007 * (3 if one else 1) for one in dice.random(200) < share]
            rows = pd.DataFrame([asdict(r) for r in charged(costs)])[list(READ)]
            detected += doubles(rows).rows == sum(cost > 0.0001 for cost in costs)
        assert detected >= 36


def test_a_streams_header_below_its_body_is_no_difference(tmp_path: Path) -> None:
    """The header leaves before the tokens are known; a header that states more is reported."""
    low = [record(i, stream=True, api_cost=0.0007, header_cost=0.0001) for i in range(5)]
    assert headers(frame(tmp_path / "low", *low)).rows == 0
    high = [record(i, stream=True, api_cost=0.0001, header_cost=0.0007) for i in range(5)]
    assert headers(frame(tmp_path / "high", *high)).rows == 5


def test_costs_that_differ_only_by_rounding_are_no_difference(tmp_path: Path) -> None:
    """Cents in a header, float noise in a body: each is compared at its own last decimal."""
    cents = [record(i, api_cost=0.0123456 + i / 1000, header_cost=round(0.0123456 + i / 1000, 2))
             for i in range(9)]  # fmt: skip
    assert headers(frame(tmp_path / "cents", *cents)).rows == 0
    dust = [record(i, api_cost=0.1 + 0.2, header_cost=0.3) for i in range(9)]
    assert headers(frame(tmp_path / "dust", *dust)).rows == 0


def test_body_and_header_costs_that_differ_are_reported_with_the_one_that_counts(
    tmp_path: Path,
) -> None:
    """A header that is merely rounded is no difference."""
    rows = [record(i, api_cost=0.00007, header_cost=0.00126) for i in range(10)]
    assert headers(frame(tmp_path, *rows)) == Apart(10, 10, pytest.approx(0.0119))
    text = markdown.render(report.compose(report.look(load(tmp_path / "r"))))
    assert "10 of 10 replies state one cost in the body and another in a header" in text
    assert "Every number here uses the body's cost" in text
    same = [record(i, api_cost=0.0000694, header_cost=0.000069) for i in range(10)]
    assert headers(frame(tmp_path / "same", *same)).rows == 0
    alone = [record(i, api_cost=0.1, header_cost=0.1, cost_source="header") for i in range(3)]
    assert headers(frame(tmp_path / "alone", *alone)) == Apart(0, 0, 0.0)


def cached(tmp_path: Path, *rows: RequestRecord) -> str:
    return markdown.render(report.compose(report.look(load(make(tmp_path / "c", *rows)))))


def test_a_refused_request_is_no_cache_miss_and_a_warm_first_one_is_reported(
    tmp_path: Path,
) -> None:
    name: Any = {"mode": "cache", "scenario": "chat", "phase": "cache/m", "model_requested": "m"}
    refused = [failed(i, "rate_limited", http_status=429, **name) for i in range(3)]
    text = cached(tmp_path / "a", *refused)
    assert "m not known: 0 of 3 runs succeeded" in text and "no hit in" not in text
    warm = [record(i, cached_tokens=8, api_cost=0.00002, **name) for i in range(3)]
    text = cached(tmp_path / "b", *warm)
    assert "m hit on the first run already" in text and "a hit cost" not in text
    cold = [
        record(i, cached_tokens=8 * min(i, 1), api_cost=0.0001 / (1 + i), **name) for i in range(3)
    ]
    assert "a hit cost 66% less" in cached(tmp_path / "c", *cold)


def test_the_report_uses_the_probes_share_of_readable_text() -> None:
    assert READABLE == PASS_SHARE


def test_a_window_within_its_expected_error_is_reported_so(tmp_path: Path) -> None:
    """The advice names the drain, and the plan's estimate only where it was one."""
    row = record(
        0, mode="tpm", phase="tpm/m/1000", target=1000, total_tokens=950, done_offset_s=60.0
    )
    end = {"event": "phase_end", "phase": "tpm/m/1000"}
    over = [{"event": "run_end"}]

    def note(name: str, **more: Any) -> str:
        folder = make(tmp_path / name, row, events=[end | more, *over])
        return markdown.render(report.compose(report.look(load(folder))))

    assert "expected error of this window was ±8.0%: when the last answers" in note(
        "a", pacers=[{"expected_error": 0.08}]
    )
    assert "the drain after the window took longer" in note("b", pacers=[{"expected_error": 0.01}])
    assert "The plan estimates prompt tokens" in note("c")
