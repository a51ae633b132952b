"""Operator errors are one tree, so that every command can catch one class."""

import ast
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
ROOMS = ("recording", "rules", "settings", "loadshapes", "engine", "webui", "analysis", "compat")
TREE = {"OperatorError", "InputError"}


def classes() -> list[tuple[str, str, list[str]]]:
    """File, name and bases of every class whose name says that it is an error."""
    error_classes = []
    for room in ROOMS:
        for path in sorted((ROOT / room).rglob("*.py")):
            for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
                if isinstance(node, ast.ClassDef) and node.name.endswith("Error"):
                    bases = [base.id for base in node.bases if isinstance(base, ast.Name)]
                    error_classes.append((str(path.relative_to(ROOT)), node.name, bases))
    return error_classes


@pytest.mark.parametrize(("file", "name", "bases"), classes())
def test_every_error_class_of_ours_is_an_operator_error(
    file: str, name: str, bases: list[str]
) -> None:
    assert name == "OperatorError" or TREE & {*bases}, f"{file}: {name}"
