"""Past runs: found only by name, and readable whatever their folders contain."""

import json
from pathlib import Path
from typing import Any

import pytest

from tests.webui.server import WebServer
from webui.past_runs import folder_of, newest


def make(results: Path, name: str, manifest: Any = None, summary: Any = None) -> Path:
    folder = results / name
    folder.mkdir(parents=True)
    known = {"started_at": f"2026-01-0{len(list(results.iterdir()))}T00:00:00", "mode": "rpm"}
    (folder / "manifest.json").write_text(json.dumps(known if manifest is None else manifest))
    if summary is not None:
        (folder / "summary.json").write_text(json.dumps(summary))
    return folder


@pytest.mark.parametrize("name", ["..", ".", "", "a/../..", "/etc", "a/b", "secret", "linked", "x"])
def test_no_run_name_leads_out_of_the_results_folder(tmp_path: Path, name: str) -> None:
    results = tmp_path / "results"
    make(results, "a")
    make(tmp_path, "secret")
    (tmp_path / "manifest.json").write_text("{}")
    (results / "x").mkdir()  # no run: it has no manifest
    (results / "linked").symlink_to(tmp_path / "secret")
    assert folder_of(results, name) is None
    assert folder_of(results, "a") == results / "a"


def test_the_newest_come_first_and_old_ones_are_only_counted(tmp_path: Path) -> None:
    for name in "abc":
        make(tmp_path, name)
    runs, count = newest(tmp_path, most=2)
    assert [run.run_id for run in runs] == ["c", "b"] and count == 3
    assert newest(tmp_path / "none") == ([], 0)


def test_unknown_numbers_are_not_zero(tmp_path: Path) -> None:
    make(tmp_path, "a", summary={"phases": [{"sent": 3, "success": 2, "cost_sum": None}]})
    make(tmp_path, "b")
    make(tmp_path, "c", summary={"phases": [{"sent": 3, "cost_sum": 0.5}, {"sent": 4}]})
    (c, b, a) = newest(tmp_path)[0]
    assert (a.sent, a.success, a.cost) == (3, 2, None)
    assert (b.sent, b.success, b.cost) == (None, None, None)
    assert (c.sent, c.cost) == (7, 0.5)


@pytest.mark.parametrize("broken", [[], {"gateway": 1, "plan": 2, "options": []}, {"plan": [None]}])
def test_a_broken_folder_breaks_no_page(tmp_path: Path, broken: Any) -> None:
    make(tmp_path, "a", broken, {"phases": "none"})
    make(tmp_path, "b", summary=[1])
    assert "b" in {run.run_id for run in newest(tmp_path)[0]}


def test_a_report_that_is_written_later_is_noticed(tmp_path: Path) -> None:
    folder = make(tmp_path, "a")
    assert not newest(tmp_path)[0][0].report
    (folder / "report.html").write_text("<p>")
    assert newest(tmp_path)[0][0].report


@pytest.mark.parametrize(
    "path",
    ["../secret/report.html", "%2e%2e/secret/report.html", "..%2fsecret/report.html",
     "run/manifest.json", "run/events.jsonl", "run/..%2f..%2fsecret%2freport.html"],
)  # fmt: skip
def test_the_server_shows_nothing_but_the_files_it_lists(server: WebServer, path: str) -> None:
    make(server.results.parent, "secret-" + str(abs(hash(path))))
    if not (server.results / "run").exists():
        make(server.results, "run")
    assert server.open(f"/gateway/runs/{path}").status == 404


def test_a_shown_report_runs_no_script_and_has_an_opaque_origin(server: WebServer) -> None:
    folder = make(server.results, "hostile")
    (folder / "report.html").write_text("<script>window.broken=1</script>")
    answer = server.open("/gateway/runs/hostile/report.html")
    policy = answer.headers["Content-Security-Policy"]
    assert policy.startswith("sandbox; default-src 'none'") and "script-src" not in policy
    assert answer.headers["X-Frame-Options"] == "DENY"


@pytest.mark.parametrize("runs", ["", "run=nosuch", "run=nosuch&run=..", "run=a&run=a"])
def test_a_comparison_of_less_than_two_listed_runs_is_refused(server: WebServer, runs: str) -> None:
    answer = server.open(f"/gateway/compare?{runs}")
    assert answer.status == 400
    assert "Choose two runs or more" in answer.read().decode()
