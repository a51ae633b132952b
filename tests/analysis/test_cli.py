"""The command line: what it prints, and one sentence with exit code 2 for the operator's errors."""

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


@pytest.mark.parametrize("by", ["phase", "model", "task-prefix"])
def test_summary_prints_a_line_a_group(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], by: str
) -> None:
    assert main(["summary", str(make(tmp_path / "r", record(0))), "--by", by]) == 0
    printed = capsys.readouterr().out
    assert "run r" in printed and "¥0.000069" in printed and "ok:1" in printed


def test_summary_as_json_is_json(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    folder = str(make(tmp_path / "r", record(0)))
    assert main(["summary", folder, "--json"]) == 0
    assert json.loads(capsys.readouterr().out)["phases"][0]["success"] == 1
    assert main(["summary", folder, "--json", "--by", "model"]) == 0
    assert json.loads(capsys.readouterr().out)["groups"][0]["model_requested"] == "gpt-5.4-nano"


def test_export_then_import_makes_a_run(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    folder, out = make(tmp_path / "r", record(0)), tmp_path / "out.jsonl"
    assert main(["export", str(folder), "--output", str(out)]) == 0
    assert main(["import", str(out), "--results", str(tmp_path / "results")]) == 0
    made = capsys.readouterr().out.splitlines()[-1]
    assert main(["report", made]) == 0


@pytest.mark.parametrize(
    ("arguments", "sentence"),
    [
        (["report", "nowhere"], "There is no run folder nowhere."),
        (["summary", "."], ". is not a run: it has no manifest.json."),
        (["import", "missing.jsonl"], "missing.jsonl: No such file or directory."),
    ],
)
def test_an_operators_error_is_one_sentence(
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


def test_a_folder_that_cannot_be_written_is_one_sentence(
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


def test_it_starts_without_pandas_and_never_knows_locust() -> None:
    """The command line imports pandas only for work, and nothing of the load generator at all."""
    code = (
        "import sys, analysis.__main__; assert 'pandas' not in sys.modules;"
        "import analysis.report, analysis.seed, analysis.importing, analysis.terminal;"
        "import analysis.plots, pandas;"
        "bad = {'locust', 'gevent', 'loadshapes', 'tasks', 'openai'} & set(sys.modules);"
        "assert not bad, bad"
    )
    done = subprocess.run(
        [sys.executable, "-c", code], env=os.environ | {"PYTHONPATH": os.getcwd()}, check=False
    )
    assert done.returncode == 0
