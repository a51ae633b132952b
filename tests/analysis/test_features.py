"""`analysis compat A B` and `analysis needs TRAFFIC`."""

import json
from pathlib import Path

import pytest

from analysis.__main__ import main
from compat.cells import Cell, as_json
from compat.required import parse
from compat.verdict import Verdict


def saved(path: Path, **verdicts: str) -> str:
    cells = [Cell(name, "m", Verdict(word), evidence="seen so") for name, word in verdicts.items()]
    path.write_text(json.dumps(as_json(cells)), encoding="utf-8")
    return str(path)


def test_compat_prints_only_changed_cells_and_fails_on_a_regression(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:  # fmt: skip
    """A cell that worked and fails now is a regression; one that is now unknown is not."""
    a = saved(tmp_path / "a.json", stop="works", n="works", seed="works", unicode="ignored")
    b = saved(tmp_path / "b.json", stop="ignored", n="works", seed="unsure", unicode="works")
    assert main(["compat", a, b]) == 0
    assert capsys.readouterr().out.splitlines() == [
        "REGRESSION stop (m): works -> ignored: seen so",
        "doubtful seed (m): works -> unsure: seen so",
        "unicode (m): ignored -> works: seen so",
    ]
    assert main(["compat", "--fail-on-regression", a, b]) == 1
    assert main(["compat", "--fail-on-regression", b, b]) == 0
    assert main(["compat", a, str(tmp_path)]) == 2
    (tmp_path / "c.json").write_text('{"cells": 1}', encoding="utf-8")
    assert main(["compat", a, str(tmp_path / "c.json")]) == 2


def test_the_needs_of_traffic_are_written_as_a_list_for_require(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:  # fmt: skip
    """From JSON lines, from a batch's bodies, and from conversations."""
    lines = [
        {"model": "a", "messages": [{"role": "system", "content": "x"}], "stop": ["z"]},
        {"custom_id": "1", "body": {"model": "b", "messages": [], "stream": True}},
        {"turns": ["a", "b"], "extra_body": {"n": 3}},
    ]
    path = tmp_path / "traffic.jsonl"
    path.write_text("\n".join(json.dumps(line) for line in lines) + "\n", encoding="utf-8")
    assert main(["needs", str(path), "--model", "c"]) == 0
    import tomllib

    required = parse(tomllib.loads(capsys.readouterr().out))
    assert list(required.of("a")) == ["chat.plain", "role.system", "stop", "error.model"]
    assert list(required.of("b")) == ["chat.stream", "error.model"]
    assert list(required.of("c")) == ["chat.plain", "turns", "n", "error.model"]
    path.write_text('{"x": 1}\n', encoding="utf-8")
    assert main(["needs", str(path)]) == 2
    path.write_text("no json\n", encoding="utf-8")
    assert main(["needs", str(path)]) == 2
    assert "line 1" in capsys.readouterr().err
