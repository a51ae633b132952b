"""Identity probes among the requests of a load, on a simulator with known truth."""

from collections import Counter
from pathlib import Path

import pytest

from analysis.numbers.identity_course import courses
from analysis.reading.load import load
from analysis.report.report import look
from tests.e2e.test_identity import HONEST, asked
from tests.locust_run import run

LOAD = ("--mode", "rpm", "--target", 1200, "--duration", 15, "--identity-share", 0.25)


@pytest.mark.slow
@pytest.mark.parametrize("faults", ["", "response_cache=1.0"])
def test_an_honest_gateway_is_not_accused_under_load(tmp_path: Path, faults: str) -> None:
    """A quarter of the 300 requests are probes, and a quarter of those have the same bytes; a
    response cache that answers these is not a fault."""
    result, logged = asked(tmp_path / "run", HONEST, *LOAD, "--no-content", faults=faults)
    assert result.code == 0 and result.folder is not None, result.text
    assert len(logged) == 300
    assert max(Counter(row["prompt_sha256"] for row in logged).values()) == 19
    page = (result.folder / "report.md").read_text(encoding="utf-8")
    assert "no change in its answers is shown: 56 probes in 2 parts" in page
    assert "replies had been given before" not in page
    (course,) = courses(load(result.folder)).values()
    assert len(course.tokens) == 1
    (phase,) = look(load(result.folder)).phases
    assert phase.planned == 300 and phase.marker_rate == 1.0


@pytest.mark.slow
def test_a_hidden_prompt_that_changes_is_reported_with_its_counts(tmp_path: Path) -> None:
    profile = HONEST.replace(
        "[answers]", "[billing]\nhidden_prompt_tokens = 50\nhidden_prompt_spread = 3\n[answers]"
    )
    result, _ = asked(tmp_path / "run", profile, *LOAD)
    assert result.folder is not None
    page = (result.folder / "report.md").read_text(encoding="utf-8")
    assert "identical prompts were counted as" in page


def test_probes_keep_to_the_modes_own_requests(tmp_path: Path) -> None:
    result = run("--simulator", *LOAD, "--model", "m", "--against", "http://127.0.0.1:9/v1",
               results=tmp_path)  # fmt: skip
    assert result.code == 2 and "leave out --against and --prompts" in result.text


@pytest.mark.slow
@pytest.mark.parametrize("share", [0.5, 0.9])
def test_probes_are_never_cancelled_on_purpose(tmp_path: Path, share: float) -> None:
    """Of the others so many are, by the server's log; what the probes show is the same."""
    cancel = ("--stream", "--cancel-after", "0chunks", "--cancel-share", share)
    slow = HONEST.replace("fixed_s = 0.0", "ttft_s = 0.25\ntokens_per_s = 8.0")
    result, logged = asked(tmp_path / "run", slow, *LOAD, *cancel, "--no-content")
    assert result.code == 0 and result.folder is not None, result.text
    left = sum(row["fault"] == "client_gone" for row in logged)
    cut = [row for row in result.rows() if row.cancel_after is not None]
    assert len(logged) == 300 and len(cut) == left and abs(left - 225 * share) < 40
    assert not any(row.request_index % 4 == 2 for row in cut), "no probe"
    (course,) = courses(load(result.folder)).values()
    assert course.differing == [] and sum(part.answers for part in course.parts) == 56
