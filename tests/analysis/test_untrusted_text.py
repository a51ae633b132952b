"""Nothing that a gateway or another's file says is obeyed by a terminal, a log or a page."""

import json
import unicodedata
from pathlib import Path
from typing import get_args

import pytest

from analysis.__main__ import main
from analysis.page.words import Lang
from tests.analysis.runs import HOSTILE, hostile


def obeyed(text: str) -> set[str]:
    """What is not seen but acted on, but for our own line breaks."""
    return {c for c in text if unicodedata.category(c) in ("Cc", "Cf", "Zl", "Zp")} - {"\n"}


def told(capsys: pytest.CaptureFixture[str]) -> str:
    out, err = capsys.readouterr()
    return out + err


@pytest.mark.parametrize("lang", get_args(Lang))
def test_no_report_of_a_hostile_run_holds_anything_to_obey(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], lang: Lang
) -> None:
    """Terminal, report.md, report.html, summary.json and JUnit; the words are there, escaped."""
    folder, junit = hostile(tmp_path / "r"), tmp_path / "junit.xml"
    asked = ["report", str(folder), "--print", "--lang", lang, "--junit", str(junit)]
    assert main([*asked, "--fail-on", "success_rate<1"]) == 1
    names = ("report.md", "report.html", "summary.json")
    texts = {path.name: path.read_text("utf-8") for path in [junit, *(folder / n for n in names)]}
    texts["terminal"] = told(capsys)
    assert {name: obeyed(text) for name, text in texts.items() if obeyed(text)} == {}
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
def test_no_command_prints_anything_to_obey(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], command: str
) -> None:
    name, *rest = command.replace("OUT", str(tmp_path / "out")).split()
    runs = [str(hostile(tmp_path / n)) for n in ("ab" if name in ("compare", "timeline") else "a")]
    main([name, *runs, *rest])
    said = told(capsys)
    assert said and obeyed(said) == set()


def test_a_path_with_escapes_in_it_is_named_without_them(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["report", str(tmp_path / "no\x1b]0;such\x07\nrun")]) == 2
    said = told(capsys)
    assert obeyed(said) == set() and said.count("\n") == 1
