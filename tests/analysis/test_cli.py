"""The command line: what it prints, and one sentence with exit code 2 for an operator error."""

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

from analysis.__main__ import main
from tests.analysis.runs import make, record


def test_report_prints_the_paths_it_wrote(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    folder, out = make(tmp_path / "r", record(0)), tmp_path / "new" / "out.jsonl"
    assert main(["report", str(folder), "--lang", "zh", "--output", str(out)]) == 0
    printed = [Path(line) for line in capsys.readouterr().out.splitlines()]
    names = ["report.md", "report.html", "summary.json"]
    assert printed == [*(folder / name for name in names), out]
    assert all(path.is_file() for path in printed)
    assert "压测报告" in (folder / "report.md").read_text(encoding="utf-8")


@pytest.mark.parametrize("by", ["phase", "model", "task-prefix", "arm"])
def test_summary_prints_a_line_per_group(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], by: str
) -> None:
    assert main(["summary", str(make(tmp_path / "r", record(0))), "--by", by]) == 0
    printed = capsys.readouterr().out
    assert "run r" in printed and "¥0.000069" in printed and "ok:1" in printed


def test_summary_json_prints_one_json_document(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    folder = str(make(tmp_path / "r", record(0)))
    assert main(["summary", folder, "--json"]) == 0
    assert json.loads(capsys.readouterr().out)["phases"][0]["success"] == 1
    assert main(["summary", folder, "--json", "--by", "model"]) == 0
    assert json.loads(capsys.readouterr().out)["groups"][0]["model_requested"] == "gpt-5.4-nano"


def test_an_exported_run_can_be_imported(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    folder, out = make(tmp_path / "r", record(0)), tmp_path / "out.jsonl"
    assert main(["export", str(folder), "--output", str(out), "--format", "seed"]) == 0
    assert main(["import", str(out), "--results", str(tmp_path / "results")]) == 0
    imported = capsys.readouterr().out.splitlines()[-1]
    assert main(["report", imported]) == 0


@pytest.mark.parametrize(
    ("arguments", "sentence"),
    [
        (
            ["report", "nowhere"],
            "weighbridge: there is no run folder nowhere: give the path of one.",
        ),
        (
            ["summary", "."],
            "weighbridge: . is not a run, it has no manifest.json: give the folder that a run "
            "made.",
        ),
        (
            ["import", "missing.jsonl"],
            "weighbridge: missing.jsonl cannot be used (No such file or directory): give another "
            "path.",
        ),
    ],
)
def test_an_operator_error_is_one_sentence(
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
    arguments: list[str],
    sentence: str,
) -> None:
    monkeypatch.chdir(tmp_path)
    assert main(arguments) == 2
    captured = capsys.readouterr()
    assert captured.err == sentence + "\n" and captured.out == ""


def test_an_unwritable_folder_is_one_sentence(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    folder = make(tmp_path / "r", record(0))
    (tmp_path / "file").write_text("", encoding="utf-8")
    assert main(["export", str(folder), "--output", str(tmp_path / "file" / "out.jsonl")]) == 2
    assert len(capsys.readouterr().err.splitlines()) == 1


def test_an_unknown_option_exits_with_2(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as caught:
        main(["report", "--colour"])
    assert caught.value.code == 2


def test_the_command_imports_neither_pandas_nor_locust_to_start() -> None:
    """It imports pandas only to work on a run, and the load generator never."""
    code = (
        "import sys, analysis.__main__; assert 'pandas' not in sys.modules;"
        "import analysis.report.report, analysis.export.article_jsonl,"
        " analysis.reading.import_jsonl, analysis.report.terminal;"
        "import analysis.report.plots, pandas;"
        "bad = {'locust', 'gevent', 'loadshapes', 'tasks', 'openai'} & set(sys.modules);"
        "assert not bad, bad"
    )
    completed = subprocess.run(
        [sys.executable, "-c", code], env=os.environ | {"PYTHONPATH": os.getcwd()}, check=False
    )
    assert completed.returncode == 0


def test_check_prints_every_check_and_one_sentence(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """Exit code 1 and one sentence when a check fails; the JUnit file is written too."""
    folder, junit = make(tmp_path / "r", record(0), record(1)), tmp_path / "new" / "junit.xml"
    conditions = "p50_s>1,success_rate<1"
    assert main(["check", str(folder), "--fail-on", conditions, "--junit", str(junit)]) == 1
    captured = capsys.readouterr()
    assert captured.out.splitlines() == [
        str(junit),
        "passed  the run went through its plan to the end",
        "failed  rpm/gpt-5.4-nano/600: p50_s is 2 s (fails if >1)",
        "passed  rpm/gpt-5.4-nano/600: success_rate is 1 (fails if <1)",
    ]
    assert captured.err == (
        "weighbridge: 1 of 3 checks failed: rpm/gpt-5.4-nano/600: p50_s is 2 s (fails if >1).\n"
    )
    assert junit.stat().st_mode & 0o777 == 0o600


def test_check_of_a_good_run_exits_with_0_with_and_without_conditions(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    folder = str(make(tmp_path / "r", record(0)))
    assert main(["check", folder]) == 0
    assert main(["check", folder, "--fail-on", "p95_s>2"]) == 0
    assert capsys.readouterr().err == ""


def test_report_exits_with_1_for_an_incomplete_run_only_when_asked_to_judge(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    folder = str(make(tmp_path / "r", record(0), events=[]))
    assert main(["report", folder]) == 0
    assert capsys.readouterr().err == ""
    assert main(["report", folder, "--print", "--fail-on="]) == 1
    captured = capsys.readouterr()
    assert captured.out.startswith("run r\nBAD  The run was interrupted")
    assert captured.err == ("weighbridge: the run was interrupted and never recorded its end.\n")


@pytest.mark.parametrize("command", ["report", "check"])
def test_a_malformed_condition_is_an_operator_error(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], command: str
) -> None:
    """Exit code 2, and nothing is written."""
    folder = make(tmp_path / "r", record(0))
    assert main([command, str(folder), "--fail-on", "p95>1"]) == 2
    assert capsys.readouterr().err.startswith("weighbridge: --fail-on p95 is unknown: use")
    assert not (folder / "report.md").exists()


@pytest.mark.parametrize("name", ["rows.xlsx", "rows.json", "rows", "rows.seed", "rows.csv.gz"])
def test_export_refuses_an_unknown_suffix(
    tmp_path: Path, name: str, capsys: pytest.CaptureFixture[str]
) -> None:
    """It once wrote the article's JSONL whatever the name."""
    folder = make(tmp_path / "r", record(0))
    assert main(["export", str(folder), "--output", str(tmp_path / name)]) == 2
    assert "does not end in .csv, .parquet or .jsonl" in capsys.readouterr().err
    assert not (tmp_path / name).exists()
