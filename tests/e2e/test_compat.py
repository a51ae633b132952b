"""Mode compat against a gateway with known features: its cells, its cost, its end."""

import csv
import json
import signal
import subprocess
import time
import xml.etree.ElementTree as ElementTree
from collections import Counter
from pathlib import Path

import pytest

from analysis.__main__ import main as analysis
from compat.bound import plan
from compat.check import Setting
from compat.registry import CHECKS
from compat.survey import AT_ONCE
from tests.e2e.compat_gateway import CHAT, WINDOW_TOKENS, cells, checked, gateway, verdicts
from tests.locust_run import CANARY, command, environment, run

SOME = "stop,n,json.schema,json.schema.stream,tool.parallel.stream,tool.auto,error.key,models.list"
REQUIRED = """
[[require]]
models = ["sim-*"]
features = ["stop", "json.schema", "tool.auto"]
allow = { "n" = ["refused"] }
[[require]]
models = ["another"]
features = ["seed"]
"""


def test_every_cell_of_a_healthy_gateway_works(tmp_path: Path) -> None:
    _healthy(tmp_path, "healthy")


@pytest.mark.slow
@pytest.mark.parametrize("number", range(10))
def test_every_cell_of_a_healthy_gateway_works_in_ten_runs(tmp_path: Path, number: int) -> None:
    _healthy(tmp_path, f"healthy-{number}")


def _healthy(folder: Path, name: str) -> None:
    """All chat checks; each request is a row, and the use is within the stated bound."""
    with gateway(folder) as server:
        options = ("--context-tokens", WINDOW_TOKENS, "--run-id", name)
        result = checked(server.url, folder / "r", *options)
        assert result.code == 0, result.text
        by_check = verdicts(result)
        assert set(by_check.values()) == {"works"} and len(by_check) == 44, by_check
        log = server.rows()
        rows = [row for row in result.rows() if json.loads(row.check_detail or "")["check"]]
        assert len(log) == len(rows) - 1  # a list of models is no request to a model
        known = Setting(CHAT, context_tokens=WINDOW_TOKENS)
        assert len(rows) == plan(CHECKS, known).once.requests  # exactly what was told
        logged = {row["task_id"]: row for row in log}
        for row in rows:
            if row.outcome == "ok" and row.api_cost is not None and (row.task_id or "") in logged:
                logged_row = logged[row.task_id or ""]
                assert row.prompt_tokens == int(logged_row["prompt_tokens"])
                assert row.api_cost == pytest.approx(float(logged_row["cost"]))
        used = sum(int(r["prompt_tokens"] or 0) + int(r["completion_tokens"] or 0) for r in log)
        assert used <= 60_000
        assert sum(cell.sent for cell in cells(result).values()) == len(rows)


def test_each_fault_has_its_own_cell_and_a_required_one_fails_the_build(tmp_path: Path) -> None:
    """Allowed verdicts pass; the JUnit file has a case for each required cell."""
    (tmp_path / "compat.toml").write_text(REQUIRED, encoding="utf-8")
    states = {"stop": "ignored", "n": "refused", "json__schema__stream": "broken",
              "tool__parallel__stream": "wrong"}  # fmt: skip
    with gateway(tmp_path, **states) as server:
        result = checked(server.url, tmp_path / "r", "--checks", SOME, "--require",
                       tmp_path / "compat.toml", "--junit", tmp_path / "j.xml",
                       "--fail-on", "cost>100")  # fmt: skip
    assert verdicts(result) == {
        "chat.plain": "works", "models.list": "works", "stop": "ignored", "n": "refused",
        "json.schema": "works", "json.schema.stream": "broken", "tool.auto": "works",
        "tool.parallel.stream": "wrong", "error.key": "works",
    }  # fmt: skip
    assert result.code == 1 and "stop is ignored" in result.err, result.text
    suite = ElementTree.parse(tmp_path / "j.xml").getroot().find("testsuite")
    assert suite is not None
    cases = {case.get("name"): case.find("failure") is not None for case in suite.iter("testcase")}
    assert cases == {
        "the run: complete": False, "the run: not cost>100": True,
        f"{CHAT}: stop works": True, f"{CHAT}: n works": False,
        f"{CHAT}: json.schema works": False, f"{CHAT}: tool.auto works": False,
    }  # fmt: skip
    assert result.folder is not None
    stop = cells(result)["stop"]
    (row,) = [row for row in result.rows() if row.task_id == stop.task_id]
    assert row.gateway_request_id == stop.request_id and stop.status == 200 and stop.sent == 4
    report = (result.folder / "report.md").read_text(encoding="utf-8")
    assert "∅ ignored" in report and "replies go on past your stop text" in report
    page = (result.folder / "report.html").read_text(encoding="utf-8")
    assert "Features that work" in page and "5 / 9" in page  # refusals are no failures
    assert "sends streams that ask for no usage" in result.err  # why its cost is not known
    assert stop.cost is None and cells(result)["json.schema"].cost is not None
    for file in result.folder.iterdir():
        assert CANARY not in file.read_text(encoding="utf-8", errors="replace"), file


