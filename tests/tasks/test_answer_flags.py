"""Flags of answers that do not fit the question, by hand and through a whole exchange."""

import json
from typing import Any

import pytest

from recording.record import RequestRecord
from tasks.answer_flags import combined, flags, same_model
from tasks.prompts import Judgement, Request
from tasks.reply import Message
from tasks.usage import Usage
from tests.tasks.scripted_server import (
    BOTH,
    USAGE_CHUNK,
    WHOLE_STREAM,
    Serve,
    answer,
    completion,
    delta,
    json_reply,
    streaming,
)
from tests.tasks.sending import send


@pytest.mark.parametrize(
    ("requested", "returned"),
    [
        ("gpt-4o", "gpt-4o"),
        ("gpt-4o", "gpt-4o-2024-08-06"),
        ("gpt-4o-2024-08-06", "gpt-4o"),
        ("gpt-4o-2024-08-06", "openai/gpt-4o-20240806"),
        ("gpt-4", "gpt-4-0613"),
        ("openai/gpt-4o", "gpt-4o"),
        ("gpt-4o", "azure/gpt-4o-2024-11-20"),
        ("DeepSeek-R1", "deepseek/deepseek-r1-0528"),
        ("deepseek/deepseek-r1:free", "deepseek/deepseek-r1"),
        ("claude-3-5-sonnet-latest", "claude-3-5-sonnet-20241022"),
        ("claude-3-5-sonnet@20240620", "claude-3-5-sonnet-20240620"),
        ("claude-3-5-sonnet-20241022", "us.anthropic.claude-3-5-sonnet-20241022-v2:0"),
        ("gemini-1.5-pro", "models/gemini-1.5-pro-002"),
        ("gemini-2.5-flash-preview", "gemini-2.5-flash-preview-05-20"),
        ("command-r", "command-r-08-2024"),
        ("llama3", "llama3:latest"),
        ("openrouter/auto", "mistralai/mistral-large"),
    ],
)
def test_another_spelling_of_a_model_is_that_model(requested: str, returned: str) -> None:
    assert same_model(requested, returned)


@pytest.mark.parametrize(
    ("requested", "returned"),
    [
        ("gpt-4o", "gpt-4o-mini"),
        ("gpt-4o", "gpt-4o-mini-2024-07-18"),
        ("gpt-4o-2024-05-13", "gpt-4o-2024-08-06"),
        ("gpt-5.4", "gpt-5.4-nano"),
        ("gpt-5.4-nano", "gpt-5.4"),
        ("claude-sonnet-4.6-thinking", "claude-sonnet-4.6"),
        ("o1", "o1-preview"),
        ("llama3:70b", "llama3:8b"),
        ("openai/gpt-4o", "openai/gpt-3.5-turbo"),
        ("m", "m-substitute"),
        ("m-1", "m-2"),
    ],
)
def test_another_model_is_flagged(requested: str, returned: str) -> None:
    assert not same_model(requested, returned)


def flags_of(given: Message | None = None, *, ok: bool = True, **used: Any) -> dict[str, str]:
    counts: Usage = {"prompt_tokens": 5, "completion_tokens": 2, "total_tokens": 7}
    answer_message = given or Message("ok", finish_reason="stop", model="m")
    return flags("m", answer_message, {**counts, **used}, ok=ok)  # type: ignore[typeddict-item]


@pytest.mark.parametrize(
    ("used", "expected"),
    [
        ({}, {}),
        ({"total_tokens": 9}, {"usage_sum": "total 9 is not 5 + 2"}),
        ({"total_tokens": None}, {}),
        ({"cached_tokens": 5, "reasoning_tokens": 2, "api_cost": 0.0}, {}),
        ({"cached_tokens": 6}, {"usage_absurd": "6 of 5 prompt tokens are cached"}),
        ({"reasoning_tokens": 3}, {"usage_absurd": "3 of 2 completion tokens are reasoning"}),
        ({"api_cost": -0.5}, {"usage_absurd": "api_cost is -0.5"}),
        (
            {"completion_tokens": -2, "total_tokens": 3},
            {"usage_absurd": "completion_tokens is -2"},
        ),
        (
            {"prompt_tokens": 10**12, "total_tokens": None},
            {"usage_absurd": "prompt_tokens is 1000000000000"},
        ),
        (
            {"completion_tokens": 0, "total_tokens": 5},
            {"usage_absurd": "completion_tokens is 0, and there is a reply"},
        ),
        (
            {"prompt_tokens": 0, "total_tokens": 2},
            {"usage_absurd": "prompt_tokens is 0"},
        ),
        (
            {"prompt_tokens": None, "completion_tokens": None, "total_tokens": None},
            {"usage_missing": "the answer states no tokens"},
        ),
    ],
)
def test_impossible_usage_is_flagged(used: dict[str, Any], expected: dict[str, str]) -> None:
    assert flags_of(**used) == expected


