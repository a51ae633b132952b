"""No text of a gateway or of another's file can control a terminal, a log or a page."""

import json
import unicodedata
from pathlib import Path
from typing import get_args

import pytest

from analysis.__main__ import main
from analysis.page.words import Lang
from tests.analysis.runs import HOSTILE, hostile


def control_characters(text: str) -> set[str]:
    """Characters that are not shown but acted on, except our own line breaks."""
    return {c for c in text if unicodedata.category(c) in ("Cc", "Cf", "Zl", "Zp")} - {"\n"}


def printed(capsys: pytest.CaptureFixture[str]) -> str:
    out, err = capsys.readouterr()
    return out + err


@pytest.mark.parametrize("lang", get_args(Lang))
def test_no_report_of_a_hostile_run_holds_control_characters(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], lang: Lang
) -> None:
    """Terminal, report.md, report.html, summary.json and JUnit: the words are there, escaped."""
    folder, junit = hostile(tmp_path / "r"), tmp_path / "junit.xml"
    arguments = ["report", str(folder), "--print", "--lang", lang, "--junit", str(junit)]
    assert main([*arguments, "--fail-on", "success_rate<1"]) == 1
    names = ("report.md", "report.html", "summary.json")
    texts = {path.name: path.read_text("utf-8") for path in [junit, *(folder / n for n in names)]}
    texts["terminal"] = printed(capsys)
    assert {
        name: control_characters(text) for name, text in texts.items() if control_characters(text)
    } == {}
    for name, text in texts.items():
        if name != "summary.json":
            assert "\\x1b[2J" in text.replace("\\[", "["), name
    names = [phase["phase"] for phase in json.loads(texts["summary.json"])["phases"]]
    assert HOSTILE in names  # JSON holds the words themselves, by its own escapes


@pytest.mark.parametrize(
    "command",
    ["summary", "summary --json", "summary --by model", "check --fail-on p95_s>0.1", "compare",
     "timeline --output OUT", "reconcile", "export --output OUT"],
)  # fmt: skip
def test_no_command_prints_control_characters_of_a_hostile_run(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], command: str
) -> None:
    name, *arguments = command.replace("OUT", str(tmp_path / "out")).split()
    runs = [str(hostile(tmp_path / n)) for n in ("ab" if name in ("compare", "timeline") else "a")]
    main([name, *runs, *arguments])
    output = printed(capsys)
    assert output and control_characters(output) == set()


def test_a_path_with_escapes_is_printed_without_them(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["report", str(tmp_path / "no\x1b]0;such\x07\nrun")]) == 2
    output = printed(capsys)
    assert control_characters(output) == set() and output.count("\n") == 1
