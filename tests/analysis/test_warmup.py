"""The warm-up is left out of the numbers, and kept in the rows and in the money."""

import json
from pathlib import Path
from typing import Any

import pytest

from analysis.__main__ import main
from analysis.numbers.summarize import of_phases
from analysis.page import markdown
from analysis.reading.load import load
from analysis.report import report
from analysis.report.run_checks import judge
from recording.record import RequestRecord
from rules.conditions import parse
from tests.analysis.runs import dropped, make, phase, probe, record

WARM = {"options": {"warmup": 10.0}}


def rows() -> list[RequestRecord]:
    """A request a second for a minute; those of the first 10 s take 9 s, the others 1 s."""
    requests = []
    for i in range(60):
        latency = 9.0 if i < 10 else 1.0
        requests.append(
            record(i, scheduled_offset_s=float(i), sent_offset_s=float(i), elapsed_sec=latency,
                   elapsed_from_due_s=latency, done_offset_s=i + latency)
        )  # fmt: skip
    return requests


def numbers(folder: Path, *records: RequestRecord, **made: Any) -> dict[str, Any]:
    (phase_numbers,) = of_phases(load(make(folder, *records, **made)))
    return phase_numbers.as_dict()


def test_the_numbers_after_a_warmup_are_those_worked_by_hand(tmp_path: Path) -> None:
    """50 of 60 requests in the 50 s after the warm-up; the last one ends at 60 s."""
    plan = [phase(count=60)]
    phase_numbers = numbers(tmp_path / "r", *rows(), plan=plan, **WARM)
    assert (phase_numbers["planned"], phase_numbers["success"], phase_numbers["duration_s"]) == (
        50,
        50,
        50.0,
    )
    assert phase_numbers["latency_p99_s"] == 1.0
    assert phase_numbers["wall_s"] == 50.0
    assert phase_numbers["observed_rpm"] == phase_numbers["offered_rpm"] == 60.0
    assert phase_numbers["window_rpm"] == 60.0
    assert phase_numbers["warmup_requests"] == 10
    assert phase_numbers["warmup_cost"] == pytest.approx(10 * 0.000069)


def test_a_window_after_a_warmup_has_the_numbers_of_one_that_began_later(tmp_path: Path) -> None:
    """All but the warm-up's own, of the same requests counted from 10 s on."""
    warm = numbers(tmp_path / "a", *rows(), plan=[phase(count=60)], **WARM)
    later = [
        record(i - 10, scheduled_offset_s=i - 10.0, sent_offset_s=i - 10.0, elapsed_sec=1.0,
               elapsed_from_due_s=1.0, done_offset_s=i - 9.0, duration_s=50.0)
        for i in range(10, 60)
    ]  # fmt: skip
    alone = numbers(tmp_path / "b", *later, plan=[phase(count=50, duration_s=50.0)])
    for name in alone:
        if not name.startswith("warmup"):
            assert warm[name] == alone[name], name


def test_without_a_warmup_nothing_is_left_out(tmp_path: Path) -> None:
    assert numbers(tmp_path / "s", *rows())["warmup_requests"] == 0


def test_requests_dropped_in_the_warmup_are_left_out_too(tmp_path: Path) -> None:
    phase_numbers = numbers(tmp_path / "r", dropped(0, scheduled_offset_s=0.0), *rows()[1:], **WARM)
    assert (phase_numbers["planned"], phase_numbers["dropped"]) == (50, 0)


def test_phases_without_a_longer_window_have_no_warmup(tmp_path: Path) -> None:
    folder = make(tmp_path / "r", probe("cache", "m"), **WARM)
    assert of_phases(load(folder))[0].planned == 1
    short = numbers(tmp_path / "s", record(0, duration_s=10.0), **WARM)
    assert (short["planned"], short["duration_s"]) == (1, 10.0)


def test_the_cost_of_the_run_includes_the_warmup(tmp_path: Path) -> None:
    """A warm-up request without a cost makes it unknown."""
    view = report.look(load(make(tmp_path / "r", *rows(), **WARM)))
    (_, check) = judge(view, parse("cost>0.00413"))
    assert check.value == pytest.approx(60 * 0.000069)
    unpriced = [record(0, scheduled_offset_s=0.0, api_cost=None), *rows()[1:]]
    view = report.look(load(make(tmp_path / "s", *unpriced, **WARM)))
    assert judge(view, parse("cost>9"))[1].verdict == "unknown"


@pytest.mark.parametrize("lang", ["en", "zh"])
def test_the_report_mentions_the_warmup(tmp_path: Path, lang: Any) -> None:
    view = report.look(load(make(tmp_path / "r", *rows(), **WARM)), lang)
    text = markdown.render(report.compose(view))
    assert ("the first 10 s of every window" if lang == "en" else "各窗口前 10 秒") in text
    assert "¥0.004140" in text  # all 60, in the tables of the cost


def test_a_report_can_be_made_again_with_another_warmup(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """A malformed one is one sentence."""
    folder = str(make(tmp_path / "r", *rows()))
    assert main(["summary", folder, "--json", "--warmup", "10"]) == 0
    assert json.loads(capsys.readouterr().out)["phases"][0]["planned"] == 50
    assert main(["summary", folder, "--warmup", "nan"]) == 2
    assert main(["check", folder, "--warmup", "10", "--fail-on", "p99_s>1"]) == 0
