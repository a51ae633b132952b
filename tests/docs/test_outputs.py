"""What the pages show is what the program prints today."""

import re
import sys
from pathlib import Path

import pytest

from analysis.report.terminal import HEADERS
from tests.locust_run import ROOT

sys.path.insert(0, str(ROOT / "docs"))

import outputs  # noqa: E402

DOCS = ROOT / "docs"
OLDER = {"full.md", "first-run.md"}  # made before there was a column of those without an answer
PAGES = [
    *(p for p in sorted(DOCS.rglob("*.md")) if p.name not in OLDER),
    ROOT / "README.md",
    ROOT / "README.zh-CN.md",
]


@pytest.mark.parametrize("page", PAGES, ids=lambda p: p.relative_to(ROOT).as_posix())
def test_a_table_of_a_run_has_todays_columns(page: Path) -> None:
    """A page that shows older ones was not made anew: `make outputs`."""
    today = " ".join(["phase", *(english for english, _ in HEADERS)])
    for line in re.findall(r"^phase +planned .*$", page.read_text("utf-8"), re.M):
        assert " ".join(line.split()) == today


def test_an_output_is_put_in_with_its_tables_below() -> None:
    """The block, and the table that begins alike; another table and what comes later stay."""
    before, after = "```console\n$ a\nold\n```\n", "```console\n$ a\nnew\n```\n"
    old, new = "| A | B |\n|---|---|\n| 1 | 2 |\n", "| A | B | C |\n|---|---|---|\n| 3 | 4 | 5 |\n"
    rest = "\n| X |\n|---|\n| 1 |\n\n## C\n" + old
    report = f"{new}\n*new*\n\n"
    made = outputs.placed(f"{before}\n{old}\n*old*\n{rest}", before, after, report)
    assert made == f"{after}\n{new}\n*new*\n{rest}"


@pytest.mark.parametrize(("command", "shown", "can"), [
    ("$ .venv/bin/locust --simulator --loglevel WARNING", "run a\nb\n", True),
    ("$ .venv/bin/locust --simulator --loglevel WARNING", "run a\n...\n", True),
    ("$ .venv/bin/locust --simulator --loglevel WARNING", "run a\n...\nb\n", False),
    ("$ .venv/bin/locust --loglevel WARNING", "run a\nb\n", False),
])  # fmt: skip
def test_what_can_be_made_anew(command: str, shown: str, can: bool) -> None:
    assert outputs.can_run(command, shown) is can
