"""The outputs on the pages are what the program prints today."""

import re
import sys
import time
from collections.abc import Callable
from pathlib import Path

import pytest

from analysis.report.terminal import HEADERS
from tests.locust_run import ROOT

sys.path.insert(0, str(ROOT / "docs"))

import behind_litellm  # noqa: E402
import console  # noqa: E402
import outputs  # noqa: E402
import relays  # noqa: E402
import session  # noqa: E402

DOCS = ROOT / "docs"
PAGES = [*sorted(DOCS.rglob("*.md")), ROOT / "README.md", ROOT / "README.zh-CN.md"]


@pytest.mark.parametrize("page", PAGES, ids=lambda p: p.relative_to(ROOT).as_posix())
def test_a_table_of_a_run_on_a_page_has_todays_columns(page: Path) -> None:
    """A page with other columns was not renewed: `make outputs`."""
    for place, first in enumerate(("phase", "阶段")):
        headers = [header[place] for header in HEADERS]
        for line in re.findall(rf"^{first} +{headers[0]} .*$", page.read_text("utf-8"), re.M):
            assert " ".join(line.split()) == " ".join([first, *headers])


def test_a_new_output_replaces_its_block_and_its_table(tmp_path: Path) -> None:
    """The table that begins alike; another table, and what comes later, stay."""
    before, after = "```console\n$ a\nold\n```\n", "```console\n$ a\nnew\n```\n"
    old, new = "| A | B |\n|---|---|\n| 1 | 2 |\n", "| A | B | C |\n|---|---|---|\n| 3 | 4 | 5 |\n"
    following = "\n| X |\n|---|\n| 1 |\n\n```console\n$ b\n```\n" + old
    (report := tmp_path / "report.md").write_text(f"{new}\n*new*\n\n")
    page = outputs.placed(f"{before}\n## A\n{old}\n*old*\n{following}", before, after, [report])
    assert page == f"{after}\n## A\n{new}\n*new*\n{following}"


def test_what_a_page_leaves_out_is_left_out_again() -> None:
    """Phases, verdicts, the log, the paths: where the page has `...`. What is shown is today's."""
    log = "[2026-11-27 14:10:05,187] vm/WARNING/weighbridge: w\n"
    phases = "phase  ok\np/1     9\np/2     9\np/3     9\np/4     9\n"
    printed = f"{log}run b\nBAD  z\nok   y\n\n{phases}\nresults/b\n"
    for shown, left in {
        "run a\nBAD  x\n...\n": f"{log}run b\nBAD  z\n...\n",
        "...\nBAD  x\nok   x\n...\n": "...\nBAD  z\nok   y\n...\n",
        "...\nphase  ok\np/1     1\n...\np/4     1\n...\n":
            "...\nphase  ok\np/1     9\n...\np/4     9\n...\n",
        "...\nrun a\n...\nphase ok\np/1 1\n\n...\n": "...\nrun b\n...\nphase  ok\np/1     9\n...\n",
        "run a\n": printed,
        "": "",
    }.items():  # fmt: skip
        assert console.elided(printed, shown) == left


def test_a_new_verdict_is_shown_where_the_page_leaves_out_only_the_paths() -> None:
    shown = "run a\nok   x\n\nphase  ok\np/1     1\n...\n"
    printed = "run b\nBAD  z\nok   y\n\nphase  ok\np/1     9\n\nresults/b\n"
    assert console.elided(printed, shown) == printed.replace("\nresults/b\n", "...\n")


def test_the_progress_of_a_phase_is_not_its_line() -> None:
    printed = "[2026-11-27 14:10:05,187] vm/INFO/weighbridge: p/1 done\nphase  ok\np/1     9\n"
    assert console.elided(printed, "...\nphase  ok\np/1     1\n").startswith("...\nphase")


