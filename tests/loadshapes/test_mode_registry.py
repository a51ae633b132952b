"""Modes are found by their files, and an error in one is reported at once."""

import subprocess
import sys
from dataclasses import replace
from pathlib import Path

import pytest

from loadshapes import modes
from loadshapes.modes import MODES, PARTS, check_options, in_order
from loadshapes.modes.mode import Mode
from recording.errors import OperatorError
from settings.option import foreign
from settings.options import Options
from tests.examples import options_of
from tests.locust_run import ROOT


def test_every_file_in_the_folder_of_modes_is_a_mode() -> None:
    files = {path.stem for path in (ROOT / "loadshapes" / "modes").glob("*.py")}
    assert files - {"__init__", "mode"} == set(MODES)


@pytest.mark.parametrize("mode", MODES.values(), ids=MODES)
def test_the_example_of_every_mode_can_be_planned(mode: Mode, tmp_path: Path) -> None:
    """It names only options that the mode reads."""
    options = replace(options_of(mode, tmp_path), run_id="r", task_id_prefix="p")
    assert list(foreign(options)) == []
    planned = modes.plan(options)
    assert planned.phases or planned.unfold is not None


@pytest.mark.parametrize("mode", MODES.values(), ids=MODES)
def test_every_mode_describes_itself_in_both_languages(mode: Mode) -> None:
    """In words that a table cell can hold; its page exists and names it."""
    for text in (*mode.question, *mode.sends, mode.about):
        assert text and "|" not in text and "\n" not in text
    assert all(any(letter >= "一" for letter in pair[1]) for pair in (mode.question, mode.sends))
    assert f"--mode {mode.name}" in (ROOT / "docs" / mode.page).read_text(encoding="utf-8")


def test_two_modes_with_the_same_name_or_place_are_refused() -> None:
    rpm = MODES["rpm"]
    for twin in (replace(rpm, place=1), replace(rpm, name="other")):
        with pytest.raises(ValueError, match="two modes share a name or a place"):
            in_order([rpm, twin])


def test_modes_are_in_the_order_of_their_places() -> None:
    assert list(in_order(reversed(MODES.values()))) == list(MODES)
    assert PARTS == ("smoke", "ladder", "rpm", "tpm", "cache", "tools", "reasoning", "vision")


def test_an_option_for_an_unknown_mode_is_refused() -> None:
    check_options(MODES)
    with pytest.raises(ValueError, match="option target names modes that do not exist: .*soak"):
        check_options([name for name in MODES if name != "soak"])


@pytest.mark.parametrize("mode", MODES)
def test_a_mode_without_options_plans_or_shows_an_example(mode: str) -> None:
    try:
        modes.plan(Options(mode=mode, simulator=True, task_id_prefix="x"))
    except OperatorError as missing:
        assert " is missing: " in str(missing) or "give --budget" in str(missing)
        assert str(missing).endswith(f" For example, give {' '.join(MODES[mode].example)}.")


def ran(code: str) -> "subprocess.CompletedProcess[str]":
    return subprocess.run(
        [sys.executable, "-c", code], cwd=ROOT, capture_output=True, text=True, timeout=60
    )


def test_asking_for_the_modes_before_they_are_imported_raises() -> None:
    """Otherwise the answer would be that there are none."""
    completed = ran("from settings.known_modes import known; known()")
    assert (
        "RuntimeError: no mode is registered yet: import loadshapes.modes first" in completed.stderr
    )
