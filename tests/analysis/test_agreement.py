"""One prompt sent plain and streamed: which differences are flagged, and which are harmless."""

from itertools import product
from pathlib import Path
from typing import Any

import pytest
from hypothesis import assume, example, given
from hypothesis import strategies as st

from analysis.numbers.agreement import differences
from analysis.reading.load import load
from analysis.report.report import look
from analysis.report.run_checks import judge
from analysis.report.summary import Summary
from tests.analysis.runs import make, probe

PLAIN: dict[str, Any] = {
    "mode": "smoke", "model_requested": "m", "model_returned": "m", "stream": False,
    "success": True, "prompt_tokens": 20, "completion_tokens": 18, "total_tokens": 38,
    "cached_tokens": 0, "cache_write_tokens": None, "api_cost": 0.000056, "cost_source": "body",
    "finish_reason": "stop", "tool_calls": 0, "content": "Hello.", "max_tokens": 64,
}  # fmt: skip
STREAM = {**PLAIN, "stream": True, "content": "Good day."}


def flags(plain: dict[str, Any], stream: dict[str, Any]) -> dict[str, bool]:
    """The flags of a stream beside a plain reply, and whether each is grave."""
    return {d.flag: d.grave for d in differences([{**PLAIN, **plain}, {**STREAM, **stream}])}


def usage(prompt: int, completion: int, **more: Any) -> dict[str, Any]:
    return {"prompt_tokens": prompt, "completion_tokens": completion,
            "total_tokens": prompt + completion, **more}  # fmt: skip


@pytest.mark.parametrize("stream", [
    {},
    usage(21, 18),  # a token more for the stream's own template
    usage(19, 40, api_cost=0.0001),  # a longer reply costs more
    usage(20, 64, finish_reason="length", api_cost=0.000148),  # ... and may use its budget up
    usage(20, 63, finish_reason="length", api_cost=0.000146),
    usage(20, 50, reasoning_tokens=44, api_cost=0.00012),  # it thought longer
    usage(20, 18, api_cost=0.000057),  # the last decimal
    usage(20, 18, api_cost=0.00006),  # other provider, 7 %
    usage(20, 18, cached_tokens=16, api_cost=0.00004),  # cached by the plain one
    {"api_cost": None, "cost_source": "unknown"},
    {"api_cost": 0.5, "cost_source": "price_table"},  # our own table's, not the gateway's word
    usage(20, 18, api_cost=0.0, cost_source="header"),  # headers leave before the tokens
    {"prompt_tokens": None, "completion_tokens": None, "total_tokens": None},  # usage_missing
    {"finish_reason": None},  # finish_reason has a flag of its own
    {"model_returned": "n", **usage(900, 18)},  # another model counts in its own way
    {"success": False, **usage(900, 18)},
    {"tool_calls": None},  # a run made before the column was
])  # fmt: skip
def test_differences_that_a_healthy_gateway_may_have_are_not_flagged(
    stream: dict[str, Any],
) -> None:
    assert flags({}, stream) == {}


@pytest.mark.parametrize(("plain", "stream", "flagged"), [
    ({}, usage(2009, 18), {"usage_stream_differs": True}),
    ({}, usage(18, 18), {"usage_stream_differs": True}),
    ({}, {"api_cost": 0.000224}, {"cost_stream_differs": True}),  # streamed at four times the price
    ({}, {"api_cost": 0.000014}, {"cost_stream_differs": True}),
    ({}, {"api_cost": 0.0}, {"cost_stream_differs": True}),  # streams are not billed
    ({"api_cost": 0.0}, {}, {"cost_stream_differs": True}),
    ({}, {"api_cost": 0.000068}, {"cost_stream_differs": False}),  # dearer by 21 %: a note
    ({}, {"api_cost": 0.000140}, {"cost_stream_differs": False}),  # 2.5 x: another provider
    ({}, {"api_cost": 0.01, "cost_source": "header"}, {"cost_stream_differs": True}),
    ({}, usage(20, 36, api_cost=0.0004), {"cost_stream_differs": True}),  # twice the output, 7 x
    ({}, {"finish_reason": "tool_calls"}, {"reply_stream_differs": True}),
    ({}, {"tool_calls": 1, "finish_reason": "tool_calls"}, {"reply_stream_differs": True}),
    ({}, usage(20, 5, finish_reason="length"), {"reply_stream_differs": True}),  # budget not used
    ({}, {"finish_reason": "length", "content": "Hello."}, {"reply_stream_differs": True}),
    ({"finish_reason": "length", **usage(20, 64, api_cost=0.000148)}, {}, {}),
])  # fmt: skip
def test_differences_that_no_price_and_no_reply_explain_are_flagged(
    plain: dict[str, Any], stream: dict[str, Any], flagged: dict[str, bool]
) -> None:
    assert flags(plain, stream) == flagged


