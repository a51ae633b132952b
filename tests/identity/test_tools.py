"""Tool calls: worse ones than the reference's differ, equally bad ones and none do not."""

import json
from random import Random
from typing import Any

import pytest
from scipy.stats import binom

from identity import alpha, tools
from identity.called import Called
from identity.looks import Verdict
from identity.tools import WANTED, Fidelity, Reply, Why

ASKED = tools.ROUNDS * len(WANTED)


def judged(seed: int, here: float, there: float) -> Fidelity:
    """A gateway and a reference that call wrongly in these shares."""
    dice = Random(seed)

    def shown(share: float) -> list[Reply]:
        good = [dice.random() >= share for _ in range(ASKED)]
        return [Reply(one, one) for one in good]

    return tools.judge(tools.counted(shown(there)), shown(here), ASKED)


def test_calls_as_good_as_the_references_are_no_difference() -> None:
    found = judged(1, 0, 0)
    assert found.verdict is Verdict.NOT_SHOWN
    assert found.smallest is not None and found.smallest <= 0.35


def test_what_it_would_have_shown_it_shows() -> None:
    share = judged(1, 0, 0).smallest
    assert share is not None
    found = [judged(n, share, 0).verdict for n in range(200)]
    assert found.count(Verdict.DIFFERS) >= 165


@pytest.mark.slow
@pytest.mark.parametrize("share", [0.02, 0.24, 0.5])
def test_of_4000_gateways_as_bad_as_the_reference_hardly_any_alarms(share: float) -> None:
    alarms = sum(judged(n, share, share).verdict is Verdict.DIFFERS for n in range(4000))
    assert alarms <= binom.ppf(0.999, 4000, alpha.TOOLS)


def test_better_calls_than_the_references_are_no_difference() -> None:
    assert {judged(n, 0.0, 0.5).verdict for n in range(50)} == {Verdict.NOT_SHOWN}


def test_a_reference_that_cannot_call_tools_judges_nobody() -> None:
    found = judged(1, 1, 1)
    assert (found.verdict, found.why) == (Verdict.NOT_ENOUGH, Why.UNABLE)


@pytest.mark.parametrize(
    ("reference", "count", "why"),
    [(None, ASKED, Why.UNASKED), (Called(0, 0, ASKED), ASKED // 2, Why.UNANSWERED)],
)
def test_what_is_missing_is_not_judged(reference: Called | None, count: int, why: Why) -> None:
    found = tools.judge(reference, [Reply(False, False)] * count, ASKED)
    assert (found.verdict, found.why) == (Verdict.NOT_ENOUGH, why)


def call(arguments: object, name: str = "reserve") -> dict[str, Any]:
    text = arguments if isinstance(arguments, str) else json.dumps(arguments)
    return {"id": "c", "function": {"name": name, "arguments": text}}


@pytest.mark.parametrize(
    ("calls", "valid", "exact"),
    [
        ([call(WANTED[0])], True, True),
        ([call(WANTED[1])], True, False),
        ([call(WANTED[0] | {"hours": "3"})], False, False),
        ([call(WANTED[0] | {"more": 1})], False, False),
        ([call("{")], False, False),
        ([call("null")], False, False),
        ([call(WANTED[0], "book")], False, False),
        ([call(WANTED[0])] * 2, False, False),
        ([], False, False),
        ([{}], False, False),
    ],
)
def test_what_a_reply_shows(calls: list[dict[str, Any]], valid: bool, exact: bool) -> None:
    assert tools.fact(0, calls) == {"valid": valid, "exact": exact}