def test_of_tables_that_begin_alike_the_one_with_the_same_columns_is_taken(tmp_path: Path) -> None:
    pairs = "| Model | Pairs | Hits |\n|---|---|---|\n| m | 2 | 1 |\n"
    times = "| Model | Pairs | Cold | New |\n|---|---|---|---|\n| m | 2 | 9 | 8 |\n"
    (report := tmp_path / "report.md").write_text(f"{pairs}\n{times}")
    old = "| Model | Pairs | Cold |\n|---|---|---|\n| m | 2 | 7 |\n"
    assert outputs.placed(f"x\n{old}", "x\n", "y\n", [report]) == f"y\n{times}"


def test_a_late_generator_spoils_a_page_that_shows_what_it_measured() -> None:
    """A phase of it always, the gaps of its streams only where the page shows the verdict."""
    phase = "BAD  rpm/m/6 is generator-limited, do not trust it: ...\n"
    gaps = "note do not trust the gaps between the chunks of rpm/m/6 (generator-limited; ...\n"
    assert outputs.late(phase, "") and outputs.late("BAD  rpm/m/6 受压测端限制，结果不可信\n", "")
    assert outputs.late(gaps, gaps) and not outputs.late(gaps, "run a\n...\n")
    verdict = (ROOT / "analysis" / "report" / "verdicts" / "generator.py").read_text("utf-8")
    assert all(words in verdict for words in outputs.LATE.pattern.split("|"))


def test_a_block_shows_what_a_shell_prints_of_its_commands() -> None:
    """On both streams, with the exit code of the command before; a server of the block ends."""
    shown = (
        "$ echo a >&2; (exit 3)\nx\n$ echo $?\nx\n$ sleep 60 &\n$ export A=1\n$ echo \\\n  $A\nx\n"
    )
    block = console.block(shown)
    with session.session() as terminal:
        printed = terminal.run(block.commands)
    assert block.again(printed) == (
        "$ echo a >&2; (exit 3)\na\n$ echo $?\n3\n$ sleep 60 &\n$ export A=1\n$ echo \\\n  $A\n1\n"
    )


def test_what_a_server_prints_when_its_block_is_over_is_not_shown() -> None:
    server = "$ (trap 'echo gone; exit' TERM; echo ready; while true; do sleep 0.1; done) &\n"
    with session.session() as terminal:
        assert terminal.run([server, "$ echo a\n"]) == f"{server}ready\n$ echo a\na\n"


def test_what_a_setup_starts_runs_until_the_session_ends() -> None:
    setup = "echo made > a.toml\nsleep 60 > /dev/null &\necho $! > pid"
    with session.session(setup=setup) as terminal:
        running = Path(f"/proc/{(terminal.folder / 'pid').read_text().strip()}")
        assert terminal.run(["$ cat a.toml\n"]) == "$ cat a.toml\nmade\n"
        assert "sleep" in (running / "cmdline").read_text()
    for _ in range(200):
        if not running.exists() or " Z " in (running / "stat").read_text():
            return
        time.sleep(0.05)
    raise AssertionError("it still runs")


