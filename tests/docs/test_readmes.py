"""The READMEs: what a stranger reads first, in both languages."""

import re
from pathlib import Path

import pytest

from loadshapes.modes import MODES
from tests.locust_run import ROOT

ENGLISH, CHINESE = ROOT / "README.md", ROOT / "README.zh-CN.md"
PAGES = [
    ROOT / name
    for name in ("README.md", "README.zh-CN.md", "CONTRIBUTING.md", "SECURITY.md", "CHANGELOG.md")
]


def anchor(heading: str) -> str:
    """The address of a heading within its page, as hosts of Markdown make it."""
    words = re.sub(r"[^\w\- ]", "", re.sub(r"`|\[([^]]*)\]\([^)]*\)", r"\1", heading).lower())
    return words.strip().replace(" ", "-")


@pytest.mark.parametrize("page", PAGES, ids=lambda p: p.name)
def test_every_link_leads_to_an_existing_file_and_heading(page: Path) -> None:
    for target, _, name in re.findall(r"\]\(([^)#:\s]*)(#([^)\s]+))?\)", page.read_text("utf-8")):
        at = page.parent / target if target else page
        assert at.exists(), target
        if name:
            headings = re.findall(r"^#+ (.*)$", at.read_text("utf-8"), re.M)
            assert name in map(anchor, headings), f"{target}#{name}"


@pytest.mark.parametrize("page", [ENGLISH, CHINESE], ids=["en", "zh"])
def test_a_readme_is_short_and_shows_make_demo_and_make_test_first(page: Path) -> None:
    """Fewer than 130 lines; both commands are on the first screen, with their times."""
    lines = page.read_text("utf-8").splitlines()
    assert len(lines) < 130
    first = "\n".join(lines[:40])
    assert "make demo" in first and "make test" in first
    assert ("minute" in first and "twelve minutes" in first) or "分钟" in first


@pytest.mark.parametrize("page", [ENGLISH, CHINESE], ids=["en", "zh"])
def test_a_readme_names_every_mode(page: Path) -> None:
    text = page.read_text("utf-8")
    assert all(f"[`{name}`](docs/" in text for name in MODES)
