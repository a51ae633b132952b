"""What `--dry-run` prints of each mode's plan."""

import re
from dataclasses import replace
from pathlib import Path

import pytest

from engine.estimate import estimate_said
from loadshapes import modes
from loadshapes.modes import MODES
from recording.chinese import in_language
from tests.examples import options_of

LEFT_ENGLISH = {"token", "prompt", "RPM", "TPM", "Locust", "seed", "min"}
"""What docs/zh/style.md leaves, and units."""
MORE = {
    "identity": ("--against", "simulator", "--identity-tools", "--identity-context", "8000",
                 "--identity-output", "2000"),
    "compat": ("--against", "simulator"),
    "capacity": ("--search", "concurrency", "--target", "1,2,4", "--max-workers", "8"),
}  # fmt: skip


@pytest.mark.parametrize("more", [False, True])
@pytest.mark.parametrize("mode", MODES)
def test_a_plan_is_wholly_chinese_and_stated_once(mode: str, more: bool, tmp_path: Path) -> None:
    added = MORE.get(mode, ()) if more else ()
    options = options_of(MODES[mode], tmp_path, *added)
    options = replace(options, run_id="r", task_id_prefix="r", results=str(tmp_path))
    plan = modes.plan(options)
    lines = [in_language(line, "zh") for line in plan.describe().splitlines()]
    text = "\n".join([*lines, estimate_said(plan, options).zh])
    names = {*(phase.name for phase in plan.phases), *options.models}
    for known in sorted(names, key=len, reverse=True):
        text = text.replace(known, "")
    words = set(re.findall(r"(?<!-)[A-Za-z]{3,}", re.sub(r"--[a-z0-9-]+", "", text)))
    assert words <= LEFT_ENGLISH, text
    assert plan.outlook is None or lines == [], "the outlook is the estimate's to state"