def test_a_page_is_made_anew_in_one_session(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Its file is the block above, its run has today's name wherever it stands, also in the
    commands below, and the Chinese page has the same blocks."""
    before, today = "rpm-20260101T000000-abcd", "rpm-20261231T000000-beef"
    first = "```console\n$ cat a.toml\nrun {0}\n```\n"
    second = "```console\n$ echo results/{0}\nresults/{0}\n```\n"
    page = "```toml\nrun " + today + "\n```\n" + first + "\n{0}\n" + second
    docs = tmp_path / "docs"
    (docs / "zh").mkdir(parents=True)
    (docs / "page.md").write_text(page.format(before))
    (docs / "zh" / "page.md").write_text((first + second).format(before) + "页\n")
    monkeypatch.setattr(outputs, "ROOT", tmp_path)
    monkeypatch.setattr(outputs, "DOCS", docs)
    assert outputs.renew(docs / "page.md")
    assert (docs / "page.md").read_text() == page.format(today)
    assert (docs / "zh" / "page.md").read_text() == (first + second).format(today) + "页\n"


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


def test_identity_outputs_come_from_known_settings_and_stand_in_both_languages() -> None:
    english, chinese = ((DOCS / name).read_text("utf-8") for name in relays.PAGES)
    blocks = [found for found in relays.BLOCK.finditer(english) if relays.HOST.search(found[1])]
    assert {host for found in blocks for host in relays.HOST.findall(found[1])} == {*relays.FLAWS}
    assert all(found[0] in chinese for found in blocks)
    runs = [found[2] for found in blocks if found[2].startswith("run ")]
    assert all(re.search(r"^(?:BAD |note |ok {3})", shown, re.M) for shown in runs), "no verdict"


ENGLISH = [page for page in PAGES if page.parent.name != "zh" and DOCS / "zh" not in page.parents]
CHINESE = sorted((DOCS / "zh").rglob("*.md"))
MADE_BY: dict[str, Callable[[str], object]] = {
    "relays.py": relays.HOST.search,
    "behind_litellm.py": behind_litellm.BLOCK.search,
}
"""Whether another script makes a console block."""
PRINTED = re.compile(r"^(?:BAD |note|ok  |run \S+-\d{8}T|phase  )", re.M)


def consoles(page: Path) -> list[re.Match[str]]:
    """The console blocks of a page that show output."""
    found = console.FENCED.finditer(page.read_text("utf-8"))
    return [each for each in found if console.block(each[1]).has_output()]


@pytest.mark.parametrize("page", ENGLISH, ids=lambda p: p.relative_to(ROOT).as_posix())
def test_every_output_on_a_page_is_made_by_its_command(page: Path) -> None:
    """Run again by `make outputs`, unless the block stands in NOT_MADE with the reason."""
    name = outputs.name_of(page)
    runs_again = {found.start() for found, _ in outputs.made(page)}
    for found in consoles(page):
        if excused(name, found[1]):
            continue
        assert not console.block(found[1]).before, "an output without its command"
        if script := outputs.ELSEWHERE.get(name):
            assert MADE_BY[script](found[0]), f"docs/{script} does not make {found[0]}"
        else:
            assert found.start() in runs_again


def excused(name: str, block: str) -> bool:
    return any(page == name and block.startswith(begins) for page, begins in outputs.NOT_MADE)


def test_what_is_said_about_outputs_that_are_made_otherwise_is_true() -> None:
    """The pages and their scripts exist, and so do the blocks that no script makes."""
    assert all((ROOT / name).is_file() for name in outputs.ELSEWHERE)
    assert {*outputs.ELSEWHERE.values()} == {*MADE_BY}
    for (name, begins), reason in outputs.NOT_MADE.items():
        blocks = [found[1] for found in consoles(ROOT / name)]
        assert any(block.startswith(begins) for block in blocks) and reason
    for setup in outputs.SETUPS.glob("*.sh"):
        assert any(page.stem == setup.stem for page in outputs.pages()), setup


@pytest.mark.parametrize("page", CHINESE, ids=lambda p: p.relative_to(ROOT).as_posix())
def test_an_output_on_a_chinese_page_stands_on_the_english_one(page: Path) -> None:
    english = DOCS / page.relative_to(DOCS / "zh")
    made = [found[0] for found in consoles(english)] if english.is_file() else []
    for found in consoles(page):
        assert found[0] in made


@pytest.mark.parametrize("page", PAGES, ids=lambda p: p.relative_to(ROOT).as_posix())
def test_what_a_run_prints_is_never_shown_without_its_command(page: Path) -> None:
    """Verdicts and tables of phases in blocks of text would not be made anew."""
    blocks = re.findall(r"^```(\w*)\n(.*?)^```\n", page.read_text("utf-8"), re.S | re.M)
    assert not [text for kind, text in blocks if kind != "console" and PRINTED.search(text)]
