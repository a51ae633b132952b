"""Operator errors are one tree, so that whoever runs a command catches one class."""

import ast
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
ROOMS = ("recording", "rules", "settings", "loadshapes", "engine", "webui", "analysis", "compat")
TREE = {"OperatorError", "InputError"}


def classes() -> list[tuple[str, str, list[str]]]:
    """File, name and bases of every class whose name says that it is an error."""
    found = []
    for room in ROOMS:
        for path in sorted((ROOT / room).rglob("*.py")):
            for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
                if isinstance(node, ast.ClassDef) and node.name.endswith("Error"):
                    bases = [base.id for base in node.bases if isinstance(base, ast.Name)]
                    found.append((str(path.relative_to(ROOT)), node.name, bases))
    return found


@pytest.mark.parametrize(("file", "name", "bases"), classes())
def test_every_error_that_has_a_name_is_an_operator_error(
    file: str, name: str, bases: list[str]
) -> None:
    assert name == "OperatorError" or TREE & {*bases}, f"{file}: {name}"
