"""The outputs on the pages are what the program prints today."""

import re
import sys
from pathlib import Path

import pytest

from analysis.report.terminal import HEADERS
from tests.locust_run import ROOT

sys.path.insert(0, str(ROOT / "docs"))

import behind_litellm  # noqa: E402
import outputs  # noqa: E402
import relays  # noqa: E402

DOCS = ROOT / "docs"
PAGES = [*sorted(DOCS.rglob("*.md")), ROOT / "README.md", ROOT / "README.zh-CN.md"]


@pytest.mark.parametrize("page", PAGES, ids=lambda p: p.relative_to(ROOT).as_posix())
def test_a_table_of_a_run_on_a_page_has_todays_columns(page: Path) -> None:
    """A page with other columns was not renewed: `make outputs`."""
    for place, first in enumerate(("phase", "阶段")):
        headers = [header[place] for header in HEADERS]
        for line in re.findall(rf"^{first} +{headers[0]} .*$", page.read_text("utf-8"), re.M):
            assert " ".join(line.split()) == " ".join([first, *headers])


def test_a_new_output_replaces_its_block_and_its_table() -> None:
    """The table that begins alike; another table, and what comes later, stay."""
    before, after = "```console\n$ a\nold\n```\n", "```console\n$ a\nnew\n```\n"
    old, new = "| A | B |\n|---|---|\n| 1 | 2 |\n", "| A | B | C |\n|---|---|---|\n| 3 | 4 | 5 |\n"
    following = "\n| X |\n|---|\n| 1 |\n\n```console\n$ b\n```\n" + old
    report = f"{new}\n*new*\n\n"
    page = outputs.placed(f"{before}\n## A\n{old}\n*old*\n{following}", before, after, report)
    assert page == f"{after}\n## A\n{new}\n*new*\n{following}"


@pytest.mark.parametrize(("command", "shown", "can"), [
    ("$ .venv/bin/locust --simulator --loglevel WARNING", "run a\nb\n", True),
    ("$ .venv/bin/locust --simulator --loglevel WARNING", "run a\n...\n", True),
    ("$ .venv/bin/locust --simulator --loglevel WARNING", "run a\n...\nb\n", False),
    ("$ .venv/bin/locust --simulator --loglevel WARNING", "run a\nphase ok\na 1\n...\n\nb\n", True),
    ("$ .venv/bin/locust --simulator --loglevel WARNING", "run a\nb\n$ echo $?\n1\n", True),
    ("$ .venv/bin/locust --simulator --loglevel WARNING", "run a\n$ echo $?\n1\nb\n", False),
    ("$ .venv/bin/locust --loglevel WARNING", "run a\nb\n", False),
    ("$ weighbridge rpm --simulator --loglevel WARNING", "[2026-1-1] a\nrun a\nb\n", True),
    ("$ weighbridge rpm --simulator --loglevel WARNING", "weighbridge: no\n", False),
    ("$ weighbridge a --simulator --loglevel WARNING", "run a\n...\nphase ok\na 1\n\n...\n", True),
])  # fmt: skip
def test_only_outputs_of_commands_that_run_on_the_simulator_are_renewed(
    command: str, shown: str, can: bool
) -> None:
    assert outputs.can_run(command, shown) is can


def test_phases_left_out_on_a_page_are_left_out_again() -> None:
    """Those behind `...`; the verdicts are today's."""
    on_page = "run a\nBAD  x\n\nphase  ok\np/1     1\n...\np/4     1\n\nresults/a\n"
    printed = (
        "run b\nok   y\n\nphase  ok\np/1     9\np/2     9\np/3     9\np/4     9\n\nresults/b\n"
    )
    elided = outputs.elided(printed, on_page)
    assert elided == "run b\nok   y\n\nphase  ok\np/1     9\n...\np/4     9\n\nresults/b\n"
    assert outputs.elided(printed, printed) == printed
    told = outputs.elided(printed, "run a\n...\nphase  ok\np/1     1\n\n...\n")
    assert told.startswith("run b\n...\nphase  ok\np/1     9\np/2") and told.endswith("9\n...\n")


@pytest.mark.parametrize("name", behind_litellm.PAGES)
def test_a_page_with_litellm_holds_all_that_its_outputs_are_made_of(name: str) -> None:
    """And its tables have the columns of today's statement."""
    text = (DOCS / name).read_text("utf-8")
    assert behind_litellm.BLOCK.search(text) and behind_litellm.UPSTREAM.search(text)
    assert "```toml\n" in text and "```yaml\n" in text
    sources = [path.read_text("utf-8") for path in (ROOT / "analysis").rglob("*.py")]
    shown = re.findall(r"^```text\n(.*?)^```\n", text, re.S | re.M)
    heads = re.findall(r"^\|(.*)\|\n\|[-:| ]+\|$", "\n".join(shown), re.M)
    assert heads
    for column in {cell.strip() for head in heads for cell in head.split("|")}:
        assert any(f'"{column}"' in source for source in sources), column


def test_verdicts_of_levels_that_a_page_leaves_out_are_left_out_again() -> None:
    """So are the warnings before the run where the page shows none."""
    log = "[2026-11-27 14:10:05,187] vm/WARNING/weighbridge: w\n"
    printed = f"{log}run b\nBAD  z\nnote y\nok   x\n\nphase  ok\np/1     9\n\nresults/b\n"
    assert outputs.elided(printed, "run a\nBAD  x\n...\n") == "run b\nBAD  z\n...\n"
    kept = outputs.elided(printed, f"{log}run a\nBAD  x\nok   x\n...\n")
    assert kept == f"{log}run b\nBAD  z\nok   x\n...\n"
    cut = outputs.elided(printed, "run a\nBAD  x\n\nphase  ok\np/1     1\n...\n")
    assert cut == printed.removeprefix(log).removesuffix("\nresults/b\n") + "...\n"


def test_identity_outputs_come_from_known_settings_and_stand_in_both_languages() -> None:
    english, chinese = ((DOCS / name).read_text("utf-8") for name in relays.PAGES)
    blocks = [found for found in relays.BLOCK.finditer(english) if relays.HOST.search(found[1])]
    assert {host for found in blocks for host in relays.HOST.findall(found[1])} == {*relays.FLAWS}
    assert all(found[0] in chinese for found in blocks)
