"""Runs the commands that the pages show once more, and puts in what they print: `make outputs`,
or for some pages: `python docs/outputs.py docs/how-to/rpm.md`.

A page is a session (session.py): its console blocks that show output are run from the top to the
bottom, in a folder like a new checkout. A file that a command names and that is not there is the
last block of its kind above, JSON for `.jsonl`. Of what is printed, `...` leaves out what it left
out before (console.py). The names of runs change all over the page, tables below a block are
taken from what its commands wrote, and a Chinese page has the same blocks, with tables from the
Chinese report. A page whose generator was late stays as it was.
"""

import re
import subprocess
import sys
from collections.abc import Iterable, Iterator
from dataclasses import replace
from pathlib import Path

import console
from session import ROOT, Session, session

DOCS = ROOT / "docs"
SETUPS = DOCS / "setups"
"""Scripts that start the servers a page speaks of, by the name of the page."""
READMES = {ROOT / "README.md": "en", ROOT / "README.zh-CN.md": "zh"}
ELSEWHERE = {
    "docs/how-to/failover.md": "behind_litellm.py",
    "docs/how-to/cancel.md": "behind_litellm.py",
    "docs/how-to/identity.md": "relays.py",
}
"""Pages whose outputs another script makes, because servers stand around their commands."""
NOT_MADE: dict[tuple[str, str], str] = {}
"""Blocks that no script makes, by page and how they begin, and why."""
TABLE = re.compile(r"^\|.*\|\n\|[-:| ]+\|\n(?:\|.*\|\n)+(?:\n\*.*\*\n)?", re.M)
NAMED = re.compile(r"[\w.-]+\.(?:jsonl|toml|csv|yaml)\b")
KINDS = {".jsonl": "json"}
"""The language of a file's block, where it is not the end of its name."""
BROKEN = ("Traceback", "cannot listen on")
"""Not what a page is to show: an error of ours, a port that another program has."""
LATE = re.compile("generator-limited, do not trust|受压测端限制，结果不可信")
PARTLY_LATE = re.compile("generator-limited|受压测端限制")


def pages() -> list[Path]:
    """Those whose blocks are made here; Chinese ones have the blocks of the English."""
    found = [page for page in sorted(DOCS.rglob("*.md")) if DOCS / "zh" not in page.parents]
    return [page for page in (*found, *READMES) if name_of(page) not in ELSEWHERE]


def name_of(page: Path) -> str:
    return page.relative_to(ROOT).as_posix()


def made(page: Path) -> Iterator[tuple[re.Match[str], console.Block]]:
    """The blocks of a page that are run: they show output, and nothing but that of commands."""
    for found in console.FENCED.finditer(page.read_text("utf-8")):
        block = console.block(found[1])
        left = any(
            name == name_of(page) and found[1].startswith(begins) for name, begins in NOT_MADE
        )
        if block.has_output() and not block.before and not left:
            yield found, block


def renew(page: Path) -> bool:
    """Every output of a page, and of its Chinese page, made anew; whether it was."""
    text, chinese = page.read_text("utf-8"), DOCS / "zh" / name_of(page).removeprefix("docs/")
    other = chinese.read_text("utf-8") if chinese.is_file() else ""
    began, names = (text, other), dict[str, str]()
    setup = SETUPS / f"{page.stem}.sh"
    with session(
        READMES.get(page, "en"), setup.read_text("utf-8") if setup.is_file() else "true"
    ) as terminal:
        for found, block in list(made(page)):
            commands = [renamed(command, names) for command in block.commands]
            write_files(terminal.folder, commands, found.string[: found.start()])
            before = {path: path.stat().st_mtime_ns for path in terminal.written()}
            printed = terminal.run(commands)
            assert not any(word in printed for word in BROKEN), printed
            again = block.again(printed)
            if late(printed, again):
                return False
            names |= dict(zip(runs_in(found[1]), runs_in(again), strict=False))
            wrote = [p for p in terminal.written() if p.stat().st_mtime_ns != before.get(p)]
            text, other = renamed(text, names), renamed(other, names)
            old, new = renamed(found[0], names), f"```console\n{again}```\n"
            text = placed(text, old, new, wrote)
            if old in other:
                in_chinese(terminal, commands, wrote)
                other = placed(other, old, new, wrote)
    now = (page.read_text("utf-8"), chinese.read_text("utf-8") if other else "")
    assert now == began, "it was edited meanwhile: try again"
    page.write_text(text, encoding="utf-8")
    if other:
        chinese.write_text(other, encoding="utf-8")
    return True


def late(printed: str, shown: str) -> bool:
    """Whether a phase measured the generator, or the page would say that a part of one did."""
    return bool(LATE.search(printed) or PARTLY_LATE.search(shown))


def runs_in(text: str) -> list[str]:
    """The names of runs, each once, in their order."""
    return list(dict.fromkeys(console.RUN.findall(text)))


def renamed(text: str, names: dict[str, str]) -> str:
    return console.RUN.sub(lambda run: names.get(run[0], run[0]), text)


def write_files(folder: Path, commands: Iterable[str], above: str) -> None:
    """The files that the commands name, from the blocks above them."""
    for name in NAMED.findall("".join(commands)):
        suffix = Path(name).suffix
        kind = KINDS.get(suffix, suffix[1:])
        blocks = re.findall(rf"^```{kind}\n(.*?)^```\n", above, re.S | re.M)
        if blocks and not (folder / name).exists():
            (folder / name).write_text(blocks[-1], encoding="utf-8")


def in_chinese(terminal: Session, commands: Iterable[str], wrote: Iterable[Path]) -> None:
    """The same files in Chinese: the report of each run, and what the analysis writes."""
    reports = [
        f"$ python -m analysis report {path.parent.relative_to(terminal.folder)}\n"
        for path in wrote if path.name == "report.md"
    ]  # fmt: skip
    analyses = [command for command in commands if "-m analysis " in command]
    replace(terminal, lang="zh").run([*reports, *analyses])


def placed(text: str, old: str, new: str, wrote: Iterable[Path]) -> str:
    """A page with one block replaced, and the tables below it, up to the next output."""
    before, after = text.split(old, 1)
    end = re.search(r"^```console", after, re.M)
    below, rest = (after[: end.start()], after[end.start() :]) if end else (after, "")
    fresh = [found[0] for path in wrote for found in TABLE.finditer(path.read_text("utf-8"))]
    return before + new + TABLE.sub(lambda found: _like(found[0], fresh), below) + rest


def _like(table: str, fresh: Iterable[str]) -> str:
    """The new table with the same first columns, of several the one with most of the columns; the
    one that stands there if none has."""
    old = _columns(table)
    alike = [new for new in fresh if _columns(new)[:2] == old[:2]]
    if not alike:
        return table
    new = max(alike, key=lambda one: len({*_columns(one)} & {*old}))
    return new if "\n\n*" in table else new.split("\n\n*")[0] + "\n" * new.count("\n\n*")


def _columns(table: str) -> list[str]:
    return [name.strip() for name in table.split("\n", 1)[0].strip("|").split("|")]


def why_not(page: Path) -> str:
    """Why a page could not be made anew; empty where it was."""
    try:
        return "" if renew(page) or renew(page) else "this machine was late twice: try again"
    except (AssertionError, subprocess.TimeoutExpired) as error:
        return str(error)


if __name__ == "__main__":
    failed = False
    for one in [Path(name).resolve() for name in sys.argv[1:]] or pages():
        if why := why_not(one):
            failed = True
            print(f"{name_of(one)} stays as it was: {why}", file=sys.stderr)
    sys.exit(failed)
