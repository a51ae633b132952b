"""Runs of different hours in one table: only like runs together, in the order of their start."""

import json
from pathlib import Path
from random import Random

import pytest

from analysis.__main__ import main
from analysis.compare.timeline import as_dict, compose, grouped
from analysis.page import html, markdown
from analysis.page.chart import Chart
from analysis.reading.load import Run, load
from identity.mixed import question
from tests.analysis.runs import PHASE, make, phase, record
from tests.identity.endpoint import Endpoint


def at(folder: Path, hour: str, name: str, latency_s: float = 2.0, **known: object) -> Run:
    started = f"2026-11-24T{hour}:00+00:00" if hour else ""
    rows = [record(i, elapsed_sec=latency_s) for i in range(3)]
    return load(make(folder / name, *rows, started_at=started, **known))  # type: ignore[arg-type]


def test_runs_are_in_the_order_of_their_start_and_once_each(tmp_path: Path) -> None:
    """However they are named or given."""
    late, early = at(tmp_path, "23:30", "a"), at(tmp_path, "01:15", "b", 1.0)
    (group,) = grouped([late, early, late])
    assert [run.run_id for run in group.runs] == ["b", "a"]
    text = markdown.render(compose([group]))
    lines = [line for line in text.splitlines() if " | 2026-" in line]
    assert lines[0].startswith("| b | 2026-11-24 01:15 | 3 | 100% | 1.000s |")
    assert lines[1].startswith("| a | 2026-11-24 23:30 | 3 | 100% | 2.000s |")


def test_unlike_runs_are_in_groups_that_say_what_differs(tmp_path: Path) -> None:
    runs = [
        at(tmp_path, "01:00", "a"),
        at(tmp_path, "02:00", "b", plan=[phase(target=900)]),
        at(tmp_path, "03:00", "c"),
    ]
    groups = grouped(runs)
    assert [[run.run_id for run in group.runs] for group in groups] == [["a", "c"], ["b"]]
    text = markdown.render(compose(groups))
    assert f"- {PHASE}, target: 600 / 900" in text
    assert "Group 2" in text


def test_runs_of_different_gateways_are_not_one_line(tmp_path: Path) -> None:
    """`compare` sets them side by side; over time they would look like a change.

    Our simulator listens on another port every time, and counts as the same gateway.
    """
    urls = ["http://one.example/v1", "http://two.example/v1", "http://one.example/v1"]
    runs = [
        at(tmp_path, f"0{i}:00", str(i), gateway={"base_url": url, "simulated": False})
        for i, url in enumerate(urls)
    ]
    groups = grouped(runs)
    assert [[run.run_id for run in group.runs] for group in groups] == [["0", "2"], ["1"]]
    assert f"- gateway: {urls[0]} / {urls[1]}" in markdown.render(compose(groups))
    ours = [
        at(tmp_path, "05:00", f"s{i}", gateway={"base_url": url, "simulated": True})
        for i, url in enumerate(urls)
    ]
    assert len(grouped(ours)) == 1


def test_runs_of_the_same_name_in_two_folders_are_two_runs(tmp_path: Path) -> None:
    """Two machines may name their hours alike."""
    runs = [at(tmp_path / host, "01:00", "hourly", run_id="hourly") for host in "ab"]
    (group,) = grouped([*runs, runs[0]])
    assert [run.folder for run in group.runs] == [run.folder for run in runs]


def test_two_dated_runs_are_a_plot_and_fewer_are_none(tmp_path: Path) -> None:
    """A run whose start is unknown is in the table alone."""
    night, morning = at(tmp_path, "01:00", "a"), at(tmp_path, "04:30", "b")
    page = html.render(compose(grouped([night, morning])))
    assert page.count("<svg class=") == 2 and "hours since 2026-11-24 01:00 UTC" in page
    undated = at(tmp_path, "", "c")
    page = html.render(compose(grouped([night, undated])))
    assert page.count("<svg class=") == 0 and "<td>c</td>" in page


@pytest.mark.parametrize(
    ("later", "unit"),
    [("24T02:10", "minutes"), ("25T01:00", "hours"), ("28T01:00", "days")],
)
def test_the_axis_has_a_unit_of_its_length(tmp_path: Path, later: str, unit: str) -> None:
    runs = [at(tmp_path, "01:00", "a")]
    started = f"2026-11-{later}:00+00:00"
    rows = [record(i) for i in range(3)]
    runs.append(load(make(tmp_path / "b", *rows, started_at=started)))
    assert f"{unit} since 2026-11-24 01:00 UTC" in html.render(compose(grouped(runs)))


