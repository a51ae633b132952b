"""Runs the commands of the pages again and puts in what they print: `make outputs`, or with pages
named: `python docs/outputs.py how-to/rpm.md`.

A command is run again where it stands alone in its block, asks the embedded simulator, and shows
its end alone (`--loglevel WARNING`); the paths at the very end may be left out (`...`). The file of
`--prompts` and `--trace` is the block of JSON above it. Tables of the report that stand below are
taken from the report of the same run, on the Chinese page from its Chinese report. A run whose
generator was late is not put in.
"""

import os
import re
import shlex
import subprocess
import sys
import tempfile
from collections.abc import Iterable
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
DOCS = ROOT / "docs"
COMMAND = r"(\$ \.venv/bin/locust (?:[^\n]*\\\n)*[^\n]*)\n"
BLOCK = re.compile(rf"^```console\n{COMMAND}(.*?)^```\n", re.S | re.M)
LINES = re.compile(r"^```json\n(.*?)^```\n", re.S | re.M)
TABLE = re.compile(r"^\|.*\|\n\|[-:| ]+\|\n(?:\|.*\|\n)+(?:\n\*.*\*\n)?", re.M)
WANTED = ("--simulator", "--loglevel WARNING")


def can_run(command: str, shown: str) -> bool:
    """Whether a block can be made anew: one whole output of one run on the simulator."""
    whole = shown.startswith("run ") and not re.search(r"^(\$ |\.\.\.\n.)", shown, re.M)
    return all(word in command for word in WANTED) and whole


def renew(page: Path) -> None:
    """Every output of a page that can be, and of its Chinese page, made anew."""
    text, chinese = page.read_text("utf-8"), DOCS / "zh" / page.relative_to(DOCS)
    other = chinese.read_text("utf-8") if chinese.is_file() else ""
    for found in list(BLOCK.finditer(text)):
        command, shown = found.groups()
        if not can_run(command, shown):
            continue
        with tempfile.TemporaryDirectory() as folder:
            above = LINES.findall(text[: text.index(found[0])])
            printed, run = _run(command, Path(folder), above[-1] if above else "")
            if "generator-limited" in printed:
                print(f"{page.name}: this machine was late: try again", file=sys.stderr)
                continue
            if shown.endswith("...\n"):
                printed = printed[: printed.rindex("\n\n") + 1] + "...\n"
            whole = f"```console\n{command}\n{printed}```\n"
            text = placed(text, found[0], whole, (run / "report.md").read_text("utf-8"))
            if found[0] in other:
                again = [sys.executable, "-m", "analysis", "report", str(run), "--lang", "zh"]
                subprocess.run(again, cwd=ROOT, check=True, capture_output=True)
                told = (run / "report.md").read_text("utf-8")
                other = placed(other, found[0], whole, told)
    page.write_text(text, encoding="utf-8")
    if other:
        chinese.write_text(other, encoding="utf-8")


def _run(command: str, results: Path, lines: str) -> tuple[str, Path]:
    """What a command prints, and the folder of its run; `lines` are those of its own traffic."""
    words = shlex.split(command.removeprefix("$ ").replace("\\\n", " "))
    traffic = results / "traffic.jsonl"
    for option in {"--prompts", "--trace"} & set(words):
        traffic.write_text(lines, encoding="utf-8")
        words[words.index(option) + 1] = str(traffic)
    done = subprocess.run(
        [*words, "--results", str(results)], cwd=ROOT, capture_output=True, text=True, timeout=900,
        env={**os.environ, "PATH": f"{ROOT / '.venv' / 'bin'}:{os.environ['PATH']}"},
    )  # fmt: skip
    [run] = [folder for folder in results.iterdir() if folder.is_dir()]
    return done.stdout.replace(str(results), "results"), run


def placed(text: str, old: str, new: str, report: str) -> str:
    """A page with one block replaced, and the report's tables below it, up to the next block."""
    before, after = text.split(old, 1)
    end = re.search(r"^(```console|## )", after, re.M)
    below, rest = (after[: end.start()], after[end.start() :]) if end else (after, "")
    fresh = [found[0] for found in TABLE.finditer(report)]
    return before + new + TABLE.sub(lambda found: _like(found[0], fresh), below) + rest


def _like(table: str, fresh: Iterable[str]) -> str:
    """The report's table with the same first columns; the one that stands there if none has."""
    first = table.split("|")[1:3]
    made = next((one for one in fresh if one.split("|")[1:3] == first), None)
    if made is None:
        print(f"no table of the report begins {'|'.join(first)}", file=sys.stderr)
        return table
    return made if "\n\n*" in table else made.split("\n\n*")[0] + "\n" * made.count("\n\n*")


if __name__ == "__main__":
    named = [DOCS / name for name in sys.argv[1:]]
    for one in named or sorted(p for p in DOCS.rglob("*.md") if DOCS / "zh" not in p.parents):
        renew(one)
