"""Runs the commands on the pages again and inserts what they print: `make outputs`, or for some
pages: `python docs/outputs.py how-to/rpm.md`.

A command is run again if it is alone in its block, uses the embedded simulator, and shows only its
final output (`--loglevel WARNING`); the paths at the very end may be left out (`...`). The file of
`--prompts` and `--trace` is the JSON block above it. Tables of the report below it are taken from
the report of the same run, on the Chinese page from its Chinese report. A run whose generator was
late is not used.
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
    """Whether a block can be regenerated: the whole output of one run on the simulator."""
    whole = shown.startswith("run ") and not re.search(r"^(\$ |\.\.\.\n.)", shown, re.M)
    return all(word in command for word in WANTED) and whole


def renew(page: Path) -> None:
    """Regenerates all possible outputs of a page and of its Chinese version."""
    text, chinese = page.read_text("utf-8"), DOCS / "zh" / page.relative_to(DOCS)
    other = chinese.read_text("utf-8") if chinese.is_file() else ""
    for block in list(BLOCK.finditer(text)):
        command, shown = block.groups()
        if not can_run(command, shown):
            continue
        with tempfile.TemporaryDirectory() as folder:
            above = LINES.findall(text[: text.index(block[0])])
            printed, run = _run(command, Path(folder), above[-1] if above else "")
            if "generator-limited" in printed:
                print(f"{page.name}: the generator was late: try again", file=sys.stderr)
                continue
            if shown.endswith("...\n"):
                printed = printed[: printed.rindex("\n\n") + 1] + "...\n"
            whole = f"```console\n{command}\n{printed}```\n"
            text = placed(text, block[0], whole, (run / "report.md").read_text("utf-8"))
            if block[0] in other:
                again = [sys.executable, "-m", "analysis", "report", str(run), "--lang", "zh"]
                subprocess.run(again, cwd=ROOT, check=True, capture_output=True)
                report = (run / "report.md").read_text("utf-8")
                other = placed(other, block[0], whole, report)
    page.write_text(text, encoding="utf-8")
    if other:
        chinese.write_text(other, encoding="utf-8")


def _run(command: str, results: Path, lines: str) -> tuple[str, Path]:
    """What a command prints, and the folder of its run; `lines` are its own traffic."""
    words = shlex.split(command.removeprefix("$ ").replace("\\\n", " "))
    traffic = results / "traffic.jsonl"
    for option in {"--prompts", "--trace"} & set(words):
        traffic.write_text(lines, encoding="utf-8")
        words[words.index(option) + 1] = str(traffic)
    completed = subprocess.run(
        [*words, "--results", str(results)], cwd=ROOT, capture_output=True, text=True, timeout=900,
        env={**os.environ, "PATH": f"{ROOT / '.venv' / 'bin'}:{os.environ['PATH']}"},
    )  # fmt: skip
    [run] = [folder for folder in results.iterdir() if folder.is_dir()]
    return completed.stdout.replace(str(results), "results"), run


def placed(text: str, old: str, new: str, report: str) -> str:
    """A page with one block and the report's tables below it, up to the next block, replaced."""
    before, after = text.split(old, 1)
    end = re.search(r"^(```console|## )", after, re.M)
    below, rest = (after[: end.start()], after[end.start() :]) if end else (after, "")
    fresh = [match[0] for match in TABLE.finditer(report)]
    return before + new + TABLE.sub(lambda match: _like(match[0], fresh), below) + rest


def _like(table: str, fresh: Iterable[str]) -> str:
    """The report's table with the same first columns; the existing one if there is none."""
    first = table.split("|")[1:3]
    alike = next((candidate for candidate in fresh if candidate.split("|")[1:3] == first), None)
    if alike is None:
        print(f"no table of the report begins with {'|'.join(first)}", file=sys.stderr)
        return table
    return alike if "\n\n*" in table else alike.split("\n\n*")[0] + "\n" * alike.count("\n\n*")


if __name__ == "__main__":
    named = [DOCS / name for name in sys.argv[1:]]
    for one in named or sorted(p for p in DOCS.rglob("*.md") if DOCS / "zh" not in p.parents):
        renew(one)
