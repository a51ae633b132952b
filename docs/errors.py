"""All error messages about operators' mistakes, read from the code."""

import ast
from collections.abc import Iterator
from pathlib import Path

from import_map import ROOT, files, packages

RAISED = (
    "OperatorError", "MissingOption", "RunError", "ConditionError", "PriceError", "SloError",
    "PercentError",
)  # fmt: skip
FAULTS = ("faults", "foreign", "_values", "_files")
"""Functions that yield such sentences."""
ANY = "…"  # stands for a value in the sentence


def sentences() -> list[tuple[str, str]]:
    """Each sentence, and the file that it is in; values are `…`."""
    by_file: dict[tuple[str, str], None] = {}
    for package in packages():
        if package == "simulator":
            continue
        for path in files(package):
            for text in _of(path):
                by_file[text, path.relative_to(ROOT).as_posix()] = None
    return sorted(by_file, key=lambda entry: (entry[1], entry[0]))


def _of(path: Path) -> Iterator[str]:
    """The sentences that a file raises, or yields from a function of FAULTS."""
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Raise) and isinstance(node.exc, ast.Call):
            call = node.exc
            if isinstance(call.func, ast.Name) and call.func.id in RAISED and call.args:
                yield from _written(call.args[0])
        elif isinstance(node, ast.FunctionDef) and node.name in FAULTS:
            for inner in ast.walk(node):
                if isinstance(inner, ast.Yield) and inner.value is not None:
                    yield from _written(inner.value)
                elif isinstance(inner, ast.Call) and getattr(inner.func, "attr", "") == "append":
                    yield from _written(inner.args[0])


def _written(node: ast.expr) -> Iterator[str]:
    """The text of a string literal or f-string; empty for an expression that passes one on."""
    if isinstance(node, ast.Constant):
        yield str(node.value)
    elif isinstance(node, ast.JoinedStr):
        text = "".join(
            str(part.value) if isinstance(part, ast.Constant) else ANY for part in node.values
        )
        if sum(char.isalpha() for char in text) >= 10:
            yield text


def page() -> str:
    """docs/reference/errors.md."""
    parts = [
        "# Operator errors\n",
        "A mistake made by the operator ends with exit code 2 and one of these sentences on",
        "stderr, after `weighbridge: `; in the web UI the start form shows it. Nothing was sent,",
        f"and there is nothing to pay. `{ANY}` stands for a value. A failed request is not an",
        "operator error but an [outcome](outcomes.md).",
    ]
    place = ""
    for text, file in sentences():
        if file != place:
            parts.append(f"\n## {file}\n")
            place = file
        parts.append(f"- {_plain(text)}")
    return "\n".join(parts) + "\n"


def _plain(text: str) -> str:
    """The sentence as Markdown that shows it as it is."""
    for char in "\\`*_<>[]{}|":
        text = text.replace(char, "\\" + char)
    return text
