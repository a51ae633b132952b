"""The command `weighbridge`: help, version, errors, and that it starts what it names."""

import os
import subprocess
import sys
from dataclasses import fields
from pathlib import Path

import pytest

from loadshapes.modes import MODES
from settings.option import GROUPS, flag, readers
from settings.options import Options
from tests.locust_run import ROOT, environment
from weighbridge import help
from weighbridge.command import ANALYSIS, OTHERS


def weighbridge(*arguments: str, cwd: Path) -> "subprocess.CompletedProcess[str]":
    return subprocess.run(
        [sys.executable, "-m", "weighbridge", *arguments], cwd=cwd,
        env=environment(PYTHONPATH=str(ROOT)), capture_output=True, text=True, timeout=120,
        stdin=subprocess.DEVNULL,
    )  # fmt: skip


def test_help_names_every_mode_command_group_and_option() -> None:
    page = help.Help().page()
    for name in (*MODES, *OTHERS, *ANALYSIS):
        assert f"\n  {name} " in page, name
    for group in GROUPS:
        assert f"\n{group.capitalize()}: " in page
    for item in fields(Options):
        if item.name != "mode":
            assert f"\n  {flag(item.name)} " in page, item.name
    assert "-H, --host" in page and "OPENAI_API_KEY" in page
    assert max(map(len, page.splitlines())) <= help.WIDTH


@pytest.mark.parametrize("page", ["how-to/command.md", "zh/how-to/command.md"])
def test_the_page_of_the_command_names_every_command(page: str) -> None:
    text = (ROOT / "docs" / page).read_text("utf-8")
    assert [name for name in (*OTHERS, *ANALYSIS) if f"`{name}`" not in text] == []


@pytest.mark.parametrize("mode", MODES)
def test_help_of_a_mode_has_only_its_options(mode: str) -> None:
    page = help.Help().of_mode(mode)
    options_shown = {line.split()[0] for line in page.splitlines() if line.startswith("  --")}
    assert options_shown == {
        flag(item.name) for item in fields(Options) if mode in readers(item) and item.name != "mode"
    }


@pytest.mark.parametrize(
    ("typed", "sentence"),
    [
        ("prm", "prm is neither a mode nor a command: did you mean rpm?"),
        ("comapre", "comapre is neither a mode nor a command: did you mean compare?"),
        ("dmeo", "dmeo is neither a mode nor a command: did you mean demo?"),
        ("--target", "--target is where the mode must be: write weighbridge MODE --target ..."),
        ("xyzzy", "xyzzy is neither a mode nor a command: the modes are smoke, ladder, rpm"),
    ],
)
def test_an_unknown_word_is_answered_with_the_nearest_one(typed: str, sentence: str) -> None:
    assert help.unknown(typed, (*MODES, *OTHERS, *ANALYSIS)).startswith(sentence)


def test_the_version_names_ours_the_commit_and_the_libraries(tmp_path: Path) -> None:
    completed = weighbridge("--version", cwd=tmp_path)
    assert completed.returncode == 0
    ours, locust, openai, python = completed.stdout.strip().split(", ")
    assert ours.startswith("weighbridge 0.") and "commit" in ours
    assert locust.startswith("locust 2.") and openai.startswith("openai ")
    assert python.startswith("Python 3.")


def test_a_mode_runs_from_any_folder_and_its_tools_read_what_it_wrote(tmp_path: Path) -> None:
    """Results are written to the folder it was started from; .env is that folder's."""
    (tmp_path / ".env").write_text("WEIGHBRIDGE_MODEL=gpt-5.4-nano\n", encoding="utf-8")
    os.mkdir(tmp_path / "tasks")  # a name of ours in somebody's folder
    (tmp_path / "tasks" / "__init__.py").write_text("raise SystemExit('not yours')\n")
    ran = weighbridge("smoke", "--simulator", "--simulator-profile", "fast", cwd=tmp_path)
    assert ran.returncode == 0, ran.stderr
    (folder,) = (tmp_path / "results").iterdir()
    assert (folder / "report.html").is_file()
    summary = weighbridge("summary", str(folder), cwd=tmp_path)
    assert summary.returncode == 0, summary.stderr
    assert "smoke/chat/gpt-5.4-nano" in summary.stdout
    checked = weighbridge("check", str(folder), "--fail-on", "success_rate<1", cwd=tmp_path)
    assert checked.returncode == 0, checked.stdout + checked.stderr
