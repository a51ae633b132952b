"""Sections of the report are found by their files, and stand in the order of their places."""

from pathlib import Path

import pytest

from analysis.report import sections
from analysis.report.report import SECTIONS, discovered

FOLDER = Path(sections.__file__).parent


def test_every_section_of_a_run_is_in_the_report() -> None:
    """A file that makes one and has no place would be left out without a word."""
    made = {
        path.stem for path in FOLDER.glob("*.py")
        if "def section(view: View)" in path.read_text(encoding="utf-8")
    }  # fmt: skip
    assert {section.__module__.rpartition(".")[2] for section in SECTIONS} == made


def test_the_report_begins_with_its_first_page_and_follows_the_article() -> None:
    names = [section.__module__.rpartition(".")[2] for section in SECTIONS]
    article = ["smoke", "ladder", "window", "cost", "cache", "tools", "reasoning", "vision"]
    assert names[:2] == ["overview", "run"]
    assert [name for name in names if name in article] == article


def test_two_sections_at_one_place_are_refused(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "twin.py").write_text("PLACE = 10\nsection = None\n", encoding="utf-8")
    monkeypatch.setattr(sections, "__path__", [*sections.__path__, str(tmp_path)])
    with pytest.raises(ValueError, match="twin.py: another section is at 10 already"):
        discovered()
