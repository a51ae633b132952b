"""What a gateway states of its own time:

reported per phase with its source, in no measured number.
"""

import json
from pathlib import Path
from typing import Any

import pytest

from analysis.__main__ import main
from analysis.page import markdown
from analysis.reading.load import load
from analysis.report import report, terminal
from analysis.report.summary import Summary
from analysis.report.view import View
from tests.analysis.runs import failed, make, record

LITELLM: dict[str, Any] = {"stated_times_from": "x-litellm-overhead-duration-ms"}


def view(folder: Path, lang: Any = "en") -> View:
    stated = [record(i, stated_overhead_s=0.002 + i / 1e4, **LITELLM) for i in range(20)]
    lying = [record(20, stated_overhead_s=99.0, **LITELLM)]  # of an answer of 2 s
    others = [record(21), failed(22, stated_overhead_s=0.9, **LITELLM)]
    return report.look(load(make(folder, *stated, *lying, *others)), lang)


def test_the_summary_has_percentiles_and_count_of_stated_times(tmp_path: Path) -> None:
    """Of successes alone; a time longer than the whole answer is unknown."""
    (phase,) = json.loads(json.dumps(Summary.of(view(tmp_path / "r")).as_dict()))["phases"]
    assert phase["stated_overhead_count"] == 20
    assert phase["stated_overhead_p50_s"] == pytest.approx(0.0029)
    assert phase["stated_overhead_p95_s"] == pytest.approx(0.0038)
    assert (phase["stated_upstream_count"], phase["stated_upstream_p50_s"]) == (0, None)
    assert phase["stated_times_from"] == {"x-litellm-overhead-duration-ms": 21}


def test_stated_times_change_no_measured_time(tmp_path: Path) -> None:
    (numbers,) = [phase.as_dict() for phase in view(tmp_path / "r").phases]
    bare = [record(i) for i in range(22)] + [failed(22)]
    (mute,) = [p.as_dict() for p in report.look(load(make(tmp_path / "s", *bare))).phases]
    assert {k: v for k, v in numbers.items() if "stated" not in k} == {
        k: v for k, v in mute.items() if "stated" not in k
    }


def test_the_report_and_the_terminal_name_the_header_of_stated_times(tmp_path: Path) -> None:
    view_of_run = view(tmp_path / "r")
    text = markdown.render(report.compose(view_of_run))
    assert "Times that the gateway states" in text
    (line,) = [line for line in text.splitlines() if "| x-litellm-overhead-duration-ms |" in line]
    assert "| 22 | 20 | 2.90 ms | 3.80 ms | - | - | - |" in line and "2,000.00 ms" in line
    printed = terminal.of_phases(view_of_run)
    assert "the gateway says it added 2.90 ms (P50), 3.80 ms (P95), in 20 of 22 answers" in printed
    assert "网关自报耗时" in markdown.render(report.compose(view(tmp_path / "zh", "zh")))


def test_nothing_is_printed_where_no_times_are_stated(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    folder = make(tmp_path / "r", record(0))
    assert "Times that the gateway states" not in markdown.render(
        report.compose(report.look(load(folder)))
    )
    assert main(["summary", str(folder)]) == 0
    assert "the gateway says" not in capsys.readouterr().out