@pytest.mark.parametrize(
    ("count", "labels"), [(3, ["P50"]), (40, ["P50 = P95"]), (100, ["P50 = P95 = P99"])]
)
def test_equal_lines_are_one_and_few_requests_have_no_high_percentile(
    tmp_path: Path, count: int, labels: list[str]
) -> None:
    """A line under another is not seen; of 3 requests there is no P95."""
    rows = [record(i, elapsed_sec=2.0) for i in range(count)]
    runs = [
        load(make(tmp_path / name, *rows, started_at=f"2026-11-24T0{hour}:00:00+00:00"))
        for hour, name in enumerate("ab")
    ]
    (section,) = compose(grouped(runs)).sections
    latency = next(block for block in section.blocks if isinstance(block, Chart))
    assert [series.label for series in latency.series] == labels


def test_a_timeline_is_written_to_three_files_in_either_language(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    runs = [str(at(tmp_path, hour, name).folder) for hour, name in (("01:00", "a"), ("02:00", "b"))]
    out = tmp_path / "new" / "timeline"
    assert main(["timeline", *runs, "--output", str(out), "--lang", "zh"]) == 0
    names = ["timeline.md", "timeline.html", "timeline.json"]
    assert capsys.readouterr().out.splitlines() == [str(out / name) for name in names]
    assert "运行时间线" in (out / "timeline.md").read_text(encoding="utf-8")
    content = json.loads((out / "timeline.json").read_text(encoding="utf-8"))
    (group,) = content["groups"]
    assert [run["phases"][0]["latency_p50_s"] for run in group["runs"]] == [2.0, 2.0]


def test_limited_and_interrupted_runs_are_marked(tmp_path: Path) -> None:
    rows = [record(i, send_lag_s=0.5) for i in range(3)]
    run = load(make(tmp_path / "r", *rows, events=[]))
    assert "| interrupted, generator-limited |" in markdown.render(compose(grouped([run])))
    assert as_dict(grouped([run]))["groups"][0]["runs"][0]["interrupted"] is True


def test_simulated_runs_are_marked(tmp_path: Path) -> None:
    run = at(tmp_path, "01:00", "s", gateway={"base_url": "http://127.0.0.1", "simulated": True})
    assert "SIMULATED" in markdown.render(compose(grouped([run])))


def probed(folder: Path, hour: int, weights: int) -> Run:
    """A run in which every second request is a probe, answered by the model with these weights."""
    rows, dice, served = [], Random(hour), Endpoint(weights=weights)
    for index in range(120):
        question_of_probe = question(2, index) if index % 2 else None
        word = None if question_of_probe is None else served.answer(question_of_probe, dice)
        rows.append(
            record(
                index,
                timestamp=f"2026-11-24T{hour:02}:10:{index % 60:02}.000000+00:00",
                check_detail=json.dumps(
                    {"question": question_of_probe, "word": word} if word else {}
                ),
                completion_id=f"r-{hour}-{index}",
            )
        )
    return load(
        make(
            folder / str(hour), *rows, plan=[phase(probe_every=2)],
            started_at=f"2026-11-24T{hour:02}:10:00+00:00",
        )
    )  # fmt: skip


def test_answers_that_change_with_the_hour_are_reported_and_constant_ones_not(
    tmp_path: Path,
) -> None:
    """Another model at eight and nine; the same runs with one model are not accused."""
    for name, other in (("swapped", 2), ("honest", 1)):
        runs = [probed(tmp_path / name, hour, other if hour in (8, 9) else 1) for hour in range(12)]
        (by_hour,) = [
            one for one in as_dict(grouped(runs))["groups"][0]["identity"] if one["by"] == "hour"
        ]
        text = markdown.render(compose(grouped(runs)))
        if other == 1:
            assert by_hour["differing"] == [] and "no change with the hour shown" in text
        else:
            assert {*by_hour["differing"]} >= {"08:00-09:00", "09:00-10:00"}
            assert "differ from those of all other times" in text
    assert "未见随时段变化" in markdown.render(compose(grouped(runs), "zh"))


def test_a_timeline_without_probes_says_nothing_of_identity(tmp_path: Path) -> None:
    (group,) = grouped([at(tmp_path, "01:00", "a"), at(tmp_path, "02:00", "b")])
    assert as_dict([group])["groups"][0]["identity"] == []
