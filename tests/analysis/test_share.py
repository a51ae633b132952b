"""`report --share`:

a run's numbers and verdicts, without names or words that are not for others.
"""

import csv
import json
from pathlib import Path
from typing import Any

import pytest

from analysis.__main__ import main
from analysis.page import html, markdown
from analysis.page.blocks import Page, Remark, Table
from analysis.page.words import Lang
from analysis.reading.load import load
from analysis.report import report, share
from recording.record import RequestRecord
from tests.analysis.runs import PHASE, failed, hostile, make, probe, record

SECRET = "acmecorp"
HOST = f"llm.{SECRET}.internal"
RUN = f"{SECRET}-prod-7"
WORKER = f"node17.{SECRET}_0123456789abcdef"
SAID = f"Rate limit reached for organization org-{SECRET} at http://10.1.2.3:8080/v1"


def telling(folder: Path, **known: Any) -> Path:
    """A run in which everything that can name its operator does."""
    named = {"worker": WORKER, "run_id": RUN}
    rows: list[RequestRecord] = [
        record(i, task_id=f"{RUN}-req-{i}", content=f"hello {SECRET}", trace_id=SECRET,
               gateway_request_id=SECRET, completion_id=f"{SECRET}{i}", finish_reason=f"{SECRET} 1",
               check="model_mismatch", check_detail=json.dumps({"flags": {"model_mismatch": SAID}}),
               **named)
        for i in range(30)
    ]  # fmt: skip
    rows += [
        failed(30 + i, "rate_limited", http_status=429, error_message=SAID,
               error_type=f"{SECRET}: 429", task_id=f"{RUN}-req-{30 + i}", **named)
        for i in range(5)
    ]  # fmt: skip
    rows += [
        probe("reasoning", "m", finish_reason=f"{SECRET} 2", task_id=f"{RUN}-run-1", **named),
        probe("tools", "m", check="fail", task_id=f"{RUN}-tools-1", **named,
              check_detail=json.dumps({"tool_calls": True, "arguments": SAID})),
    ]  # fmt: skip
    events = [
        {"at": "2026-11-24T00:00:01+00:00", "event": "run_start", "run_id": RUN,
         "generators": [WORKER]},
        {"at": "2026-11-24T00:00:02+00:00", "event": "worker_lost", "worker": WORKER,
         "phase": PHASE, "reason": f"{SAID} {WORKER}"},
        {"at": "2026-11-24T00:00:03+00:00", "event": "refused", "phase": PHASE, "counted": 5,
         "which": "first", "outcome": "auth", "http_status": 401, "words": SAID, "note": SAID},
        {"at": "2026-11-24T00:00:04+00:00", "event": "failed", "error": SAID},
        {"at": "2026-11-24T00:00:05+00:00", "event": "stopped", "by": SAID},
        {"at": "2026-11-24T00:00:06+00:00", "event": "run_end", "completed": False},
    ]  # fmt: skip
    return make(
        folder / RUN, *rows, events=events, imported_from=[f"/home/{SECRET}/calls.jsonl"],
        gateway={"base_url": f"https://{HOST}:8443/v1", "simulated": False},
        reference={"base_url": f"https://direct.{SECRET}.example/v1", "simulated": False},
        host={"name": f"node17.{SECRET}", "system": "Linux", "cores": 2},
        drawn={"task_id_prefix": RUN}, **known,
    )  # fmt: skip


def texts(page: Page) -> list[Remark]:
    return [block for block in page.sections[0].blocks if isinstance(block, Remark)]


def numbers(page: Page) -> list[tuple[int, int]]:
    """The size of every table."""
    blocks = [block for section in page.sections for block in section.blocks]
    return [(len(b.rows), len(b.headers)) for b in blocks if isinstance(b, Table)]


@pytest.mark.parametrize("lang", ["en", "zh"])
def test_the_copy_holds_nothing_that_names_its_operator(tmp_path: Path, lang: Lang) -> None:
    page = share.compose(load(telling(tmp_path)), lang)
    for text in (html.render(page), markdown.render(page)):
        assert SECRET not in text
        assert "10.1.2.3" not in text and "organization" not in text


def test_the_full_report_names_the_operator(tmp_path: Path) -> None:
    """The control of the test above: what it looks for would be found."""
    text = markdown.render(report.compose(report.look(load(telling(tmp_path)))))
    for name in (HOST, RUN, WORKER, "organization", "10.1.2.3", f"{SECRET}: 429", f"{SECRET} 2"):
        assert name in text, name


def test_the_copy_has_the_verdicts_and_table_sizes_of_the_report(tmp_path: Path) -> None:
    run = load(telling(tmp_path))
    full, copy = report.compose(report.look(run)), share.compose(run, "en")
    assert [(r.level, r.head and r.doubt) for r in texts(full)] == [
        (r.level, r.head and r.doubt) for r in texts(copy)
    ]
    assert numbers(copy) == numbers(full)
    assert copy.tiles == full.tiles
    assert [answer.level for answer in copy.answers] == [answer.level for answer in full.answers]


def test_the_copy_says_that_it_is_one(tmp_path: Path) -> None:
    assert "A copy for others" in share.compose(load(telling(tmp_path)), "en").footer


def test_a_short_host_name_is_not_removed_from_ordinary_words(tmp_path: Path) -> None:
    folder = make(tmp_path / "r", record(0), host={"name": "vm", "system": "Linux", "cores": 2})
    assert share.compose(load(folder), "en").footer.startswith("A copy for others: addresses")


def test_hostile_words_cannot_break_the_copy(tmp_path: Path) -> None:
    drawn = html.render(share.compose(load(hostile(tmp_path / "r")), "en"))
    assert "<img" not in drawn and "<script" not in drawn


def test_the_command_writes_the_copy_and_the_report(tmp_path: Path) -> None:
    folder, out = telling(tmp_path), tmp_path / "out" / "copy.html"
    out.parent.mkdir()
    assert main(["report", str(folder), "--share", str(out)]) == 0
    assert SECRET not in out.read_text(encoding="utf-8")
    assert (folder / "report.html").exists()
    with (folder / "requests-local.csv").open(encoding="utf-8") as file:
        assert any(SAID in cell for row in csv.reader(file) for cell in row)  # rows are untouched


@pytest.mark.parametrize("name", ["copy.pdf", "copy"])
def test_a_copy_is_html_or_markdown(
    tmp_path: Path, name: str, capsys: pytest.CaptureFixture[str]
) -> None:
    folder = make(tmp_path / "r", record(0))
    assert main(["report", str(folder), "--share", str(tmp_path / name)]) == 2
    assert "must end in .html or .md" in capsys.readouterr().err


def test_the_copy_cannot_overwrite_the_runs_own_report(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    folder = make(tmp_path / "r", record(0))
    assert main(["report", str(folder), "--share", str(folder / "report.html")]) == 2
    assert "the run's own folder" in capsys.readouterr().err
