"""The Makefile says which Python it needs, and does not take a broken environment for a complete
one.
"""

import os
import shutil
import subprocess
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parent.parent.parent
OLD = """#!/bin/sh
case "$1" in -V) echo "Python 3.10.12";; *) exit 1;; esac
"""


@pytest.fixture
def checkout(tmp_path: Path) -> Path:
    """A folder (with a space in its name) with our Makefile, and a Python 3.10 in it."""
    folder = tmp_path / "a checkout"
    folder.mkdir()
    for name in ("Makefile", "requirements.txt", "requirements-dev.txt"):
        shutil.copy(ROOT / name, folder)
    (folder / "old").write_text(OLD)
    (folder / "old").chmod(0o755)
    return folder


def make(folder: Path, *words: str) -> "subprocess.CompletedProcess[str]":
    return subprocess.run(
        ["make", *words], cwd=folder, capture_output=True, text=True, timeout=60,
        env={name: value for name, value in os.environ.items() if not name.startswith("MAKE")},
    )  # fmt: skip


def test_an_old_python_is_named_with_the_version_needed(checkout: Path) -> None:
    completed = make(checkout, "demo", "PYTHON=./old")
    assert completed.returncode != 0
    assert "Weighbridge needs Python 3.11 or newer; ./old is Python 3.10.12." in completed.stderr
    assert "make demo PYTHON=python3." in completed.stderr
    assert not (checkout / ".venv").exists()


@pytest.mark.parametrize("broken", ["dangling", "too old"])
def test_a_broken_environment_is_not_used_although_its_stamp_exists(
    checkout: Path, broken: str
) -> None:
    there = checkout / ".venv" / "bin"
    there.mkdir(parents=True)
    if broken == "dangling":
        (there / "python").symlink_to("/nowhere/python3")
    else:
        shutil.copy(checkout / "old", there / "python")
    (there / ".run").touch()
    completed = make(checkout, "setup", "PYTHON=./old")
    assert "Weighbridge needs Python 3.11 or newer" in completed.stderr


def test_a_complete_environment_works_whatever_the_systems_python(checkout: Path) -> None:
    """As one made by uv; nothing is installed."""
    there = checkout / ".venv" / "bin"
    there.mkdir(parents=True)
    (there / "python").write_text("#!/bin/sh\nexit 0\n")
    (there / "python").chmod(0o755)
    (checkout / "requirements.txt").write_text("")
    completed = make(checkout, "setup", "PYTHON=./old")
    assert completed.returncode == 0, completed.stderr
    assert (there / "weighbridge").is_file()
    assert make(checkout, "setup", "PYTHON=./old").stderr == "", "and it is made once"


def test_the_script_that_make_writes_starts_the_command(checkout: Path) -> None:
    there = checkout / ".venv" / "bin"
    there.mkdir(parents=True)
    (there / "python").write_text('#!/bin/sh\ntest "$1" = -c || printf "%s|" "$@"\n')
    (there / "python").chmod(0o755)
    make(checkout, "setup", "PYTHON=./old")
    completed = subprocess.run(
        [str(there / "weighbridge"), "rpm", "--model", "a b"], cwd="/", capture_output=True,
        text=True, timeout=60,
    )  # fmt: skip
    assert completed.stdout == f"{checkout}/weighbridge|rpm|--model|a b|"
