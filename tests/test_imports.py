"""Imports run one way (the contracts in pyproject.toml), and pure rooms bring nothing heavy."""

import ast
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parent.parent
ROOMS = (
    "recording", "rules", "compat", "estimates", "identity", "settings", "loadshapes", "tasks",
    "engine", "webui", "analysis", "simulator", "weighbridge",
)  # fmt: skip
HEAVY = {"locust", "gevent", "pandas", "openai", "httpx2"}
PURE = {
    "recording": (),
    "rules": (),
    "compat": (),
    "estimates": (),
    "identity": (),
    "settings": (
        "settings.endpoint",
        "settings.reference",
        "settings.access",
        "settings.key_command",
        "settings.money",
    ),
    "loadshapes": ("loadshapes.shapes",),
}
"""The pure rooms, and what in them is not."""


def modules(room: str) -> list[str]:
    """The dotted names of a room's files."""
    paths = sorted((ROOT / room).rglob("*.py"))
    names = [".".join(path.relative_to(ROOT).with_suffix("").parts) for path in paths]
    return [name.removesuffix(".__init__") for name in names]


def loaded_after_importing(*names: str) -> set[str]:
    """The top-level names in sys.modules of a fresh process that imported only these."""
    script = f"import {', '.join(names)}, sys; print(*{{n.split('.')[0] for n in sys.modules}})"
    ran = subprocess.run(
        [sys.executable, "-c", script], cwd=ROOT, capture_output=True, text=True, timeout=60
    )
    assert ran.returncode == 0, ran.stderr
    return set(ran.stdout.split())


def test_every_contract_of_imports_is_kept() -> None:
    """`lint-imports`: one direction, no circles, the analysis and the simulator on their own."""
    ran = subprocess.run(
        [Path(sys.executable).with_name("lint-imports"), "--no-cache"],
        cwd=ROOT, capture_output=True, text=True, timeout=120,
    )  # fmt: skip
    assert ran.returncode == 0, ran.stdout + ran.stderr


@pytest.mark.parametrize("room", PURE)
def test_a_pure_room_brings_neither_locust_nor_gevent_nor_pandas(room: str) -> None:
    """All of its files in a fresh process: what a library brings along counts as well."""
    names = [name for name in modules(room) if name not in PURE[room]]
    assert not loaded_after_importing(*names) & HEAVY


def test_the_analysis_never_brings_locust_or_gevent() -> None:
    assert not loaded_after_importing(*modules("analysis")) & {"locust", "gevent"}


def test_the_command_line_of_the_analysis_starts_without_pandas() -> None:
    assert "pandas" not in loaded_after_importing("analysis.__main__")


def test_nobody_imports_the_locustfile() -> None:
    for path in [path for room in (*ROOMS, "tests") for path in (ROOT / room).rglob("*.py")]:
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            named = [alias.name for alias in node.names] if isinstance(node, ast.Import) else []
            if isinstance(node, ast.ImportFrom):
                named.append(node.module or "")
            assert "locustfile" not in named, path


def test_the_locustfile_imports_locust_before_anything_else() -> None:
    """Locust patches the standard library; what is imported before it stays unpatched."""
    tree = ast.parse((ROOT / "locustfile.py").read_text(encoding="utf-8"))
    first = next(node for node in tree.body if isinstance(node, ast.Import | ast.ImportFrom))
    assert isinstance(first, ast.ImportFrom)
    assert first.module == "locust"
