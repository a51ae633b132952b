"""The worked example of CONTRIBUTING.md works: applied to a copy of the tree, the mode runs."""

import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from tests.locust_run import ROOT, environment

PAGE = (ROOT / "CONTRIBUTING.md").read_text(encoding="utf-8")
ROOMS = (
    "analysis", "compat", "docs", "engine", "loadshapes", "recording", "rules", "settings",
    "simulator", "tasks", "tests", "webui", "weighbridge",
)  # fmt: skip


def apply_diff(tree: Path, name: str, hunk: str) -> None:
    """Replace a hunk's old lines, which must stand in the file exactly once, by its new ones."""
    lines = hunk.splitlines(keepends=True)
    old = "".join(line[1:] for line in lines if line[0] in " -")
    new = "".join(line[1:] for line in lines if line[0] in " +")
    path = tree / name
    text = path.read_text(encoding="utf-8")
    assert text.count(old) == 1, f"{name} does not hold exactly once:\n{old}"
    path.write_text(text.replace(old, new), encoding="utf-8")


@pytest.fixture(scope="module")
def tree(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A copy of what a run needs, with the page's files written and its hunks applied."""
    made = tmp_path_factory.mktemp("tree")
    for room in ROOMS:
        shutil.copytree(ROOT / room, made / room, ignore=shutil.ignore_patterns("__pycache__"))
    for name in ("locustfile.py", "pyproject.toml", "mkdocs.yml", "README.md", "CONTRIBUTING.md"):
        shutil.copy(ROOT / name, made / name)
    files = re.findall(r"```python\n# (\S+)\n(.*?)```", PAGE, re.S)
    hunks = re.findall(r"```diff\n--- (\S+)\n(.*?)```", PAGE, re.S)
    files += re.findall(r"```markdown\n<!-- (\S+) -->\n(.*?)```", PAGE, re.S)
    assert len(files) == 3 and len(hunks) == 7
    for name, text in files:
        assert not (made / name).exists()
        (made / name).write_text(text, encoding="utf-8")
    for name, hunk in hunks:
        apply_diff(made, name, hunk)
    return made


def test_the_new_mode_runs_and_is_reported(tree: Path) -> None:
    """Three requests with the probe's fields, a table in English, exit code 0."""
    done = subprocess.run(
        [sys.executable, "-m", "locust", "-f", "locustfile.py", "--headless", "--simulator",
         "--simulator-profile", "fast", "--mode", "same", "--model", "gpt-5.4-nano"],
        cwd=tree, env=environment(), stdin=subprocess.DEVNULL, capture_output=True, text=True,
        timeout=180,
    )  # fmt: skip
    assert done.returncode == 0, done.stdout + done.stderr
    (folder,) = (tree / "results").iterdir()
    report = (folder / "report.md").read_text(encoding="utf-8")
    assert "## Repeatability" in report
    assert re.search(r"\| gpt-5\.4-nano \| 3 \| [123] \|", report)


def test_the_snippets_keep_the_style(tree: Path) -> None:
    """ruff finds nothing to change in the new files."""
    made = [tree / "tasks/probes/same.py", tree / "analysis/report/sections/same.py"]
    for command in (["check"], ["format", "--check"]):
        done = subprocess.run(
            [sys.executable, "-m", "ruff", *command, "--config", str(tree / "pyproject.toml"),
             *map(str, made)],
            cwd=tree, capture_output=True, text=True,
        )  # fmt: skip
        assert done.returncode == 0, done.stdout + done.stderr


def test_the_new_mode_leaves_no_red_test(tree: Path) -> None:
    """Those that go through all modes, in the copy: nothing was forgotten, and none skips it."""
    places = [
        "tests/loadshapes/test_modes.py", "tests/loadshapes/test_shapes.py",
        "tests/command/test_command.py", "tests/docs/test_site.py", "tests/golden/test_golden.py",
    ]  # fmt: skip
    names = "every_mode or navigation or mode_has or help_of or (same and not equals)"
    done = subprocess.run(
        [sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider", "-m", "not chaos",
         *places, "-k", f"({names}) and not equals"],
        cwd=tree, env=environment(), stdin=subprocess.DEVNULL, capture_output=True, text=True,
        timeout=300,
    )  # fmt: skip
    assert done.returncode == 0, done.stdout + done.stderr
    collected = subprocess.run(
        [sys.executable, "-m", "pytest", "-q", "-o", "addopts=", "--collect-only", "-m",
         "golden", places[-1], "-k", "every_mode_equals_the_log"],
        cwd=tree, env=environment(), capture_output=True, text=True, timeout=120,
    ).stdout  # fmt: skip
    assert "[same]" in collected
