"""Mode identity with --identity-output, on a simulator that cuts long replies, and on others."""

import re
from pathlib import Path

import pytest

from analysis.reading.load import load
from analysis.report import identity
from analysis.report.report import look
from identity.long_reply import Why
from identity.looks import Verdict
from tests.e2e.test_identity import MODEL, PROFILE, asked
from tests.locust_run import run

SIZE = 1200


@pytest.mark.slow
@pytest.mark.parametrize(
    ("more", "verdict", "why"),
    [
        ("", Verdict.NOT_SHOWN, None),
        ("[reply]\ncap_tokens = 500", Verdict.DIFFERS, None),
        ("[reply]\ncap_tokens = 1000", Verdict.DIFFERS, None),
        ("[reply]\ncap_tokens = 512\ncap_finished = true", Verdict.DIFFERS, None),
        ("[reply]\nlist_lines = 100", Verdict.NOT_ENOUGH, Why.ENDED),
        ("[reply]\nlist_lines = 60\nlist_spread = 0.5", Verdict.NOT_ENOUGH, Why.ENDED),
        ("[tokens]\nscale = 1.25", Verdict.NOT_SHOWN, None),
        ("[reasoning]\ntokens = 200", Verdict.NOT_SHOWN, None),
    ],
)  # fmt: skip
def test_an_output_limit_is_named_and_early_endings_are_not_accused(
    tmp_path: Path, more: str, verdict: Verdict, why: Why | None
) -> None:
    """A limit is named with its tokens, and costs what the plan says at most; models that end long
    lists by themselves are not accused."""
    option = ("--identity-output", SIZE, "--no-content")
    dry = run("-H", "http://127.0.0.1:9/v1", "--mode", "identity", "--model", MODEL, *option,
              "--dry-run", results=tmp_path / "dry")  # fmt: skip
    bound = re.search(r"long replies, at most (\d+) requests and at most ([\d,]+) tokens", dry.text)
    assert bound is not None, dry.text
    result, logged = asked(tmp_path / "run", PROFILE.format(more=more), *option)
    assert result.folder is not None, result.text
    (one,) = identity.numbers(look(load(result.folder)))
    assert one.long_reply is not None
    found, test = one.long_reply
    assert (found.verdict, found.why) == (verdict, why)
    assert one.differing == (verdict is Verdict.DIFFERS) + ("scale" in more)
    mine = logged[-6:]
    assert test.requests == int(bound[1]) == len(mine)
    used = sum(int(row["prompt_tokens"]) + int(row["completion_tokens"]) for row in mine)
    assert used <= int(bound[2].replace(",", ""))
    assert test.cost == pytest.approx(sum(float(row["billed"]) for row in mine))
    if verdict is Verdict.DIFFERS:
        assert found.tokens == max(int(row["completion_tokens"]) for row in mine)
        page = (result.folder / "report.md").read_text(encoding="utf-8")
        assert f"4 of 4 long replies were cut at {found.tokens:,} tokens" in page


def test_a_budget_too_small_to_tell_is_refused_before_anything_is_sent(tmp_path: Path) -> None:
    result = run("--simulator", "--mode", "identity", "--model", MODEL, "--identity-output", 50,
               results=tmp_path)  # fmt: skip
    assert result.code == 2 and "give 400 or more" in result.text and result.folder is None
