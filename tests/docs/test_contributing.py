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
    "analysis", "compat", "docs", "engine", "estimates", "identity", "loadshapes", "recording",
    "rules", "settings", "simulator", "tasks", "tests", "webui", "weighbridge",
)  # fmt: skip
WRITTEN: list[tuple[str, str]] = [
    *re.findall(r"```python\n# (\S+)\n(.*?)```", PAGE, re.S),
    *re.findall(r"```markdown\n<!-- (\S+) -->\n(.*?)```", PAGE, re.S),
]
"""The files that the page has its reader write: their paths and what they hold."""


def contents(tree: Path) -> dict[str, bytes]:
    """Every file of a tree, except what running it leaves behind."""
    return {
        path.relative_to(tree).as_posix(): path.read_bytes()
        for path in tree.rglob("*")
        if path.is_file() and "__pycache__" not in path.parts
    }


@pytest.fixture(scope="module")
def tree(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A copy of what a run needs, with the page's files written, and `make docs` done."""
    copy = tmp_path_factory.mktemp("tree")
    for room in ROOMS:
        shutil.copytree(ROOT / room, copy / room, ignore=shutil.ignore_patterns("__pycache__"))
    for name in ("locustfile.py", "pyproject.toml", "mkdocs.yml", "Makefile", "CONTRIBUTING.md",
                 "README.md", "README.zh-CN.md"):  # fmt: skip
        shutil.copy(ROOT / name, copy / name)
    before = contents(copy)
    for name, text in WRITTEN:
        assert not (copy / name).exists()
        (copy / name).write_text(text, encoding="utf-8")
    completed = subprocess.run(
        [sys.executable, "docs/generate.py"], cwd=copy, env=environment(), capture_output=True,
        text=True, timeout=120,
    )  # fmt: skip
    assert completed.returncode == 0, completed.stderr
    after = contents(copy)
    assert after.keys() - before.keys() == {name for name, _ in WRITTEN}
    changed = {name for name in before if before[name] != after[name]}
    assert "mkdocs.yml" in changed
    assert changed <= {"mkdocs.yml", "README.md", "README.zh-CN.md"} | {
        name for name in before if name.startswith("docs/")
    }, "only what `make docs` writes"
    return copy


def test_a_mode_is_three_files_and_its_page() -> None:
    """All are new: no existing file is edited by hand."""
    assert [name for name, _ in WRITTEN] == [
        "loadshapes/modes/same.py", "tasks/probes/same.py", "analysis/report/sections/same.py",
        "docs/how-to/same.md",
    ]  # fmt: skip
    assert "```diff" not in PAGE


def test_the_new_mode_runs_and_is_reported(tree: Path) -> None:
    """Three requests with the probe's fields, a table in English, exit code 0."""
    completed = subprocess.run(
        [sys.executable, "-m", "locust", "-f", "locustfile.py", "--headless", "--simulator",
         "--simulator-profile", "fast", "--mode", "same", "--model", "gpt-5.4-nano"],
        cwd=tree, env=environment(), stdin=subprocess.DEVNULL, capture_output=True, text=True,
        timeout=180,
    )  # fmt: skip
    assert completed.returncode == 0, completed.stdout + completed.stderr
    (folder,) = (tree / "results").iterdir()
    report = (folder / "report.md").read_text(encoding="utf-8")
    assert "## Repeatability" in report
    assert re.search(r"\| gpt-5\.4-nano \| 3 \| [123] \|", report)


def test_the_new_files_pass_ruff(tree: Path) -> None:
    new_files = [tree / name for name, _ in WRITTEN if name.endswith(".py")]
    for command in (["check"], ["format", "--check"]):
        completed = subprocess.run(
            [sys.executable, "-m", "ruff", *command, "--config", str(tree / "pyproject.toml"),
             *map(str, new_files)],
            cwd=tree, capture_output=True, text=True,
        )  # fmt: skip
        assert completed.returncode == 0, completed.stdout + completed.stderr


def test_the_tests_of_all_modes_pass_with_the_new_mode(tree: Path) -> None:
    """In the copy: nothing was forgotten, and none of them skips the mode."""
    places = [
        "tests/loadshapes/test_modes.py", "tests/loadshapes/test_mode_registry.py",
        "tests/loadshapes/test_shapes.py", "tests/loadshapes/test_judgeable.py",
        "tests/settings/test_options.py", "tests/tasks/test_probes.py",
        "tests/analysis/test_sections.py", "tests/analysis/test_check.py", "tests/test_docs.py",
        "tests/docs/test_site.py", "tests/docs/test_schemas.py",
    ]  # fmt: skip
    completed = subprocess.run(
        [sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider", *places,
         "tests/command/test_command.py", "-k", "not from_any_folder and not demo"],
        cwd=tree, env=environment(), stdin=subprocess.DEVNULL, capture_output=True, text=True,
        timeout=300,
    )  # fmt: skip
    assert completed.returncode == 0, completed.stdout + completed.stderr


@pytest.mark.long
@pytest.mark.parametrize(
    ("place", "test"),
    [("tests/golden/test_golden.py", "every_mode_equals_the_log[same]"),
     ("tests/golden/test_resumed.py", "a_resumed_run_equals_the_log[same]")],
)  # fmt: skip
def test_the_golden_tests_pass_for_the_new_mode(tree: Path, place: str, test: str) -> None:
    """Its example is run and compared with the simulator's log, complete and resumed."""
    completed = subprocess.run(
        [sys.executable, "-m", "pytest", "-p", "no:cacheprovider", "-m", "golden",
         f"{place}::test_{test}"],
        cwd=tree, env=environment(), stdin=subprocess.DEVNULL, capture_output=True, text=True,
        timeout=300,
    )  # fmt: skip
    assert completed.returncode == 0 and "1 passed" in completed.stdout, (
        completed.stdout + completed.stderr
    )
