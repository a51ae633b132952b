"""Tool calls that are worse than the reference's differ; equally bad ones do not."""

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


def test_tool_calls_as_good_as_the_references_are_no_difference() -> None:
    result = judged(1, 0, 0)
    assert result.verdict is Verdict.NOT_SHOWN
    assert result.smallest is not None and result.smallest <= 0.35


def test_the_smallest_share_that_the_tool_test_names_is_detected() -> None:
    share = judged(1, 0, 0).smallest
    assert share is not None
    result = [judged(n, share, 0).verdict for n in range(200)]
    assert result.count(Verdict.DIFFERS) >= 165


@pytest.mark.slow
@pytest.mark.parametrize("share", [0.02, 0.24, 0.5])
def test_of_4000_gateways_as_bad_as_the_reference_almost_none_alarms(share: float) -> None:
    alarms = sum(judged(n, share, share).verdict is Verdict.DIFFERS for n in range(4000))
    assert alarms <= binom.ppf(0.999, 4000, alpha.TOOLS)


def test_tool_calls_better_than_the_references_are_no_difference() -> None:
    assert {judged(n, 0.0, 0.5).verdict for n in range(50)} == {Verdict.NOT_SHOWN}


def test_a_reference_that_cannot_call_tools_is_not_used() -> None:
    result = judged(1, 1, 1)
    assert (result.verdict, result.why) == (Verdict.NOT_ENOUGH, Why.UNABLE)


@pytest.mark.parametrize(
    ("reference", "count", "why"),
    [(None, ASKED, Why.UNASKED), (Called(0, 0, ASKED), ASKED // 2, Why.UNANSWERED)],
)
def test_missing_tool_calls_are_not_judged(reference: Called | None, count: int, why: Why) -> None:
    result = tools.judge(reference, [Reply(False, False)] * count, ASKED)
    assert (result.verdict, result.why) == (Verdict.NOT_ENOUGH, why)


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
def test_a_tool_call_is_valid_and_exact_as_worked_by_hand(
    calls: list[dict[str, Any]], valid: bool, exact: bool
) -> None:
    assert tools.fact(0, calls) == {"valid": valid, "exact": exact}