def test_reasoning_outside_the_completion_is_not_flagged_as_absurd() -> None:
    """Some gateways count it only into the total:

    the sum does not add up, but no part is too big.
    """
    assert list(flags_of(reasoning_tokens=30, total_tokens=37)) == ["usage_sum"]


def test_a_failed_answer_is_not_flagged_for_what_it_lacks() -> None:
    nothing = dict.fromkeys(("prompt_tokens", "completion_tokens", "total_tokens"))
    assert flags_of(Message(), ok=False, **nothing) == {}


@pytest.mark.parametrize(
    ("reason", "calls", "flagged"),
    [
        ("stop", (), None),
        ("length", (), None),
        ("stop", ({"id": "c"},), None),  # OpenAI says so of a call it was told to make
        ("tool_calls", ({"id": "c"},), None),
        ("tool_calls", (), "tool_calls, and there is no tool call"),
        ("content_filter", (), "content_filter"),
        ("eos", (), "eos"),
        (None, (), "none is given"),
        ("x" * 500, (), "x" * 79 + "…"),
    ],
)
def test_a_finish_reason_that_does_not_fit_is_flagged(
    reason: str | None, calls: Any, flagged: str | None
) -> None:
    given = Message("ok", tool_calls=calls, finish_reason=reason, model="m")
    assert flags_of(given).get("finish_reason") == flagged


def test_flags_come_after_the_probes_verdict() -> None:
    """Neither the verdict nor the facts it rests on are lost."""
    judged = Judgement("fail", '{"tool_calls": true}')
    assert combined(judged, {}) == ("fail", '{"tool_calls": true}')
    check, detail = combined(judged, {"usage_sum": "s", "finish_reason": "r"})
    assert check == "fail usage_sum finish_reason"
    assert json.loads(detail or "") == {
        "tool_calls": True, "flags": {"usage_sum": "s", "finish_reason": "r"},
    }  # fmt: skip


def test_a_verdict_in_plain_words_is_kept_with_the_flags() -> None:
    check, detail = combined(Judgement("fail", "the judge failed: KeyError"), {"usage_sum": "s"})
    assert (check, json.loads(detail or "")) == (
        "fail usage_sum", {"judge": "the judge failed: KeyError", "flags": {"usage_sum": "s"}},
    )  # fmt: skip


@pytest.mark.parametrize("mute", [False, True])
@pytest.mark.parametrize("status", ["200 OK", "500 No"])
def test_a_row_of_own_traffic_has_its_line_number(serve: Any, status: str, mute: bool) -> None:
    """Whether or not it was answered, and with --no-content too."""
    server = serve(answer(json_reply(completion(), status=status)))
    request = Request("x", place={"line": 3, "turn": 2})
    row = send(server.base_url, request=request, how={"mute": mute})
    assert row.check is None
    assert json.loads(row.check_detail or "") == {"line": 3, "turn": 2}


def test_without_flags_and_verdict_the_check_is_empty() -> None:
    assert combined(None, {}) == (None, None)


def reply(stream: bool, reason: str | None = "stop", **changes: Any) -> bytes:
    """A complete answer, plain or streamed, with another model or usage than usual."""
    if not stream:
        content = completion(**changes)
        content["choices"][0]["finish_reason"] = reason
        return json_reply(content)
    model = {"model": changes["model"]} if "model" in changes else {}
    events = [{**event, **model} for event in (*WHOLE_STREAM[:3], delta(reason))]
    return streaming(*events, {**USAGE_CHUNK, **changes})


@BOTH
@pytest.mark.parametrize(
    ("changes", "check"),
    [
        ({}, None),
        ({"model": "other"}, "model_mismatch"),
        ({"usage": {"prompt_tokens": 5, "completion_tokens": 2, "total_tokens": 8}}, "usage_sum"),
        (
            {"usage": {"prompt_tokens": 5, "completion_tokens": -2, "total_tokens": 3}},
            "usage_absurd",
        ),
        ({"usage": None}, "usage_missing"),
        ({"reason": "eos"}, "finish_reason"),
        ({"reason": "eos", "model": "other"}, "model_mismatch finish_reason"),
    ],
)
def test_a_flagged_answer_keeps_its_outcome(
    serve: Serve, changes: dict[str, Any], check: str | None, stream: bool
) -> None:
    row: RequestRecord = send(serve(answer(reply(stream, **changes))).base_url, stream=stream)
    assert (row.outcome, row.check) == ("ok", check)
    named = json.loads(row.check_detail)["flags"] if row.check_detail else {}
    assert " ".join(named) == (check or "")
