"""One command, run twice: everything that joins or compares runs treats the two as alike."""

import json
from pathlib import Path

import pytest

from analysis.__main__ import main
from analysis.compare.timeline import grouped
from analysis.reading.load import load
from tests.locust_run import run


def twice(tmp_path: Path, *plan: object) -> list[Path]:
    """The folders of two runs of one command on the embedded simulator."""
    results = []
    for name in ("one", "two"):
        result = run("--simulator", "--simulator-profile", "fast", *plan, results=tmp_path / name)
        assert result.code == 0 and result.folder is not None, result.text
        results.append(result.folder)
    return results


@pytest.mark.long
def test_compare_and_timeline_take_two_runs_of_one_command(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """The README's commands exit with 0, and the hours of a crontab are in one group."""
    a, b = twice(tmp_path, "--mode", "rpm", "--model", "m", "--target", 600, "--duration", 3)
    assert main(["compare", str(a), str(b)]) == 0
    page = capsys.readouterr().out
    assert f"{b.name} against {a.name} (the baseline)" in page and "not alike" not in page
    assert (
        main(
            ["compare", str(a / "report.html"), str(b), "--fail-on-regression", "cost_per_success"]
        )
        == 0
    )
    assert main(["timeline", str(a), str(b), "--output", str(tmp_path / "line")]) == 0
    content = json.loads((tmp_path / "line" / "timeline.json").read_text("utf-8"))
    assert len(content["groups"]) == 1 and len(content["groups"][0]["runs"]) == 2


@pytest.mark.long
def test_a_nonce_that_a_run_draws_is_not_an_option_of_the_operator(tmp_path: Path) -> None:
    """Mode cache draws a nonce; runs with different nonces of the operator's own are not alike."""
    fresh = twice(tmp_path, "--mode", "cache", "--model", "m", "--repeat", 1)
    manifests = [json.loads((folder / "manifest.json").read_text("utf-8")) for folder in fresh]
    assert [one["options"]["cache_nonce"] for one in manifests] == ["fresh", "fresh"]
    assert len({one["drawn"]["cache_nonce"] for one in manifests}) == 2
    assert len(grouped([load(folder) for folder in fresh])) == 1
