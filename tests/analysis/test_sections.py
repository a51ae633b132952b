"""Sections of the report are found by their files, and are in the order of their PLACE."""

from pathlib import Path

import pytest

from analysis.report import sections
from analysis.report.report import SECTIONS, discovered

FOLDER = Path(sections.__file__).parent


def test_every_section_of_a_run_is_in_the_report() -> None:
    """A file that makes a section and has no PLACE would be left out silently."""
    section_files = {
        path.stem for path in FOLDER.glob("*.py")
        if "def section(view: View)" in path.read_text(encoding="utf-8")
    }  # fmt: skip
    assert {section.__module__.rpartition(".")[2] for section in SECTIONS} == section_files


def test_the_report_begins_with_page_one_and_follows_the_articles_order() -> None:
    names = [section.__module__.rpartition(".")[2] for section in SECTIONS]
    article = ["smoke", "ladder", "window", "cost", "cache", "tools", "reasoning", "vision"]
    assert names[:2] == ["overview", "run"]
    assert [name for name in names if name in article] == article


def test_two_sections_with_the_same_place_are_refused(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "twin.py").write_text("PLACE = 10\nsection = None\n", encoding="utf-8")
    monkeypatch.setattr(sections, "__path__", [*sections.__path__, str(tmp_path)])
    with pytest.raises(ValueError, match="twin.py: another section is already at 10"):
        discovered()
