"""Requests that were drawn to be cancelled count in no rate and no time, so that the others are
fair.
"""

from dataclasses import replace
from pathlib import Path
from random import Random
from typing import Any

import pytest

from analysis.numbers.summarize import of_phases
from analysis.reading.load import load
from analysis.report.report import look
from analysis.report.run_checks import judge
from analysis.report.sections.cancelled import of_phases as cancelled
from recording.cancel import Cancel
from recording.record import RequestRecord
from rules import objectives
from rules.conditions import parse
from rules.slo import parse as slo
from tests.analysis.runs import dropped, failed, make, phase, record

WHEN = Cancel(after_s=1.0, share=0.5, seed="7/rpm/m/600")


def gateway(seed: int, count: int = 2000) -> list[RequestRecord]:
    """Refuses a tenth of requests at once, and answers the rest after 0.2 to 4 s."""
    dice, answered = Random(seed), []
    for index in range(count):
        took = dice.uniform(0.2, 4.0)
        if dice.random() < 0.1:
            answered.append(failed(index, "rate_limited", http_status=429, elapsed_sec=0.01))
        else:
            answered.append(record(index, elapsed_sec=took, done_offset_s=index * 0.1 + took))
    return answered


def impatient(row: RequestRecord) -> RequestRecord:
    """The same request, where half of the users hang up after a second."""
    if not WHEN.applies_to(row.request_index):
        return row
    row = replace(row, cancel_after=str(WHEN))
    if row.success and (row.elapsed_sec or 0) > 1.0:
        index = row.request_index
        row = failed(index, "abandoned", elapsed_sec=1.0, cancel_after=str(WHEN), chunks=4)
    return row


def test_cancelling_half_of_the_requests_changes_no_rate_and_no_percentile(tmp_path: Path) -> None:
    """Counting those that were answered or refused before the cancellation would count fast
    ones alone.
    """
    for seed in range(5):
        rows = gateway(seed)
        (before,) = of_phases(load(make(tmp_path / f"a{seed}", *rows)))
        (after,) = of_phases(load(make(tmp_path / f"b{seed}", *map(impatient, rows))))
        assert after.planned == after.sent == 2000 and after.drawn > 900
        assert after.success + after.failures + after.drawn == after.sent
        assert after.abandoned == after.outcomes["abandoned"] > 600
        assert after.success_rate == pytest.approx(before.success_rate or 0, abs=0.02)
        for name in ("p50_s", "p95_s"):
            was, now = (getattr(one.latency, name) for one in (before, after))
            assert now == pytest.approx(was, abs=0.2)
        assert after.cost_unknown_success_count == 0 and after.unanswered == 0


def test_conditions_and_objectives_judge_only_requests_that_were_not_cancelled(
    tmp_path: Path,
) -> None:
    """A healthy gateway does not fail by what we cancelled; a bad one still fails."""
    well = [impatient(record(i)) for i in range(200)]
    view = look(load(make(tmp_path / "r", *well, plan=[phase(count=200)])))
    conditions_of_run = parse("success_rate<1,p95_s>2.5")
    assert all(
        check.passed for check in judge(view, conditions_of_run) if check.condition is not None
    )
    slo_file = slo({"success_rate": 0.9, "e2e_p95_s": 2.5}, "slo").of(None, None)
    assert objectives.judge(well, 200, 300, slo_file).met
    bad = [impatient(one) for one in gateway(1, 300)]
    assert objectives.judge(bad, 300, 300, slo_file).missed == ("e2e_p95_s", "success_rate")


def test_a_request_drawn_to_be_cancelled_and_never_sent_is_left_out_too(tmp_path: Path) -> None:
    rows = [record(i) for i in range(90)] + [dropped(i) for i in range(90, 98)]
    rows += [dropped(98, cancel_after="3chunks"), failed(99, "lost", cancel_after="3chunks")]
    (numbers,) = of_phases(load(make(tmp_path / "r", *rows)))
    assert (numbers.planned, numbers.drawn, numbers.abandoned) == (100, 2, 0)
    assert numbers.success_rate == pytest.approx(90 / 98)


def test_the_section_counts_what_came_and_says_that_the_cost_is_unknown(tmp_path: Path) -> None:
    gone: dict[str, Any] = {"cancel_after": "3chunks", "elapsed_sec": 0.4, "stream": True}
    rows = [record(0, cancel_after="3chunks"), record(1)]
    rows += [failed(i, "abandoned", chunks=3, received_chars=10 + i, **gone) for i in (2, 3)]
    rows.append(failed(4, "abandoned", chunks=3, received_chars=15, api_cost=0.25, **gone))
    view = look(load(make(tmp_path / "r", *rows)))
    (section,) = cancelled(view)
    assert (section.drawn, section.closed, section.answered, section.held_s) == (4, 3, 1, 0.4)
    assert (section.chunks, section.chars, section.stated, section.cost) == (3, 13, 1, 0.25)
    assert view.phases[0].cost_sum == pytest.approx(0.25 + 2 * 0.000069)  # money is all money
    assert view.phases[0].cost_per_success == pytest.approx(0.000069)
