"""Runs the commands on the pages again and inserts what they print: `make outputs`, or for some
pages: `python docs/outputs.py how-to/rpm.md`.

A command is run again if it is alone in its block, uses the embedded simulator, and shows only its
final output (`--loglevel WARNING`), perhaps with warnings of the log before it. A line `...` stands
for verdicts or phases that a page leaves out, and for the paths at the very end; where no phases
are shown, for verdicts of the levels that the page leaves out, and all that follows; `$ echo $?`
may end it. The file of `--prompts` and `--trace` is the JSON block above it. Tables of the report
below it are taken from the report of the same run, on the Chinese page from its Chinese report; an
XML block is the file of `--junit`, and each `analysis check` of the same run is repeated. A run
whose generator was late is not used.
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
COMMAND = r"(\$ (?:\.venv/bin/locust|weighbridge) (?:[^\n]*\\\n)*[^\n]*)\n"
BLOCK = re.compile(rf"^```console\n{COMMAND}(.*?)^```\n", re.S | re.M)
LINES = re.compile(r"^```json\n(.*?)^```\n", re.S | re.M)
CHECKED = r"(\$ \.venv/bin/python (-m analysis check (?:[^\n]*\\\n)*[^\n]*)\n)"
CHECK = re.compile(rf"^```console\n{CHECKED}.*?^```\n", re.S | re.M)
PHASES = re.compile(r"^phase .*?\n\n", re.S | re.M)
TABLE = re.compile(r"^\|.*\|\n\|[-:| ]+\|\n(?:\|.*\|\n)+(?:\n\*.*\*\n)?", re.M)
WANTED = ("--simulator", "--loglevel WARNING")
LEVELS = re.compile(r"^(?:BAD |note|ok  ) ", re.M)
"""How verdicts begin."""
CODE = re.compile(r"^\$ echo \$\?\n\d+\n\Z", re.M)
JUNIT = re.compile(r"^```xml\n.*?^```\n", re.S | re.M)
NOTES = re.compile(r"^(run [^\n]*\n).*?(?=^phase )", re.S | re.M)
WARNINGS = re.compile(r"\A(?:\[\d{4}-[^\n]*\n)*")


def can_run(command: str, shown: str) -> bool:
    """Whether a block can be regenerated: the output of one run on the simulator, from which only
    phases, paths and verdicts of some levels are left out."""
    shown = WARNINGS.sub("", shown).replace("\n...\nphase ", "\nphase ")
    rest = CODE.sub("", PHASES.sub("", shown))
    whole = shown.startswith("run ") and not re.search(r"^(\$ |\.\.\.\n.)", rest, re.M)
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
            printed, run, code = _run(command, Path(folder), above[-1] if above else "")
            if "generator-limited" in printed:
                print(f"{page.name}: this machine was late: try again", file=sys.stderr)
                continue
            ends = f"$ echo $?\n{code}\n" if CODE.search(shown) else ""
            whole = f"```console\n{command}\n{elided(printed, shown)}{ends}```\n"
            text = placed(text, found[0], whole, (run / "report.md").read_text("utf-8"))
            if found[0] in other:
                again = [sys.executable, "-m", "analysis", "report", str(run), "--lang", "zh"]
                subprocess.run(again, cwd=ROOT, check=True, capture_output=True)
                told = (run / "report.md").read_text("utf-8")
                other = placed(other, found[0], whole, told)
            before = WARNINGS.sub("", shown).split()[1]
            text, other = (_checked(page, before, run) for page in (text, other))
            if (junit := Path(folder) / "junit.xml").is_file():
                written = f"```xml\n{junit.read_text('utf-8')}```\n"
                text, other = (JUNIT.sub(lambda _: written, page) for page in (text, other))  # noqa: B023
    page.write_text(text, encoding="utf-8")
    if other:
        chinese.write_text(other, encoding="utf-8")


def _run(command: str, results: Path, lines: str) -> tuple[str, Path, int]:
    """What a command prints, between the log's warnings and why it failed, the folder of its run,
    and its exit code; `lines` are those of its own traffic."""
    words = shlex.split(command.removeprefix("$ ").replace("\\\n", " "))
    traffic = results / "traffic.jsonl"
    for option in {"--prompts", "--trace"} & set(words):
        traffic.write_text(lines, encoding="utf-8")
        words[words.index(option) + 1] = str(traffic)
    if "--junit" in words:
        words[words.index("--junit") + 1] = str(results / "junit.xml")
    done = subprocess.run(
        [*words, "--results", str(results)], cwd=ROOT, capture_output=True, text=True, timeout=900,
        env={**os.environ, "WEIGHBRIDGE_LANG": "en",
             "PATH": f"{ROOT / '.venv' / 'bin'}:{os.environ['PATH']}"},
    )  # fmt: skip
    [run] = [folder for folder in results.iterdir() if folder.is_dir()]
    why = [line for line in done.stderr.splitlines(True) if line.startswith("weighbridge: ")]
    printed = _warnings(done.stderr) + done.stdout + "".join(why)
    return printed.replace(str(results), "results"), run, done.returncode


def _warnings(log: str) -> str:
    """The warnings before the first other line."""
    match = WARNINGS.match(log)
    return match[0] if match else ""


def _checked(text: str, before: str, run: Path) -> str:
    """A page on which each check of the run `before` was asked of `run`, which takes its name."""

    def again(found: re.Match[str]) -> str:
        asked = found[1].replace(before, run.name)
        words = shlex.split(found[2].replace("\\\n", " ").replace(f"results/{before}", str(run)))
        done = subprocess.run(
            [sys.executable, *words], cwd=ROOT, capture_output=True, text=True, check=False,
            env={**os.environ, "WEIGHBRIDGE_LANG": "en"},
        )  # fmt: skip
        return f"```console\n{asked}{done.stdout}{done.stderr}```\n"

    return CHECK.sub(lambda found: again(found) if before in found[1] else found[0], text)


def elided(printed: str, shown: str) -> str:
    """What a command prints today, without what the page does not show: phases, and the paths."""
    if not shown.startswith("["):
        printed = printed.removeprefix(_warnings(printed))
    old = PHASES.search(shown)
    if "\nphase " not in shown and shown.endswith("\n...\n"):
        return _of_levels(printed, {match[0] for match in LEVELS.finditer(shown)})
    if old and "...\n" in old[0]:
        kept = [line.split()[0] for line in old[0].splitlines() if line not in ("", "...")]
        [new] = PHASES.finditer(printed)
        lines: list[str] = []
        for line in new[0].splitlines(keepends=True):
            if not line.strip() or line.split()[0] in kept:
                lines.append(line)
            elif lines[-1] != "...\n":
                lines.append("...\n")
        printed = printed.replace(new[0], "".join(lines))
    if "\n...\nphase " in shown:
        printed = NOTES.sub(r"\1...\n", printed, count=1)
    if shown.endswith("\n...\n"):
        printed = printed[: printed.rindex("\n\n") + 1] + "...\n"
    return printed


def _of_levels(printed: str, levels: set[str]) -> str:
    """The run and its verdicts of these levels, up to the phases; `...` for what is left out."""
    phases = PHASES.search(printed)
    lines = printed[: phases.start() if phases else None].splitlines(keepends=True)
    kept = [line for line in lines if not (match := LEVELS.match(line)) or match[0] in levels]
    return "".join(kept).rstrip() + "\n...\n"


def placed(text: str, old: str, new: str, report: str) -> str:
    """A page with one block replaced, and the report's tables below it, up to the next output."""
    before, after = text.split(old, 1)
    end = re.search(r"^```console", after, re.M)
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
