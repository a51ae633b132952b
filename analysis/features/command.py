"""`analysis compat A B`: what changed. `analysis needs TRAFFIC`: what an application uses."""

import argparse
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from analysis.features import cells
from compat.cells import Cell
from compat.changes import Change, changes
from compat.needs import as_toml, needs
from compat.own_in_traffic import own_of
from compat.verdict import WORDS
from recording.chinese import in_language
from recording.chinese.parser import add_lang
from recording.errors import InputError, OperatorError
from recording.json_files import json_of, read_bytes
from recording.json_values import mapping
from recording.untrusted_text import printable


def add_commands(commands: Any) -> None:
    """Declare both."""
    compat = commands.add_parser("compat", help="what changed between two runs of mode compat")
    compat.add_argument("before", type=Path, metavar="A", help="a run, or its compat.json")
    compat.add_argument("after", type=Path, metavar="B", help="a later one")
    compat.add_argument(
        "--fail-on-regression",
        action="store_true",
        help="exit with 1 where something worked in A and does not in B",
    )
    add_lang(compat)
    compat.set_defaults(command=compare)
    used = commands.add_parser(
        "needs",
        help="the features that your own requests use, with their tools and schemas, as TOML",
    )
    used.add_argument(
        "traffic", type=Path, nargs="+", metavar="JSONL",
        help="files with one request body per line, as --prompts and --trace take them",
    )  # fmt: skip
    used.add_argument("--model", default="*", help="where a body names none; default: *")
    add_lang(used)
    used.set_defaults(command=derive)


def compare(options: argparse.Namespace) -> bool:
    """Print one line per changed cell; whether a regression fails the command."""
    changed = changes(cells.read(options.before), cells.read(options.after))
    for change in changed:
        print(printable(_line(change, options.lang)))
    worse = [change for change in changed if change.regression]
    if not changed:
        print(in_language("nothing changed", options.lang))
    elif not worse:
        print(in_language("no feature that worked was found broken", options.lang))
    return bool(options.fail_on_regression and worse)


def _line(change: Change, lang: str) -> str:
    """`REGRESSION stop (m): works -> ignored: ...`."""
    cell = change.cell
    mark = "REGRESSION " if change.regression else "doubtful " if change.doubtful else ""
    fact = change.after.evidence if change.after is not None else ""
    before, after = (_verdict(one, lang) for one in (change.before, change.after))
    if lang == "zh":
        mark = {"REGRESSION ": "退化 ", "doubtful ": "存疑 "}.get(mark, "")
        arm = f"，{in_language(cell.arm, lang)}" if cell.arm else ""
        evidence = f"：{fact}" if fact else ""
        return f"{mark}{cell.check}（{cell.model}{arm}）：{before} -> {after}{evidence}"
    arm = f", {cell.arm}" if cell.arm else ""
    evidence = f": {fact}" if fact else ""
    return f"{mark}{cell.check} ({cell.model}{arm}): {before} -> {after}{evidence}"


def _verdict(cell: Cell | None, lang: str) -> str:
    if cell is None:
        return "absent" if lang != "zh" else "没有"
    return str(cell.verdict) if lang != "zh" else WORDS[cell.verdict].zh


def derive(options: argparse.Namespace) -> None:
    """Print the compat.toml of some traffic. Raises OperatorError."""
    bodies = [body for path in options.traffic for body in _bodies(path)]
    text = as_toml(needs(bodies), options.model, own_of(bodies))
    if not text:
        raise OperatorError(
            "none of these lines holds a request's body: give JSONL with `messages` or `input`."
        )
    print(text, end="")


def _bodies(path: Path) -> Iterator[dict[str, Any]]:
    """The bodies of a file's lines: the line itself, or its `body`."""
    try:
        lines = read_bytes(path).split(b"\n")
    except InputError as error:
        raise InputError(f"{path} {error}") from None
    for number, line in enumerate(lines, 1):
        if not line.strip():
            continue
        try:
            record = json_of(line)
        except InputError as error:
            raise InputError(f"{path}, line {number} {error}") from None
        body = record.get("body", record) if isinstance(record, dict) else None
        if isinstance(body, dict) and any(name in body for name in ("messages", "turns", "input")):
            yield _as_sent(body)


def _as_sent(body: dict[str, Any]) -> dict[str, Any]:
    """The body as it is sent: `extra_body` merged in, the `turns` of a conversation as messages."""
    sent = {name: value for name, value in body.items() if name not in ("extra_body", "turns")}
    sent |= mapping(body.get("extra_body"))
    turns = body.get("turns")
    if isinstance(turns, list):
        before = sent.get("messages")
        questions = [{"role": "user", "content": turn} for turn in turns]
        answered = [{"role": "assistant", "content": "..."}] if len(turns) > 1 else []
        sent["messages"] = [*(before if isinstance(before, list) else []), *answered, *questions]
    return sent