TRAFFIC = {
    "model": CHAT, "stream": True, "messages": [{"role": "user", "content": "a room for two"}],
    "tools": [{"type": "function", "function": {"name": "book_room", "strict": True, "parameters": {
        "type": "object", "properties": {"room": {"type": "string"}}, "required": ["room"],
        "additionalProperties": False}}}],
}  # fmt: skip


def test_an_applications_own_tools_go_from_its_traffic_into_the_report(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """`needs` writes what the requests contain, the run sends it, a fault fails the build."""
    (tmp_path / "traffic.jsonl").write_text(json.dumps(TRAFFIC) + "\n", encoding="utf-8")
    assert analysis(["needs", str(tmp_path / "traffic.jsonl")]) == 0
    (tmp_path / "compat.toml").write_text(capsys.readouterr().out, encoding="utf-8")
    with gateway(tmp_path, tool__strict="broken") as server:
        result = checked(
            server.url, tmp_path / "r", "--checks", "own.*,chat.*,tool.auto,error.model",
            "--require", tmp_path / "compat.toml",
        )  # fmt: skip
    assert result.code == 1 and "own.tool.stream.book_room is broken" in result.err, result.text
    assert {name for name, verdict in verdicts(result).items() if verdict != "works"} == {
        "own.tool.book_room", "own.tool.stream.book_room",
    }  # fmt: skip
    assert result.folder is not None
    report = (result.folder / "report.md").read_text(encoding="utf-8")
    assert "your tools and schemas" in report and "your tool book_room, streamed" in report


@pytest.mark.long
def test_files_and_batches_are_checked_on_request(tmp_path: Path) -> None:
    """As the SDK's own form; a batch's lines are requests to the model, each with a row in the
    gateway's log, and within the bound."""
    with gateway(tmp_path) as server:
        result = checked(server.url, tmp_path / "r", "--checks", "files.*,batches.*")
        log = server.rows()
    assert result.code == 0, result.text
    assert verdicts(result) == {
        "chat.plain": "works", "files.upload": "works", "batches.run": "works",
    }, [cell.evidence for cell in cells(result).values()]  # fmt: skip
    assert len(log) == 3  # the plain reply, and two lines
    (created,) = [row for row in result.rows() if row.total_tokens is None]
    assert json.loads(created.check_detail or "")["check"] == "batches.run"
    assert cells(result)["batches.run"].cost is None  # it stands in no reply's usage
    with gateway(tmp_path / "b") as server:
        by_check = cells(checked(server.url, tmp_path / "s", "--checks", "chat.plain,*.run"))
    assert by_check["batches.run"].evidence == "files and batches were not asked for"


def test_a_model_that_answers_nothing_is_one_sentence(tmp_path: Path) -> None:
    with gateway(tmp_path) as server:
        result = checked(server.url, tmp_path / "r", model="unknown")
    assert result.code == 1 and len(result.rows()) <= 3
    assert "unknown answered nothing: the model answered no plain request (HTTP 404" in result.err
    assert {c.check for c in cells(result).values() if c.verdict.accuses} <= {"chat.plain"}


def test_a_spent_budget_leaves_the_rest_not_tried(tmp_path: Path) -> None:
    with gateway(tmp_path) as server:
        result = checked(server.url, tmp_path / "r", "--budget-tokens", 400, "--checks", SOME)
    assert result.code == 1
    by_check = cells(result)
    not_tried = [cell for cell in by_check.values() if cell.verdict == "not tried"]
    assert by_check["chat.plain"].verdict == "works" and not_tried
    assert {cell.evidence for cell in not_tried} == {"the budget is spent"}
    assert sum(row.total_tokens or 0 for row in result.rows()) <= 400


@pytest.mark.slow
def test_a_stopped_run_resumes_where_it_was(tmp_path: Path) -> None:
    """What was answered is not sent again, and the cells equal those of a complete run."""
    options = ("--checks", SOME, "--run-id", "x")
    with gateway(tmp_path) as server:
        uninterrupted = checked(server.url, tmp_path / "whole", *options)
        sent = len(server.rows())
        cut = checked(server.url, tmp_path / "cut", *options, "--budget-tokens", 400)
        assert cut.code == 1 and cut.folder is not None
        on = run("-H", server.url, "--resume", cut.folder, "--budget-tokens", 100_000,
                 results=tmp_path / "cut")  # fmt: skip
        assert on.code == 0, on.text
        assert verdicts(on) == verdicts(uninterrupted)
        assert len(server.rows()) == 2 * sent


@pytest.mark.slow
def test_a_killed_run_resumes_pays_nothing_twice_and_has_every_cell(tmp_path: Path) -> None:
    """SIGKILL in the middle: by the gateway's own log, what was answered is sent once; requests in
    flight at that moment, up to four, have an unknown end and are sent again."""
    options = ("--checks", SOME, "--run-id", "killed")
    with gateway(tmp_path) as server:
        uninterrupted = checked(server.url, tmp_path / "whole", *options)
        sent = len(server.rows())
        folder = tmp_path / "cut" / "killed"
        process = subprocess.Popen(
            command("-H", server.url, "--mode", "compat", "--model", CHAT, *options, "--results",
                    folder.parent),
            cwd=tmp_path, env=environment(), stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL,
        )  # fmt: skip
        deadline = time.monotonic() + 60
        while len(server.rows()) < sent + 6 and time.monotonic() < deadline:
            time.sleep(0.01)
        process.send_signal(signal.SIGKILL)
        process.wait(10)
        answered = {row["task_id"] for path in folder.glob("requests-*.csv")
                    for row in csv.DictReader(path.open(encoding="utf-8"))}  # fmt: skip
        assert 0 < len(answered) < sent
        on = run("-H", server.url, "--resume", folder, results=folder.parent)
        log = server.rows()[sent:]
    assert on.code == 0, on.text
    assert verdicts(on) == verdicts(uninterrupted)
    times = Counter(row["task_id"] for row in log)
    assert all(times[task] <= 1 for task in answered)
    assert sent <= len(log) <= sent + AT_ONCE


@pytest.mark.slow
def test_a_second_route_shows_whose_fault_it_is(tmp_path: Path) -> None:
    """A feature that works directly is the gateway's fault; one that fails alike is the model's."""
    with (
        gateway(tmp_path / "a", stop="ignored", n="refused", json__schema="ignored") as server,
        gateway(tmp_path / "b", n="refused", json__schema="refused") as direct,
    ):
        result = run(
            "-H", server.url, "--mode", "compat", "--model", CHAT, "--against", "up",
            "--checks", SOME, results=tmp_path / "r",
            env=environment(UP_BASE_URL=direct.url, UP_API_KEY=CANARY),
        )  # fmt: skip
        direct_count = len(direct.rows())
    assert result.code == 0 and result.folder is not None, result.text
    content = json.loads((result.folder / "compat.json").read_text(encoding="utf-8"))["cells"]
    causes = {cell["check"]: cell["cause"] for cell in content if cell["cause"]}
    assert causes == {"stop": "gateway", "n": "model", "json.schema": "gateway"}
    directly = {c["check"]: c["verdict"] for c in content if c["arm"] == "direct"}
    assert directly == {
        "chat.plain": "works", "stop": "works", "n": "refused", "json.schema": "refused",
    }  # fmt: skip
    assert direct_count == sum(row.arm == "reference" for row in result.rows()) < 20
    assert "the direct route gives another verdict" in (result.folder / "report.md").read_text()
