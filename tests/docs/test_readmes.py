"""The READMEs: what a stranger meets first, in both languages."""

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
    """The address of a heading within its page, as the hosts of Markdown make it."""
    kept = re.sub(r"[^\w\- ]", "", re.sub(r"`|\[([^]]*)\]\([^)]*\)", r"\1", heading).lower())
    return kept.strip().replace(" ", "-")


@pytest.mark.parametrize("page", PAGES, ids=lambda p: p.name)
def test_every_link_leads_somewhere(page: Path) -> None:
    """To a file that is there, and to a heading that it has."""
    for target, _, name in re.findall(r"\]\(([^)#:\s]*)(#([^)\s]+))?\)", page.read_text("utf-8")):
        at = page.parent / target if target else page
        assert at.exists(), target
        if name:
            headings = re.findall(r"^#+ (.*)$", at.read_text("utf-8"), re.M)
            assert name in map(anchor, headings), f"{target}#{name}"


@pytest.mark.parametrize("page", [ENGLISH, CHINESE], ids=["en", "zh"])
def test_a_readme_is_short_and_begins_with_two_commands(page: Path) -> None:
    """Fewer than 130 lines; `make demo` and `make test` are met on the first screen, with times."""
    lines = page.read_text("utf-8").splitlines()
    assert len(lines) < 130
    first = "\n".join(lines[:40])
    assert "make demo" in first and "make test" in first
    assert ("minute" in first and "twelve minutes" in first) or "分钟" in first


@pytest.mark.parametrize("page", [ENGLISH, CHINESE], ids=["en", "zh"])
def test_a_readme_names_every_mode(page: Path) -> None:
    text = page.read_text("utf-8")
    assert all(f"[`{name}`](docs/" in text for name in MODES)