tokens = st.integers(1, 3000)


@given(
    prompt=tokens, outputs=st.tuples(tokens, tokens), cached=st.tuples(tokens, tokens),
    price=st.floats(1e-8, 1e-4), rate=st.floats(0, 1e-3), discount=st.floats(0, 1),
    fee=st.floats(0, 1e-3), minimum=st.floats(0, 1e-3), decimals=st.integers(4, 9),
    extra=st.integers(-1, 1),
)  # fmt: skip
@example(
    prompt=1,
    outputs=(1, 1),
    cached=(1, 1501),
    price=1e-4,
    rate=0.0,
    discount=0.0,
    fee=0.0,
    minimum=0.0,
    decimals=6,
    extra=1,
)  # all of the prompt was cached and free, but for the one token that was counted beside it
def test_costs_that_follow_any_price_list_are_not_flagged(
    prompt: int, outputs: tuple[int, int], cached: tuple[int, int], price: float, rate: float,
    discount: float, fee: float, minimum: float, decimals: int, extra: int,
) -> None:  # fmt: skip
    """Whatever the prices, caches, fees, minimum charge and rounding."""
    assume(prompt + extra > 0)
    rows = []
    for output, hit, more in zip(outputs, cached, (0, extra), strict=True):
        held = min(hit, prompt) if hit > 1500 else 0
        due = fee + (prompt - held) * price + held * price * discount + output * rate
        cost = round(max(minimum, due), decimals)
        rows.append(usage(prompt + more, output, cached_tokens=held, api_cost=cost))
    assert "cost_stream_differs" not in flags(rows[0], rows[1])


def test_replies_are_compared_only_within_a_model_and_a_mode() -> None:
    rows = [
        {**row, "mode": mode, "model_requested": model, **usage(size, 18)}
        for (mode, model), size in zip(product(("smoke", "reasoning"), "mn"), (20, 30, 40, 50),
                                       strict=True)
        for row in (PLAIN, STREAM)
    ]  # fmt: skip
    assert differences(rows) == []
    assert differences([{**PLAIN, "mode": "rpm"}, {**STREAM, "mode": "rpm", **usage(900, 1)}]) == []


def test_a_difference_in_usage_is_bad_on_page_one_and_fails_the_run(tmp_path: Path) -> None:
    """In both languages, with both rows' names; and a healthy run has one check, as ever."""
    plain = probe("smoke", "m", phase="smoke/chat/m", model_returned="m", prompt_tokens=9)
    streamed = probe("smoke", "m", phase="smoke/stream/m", stream=True, scenario="stream",
                     model_returned="m", prompt_tokens=2009, ttft_s=1.0, task_id=None)  # fmt: skip
    run = load(make(tmp_path / "run", plain, streamed))
    view = look(run)
    (bad,) = [v.text for v in Summary.of(view).verdicts if v.level == "bad"]
    assert "states 9 prompt tokens for a plain request and 2,009 for the same prompt" in bad
    assert "nl-smoke-m-run-1" in bad and "smoke/stream/m#0" in bad
    assert view.phases[1].checks == {"usage_stream_differs": 1}
    checks = judge(view, ())
    assert [check.verdict for check in checks] == ["passed", "failed"]
    assert "usage_stream_differs" in str(checks[1])
    healthy = look(load(make(tmp_path / "well", plain)))
    assert [check.verdict for check in judge(healthy, ())] == ["passed"]
