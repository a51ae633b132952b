"""What gateways put on the wire, row by row:

each form of reply, and the row that is right for it. Every form is answered by a scripted server,
to the SDK's typed surface (smoke) and to the plain one: both must give the same row.
docs/reference/dialects.md lists what is read.
"""

import json
import time
from dataclasses import dataclass, field
from typing import Any

import pytest

from recording.record import COLUMNS, RequestRecord
from tests.tasks.scripted_server import (
    STREAM_HEAD,
    Serve,
    answer_once,
    chunked,
    completion,
    delta,
    http,
    json_reply,
    sse,
)
from tests.tasks.sending import send
from tests.tasks.test_requests import TIMES

USAGE = {"prompt_tokens": 10, "completion_tokens": 5, "total_tokens": 15}
PAGE = (
    b"<!DOCTYPE html><html><head><title>api.example.com | 524: A timeout occurred</title>"
    b"<style>body {color: red}</style></head><body>" + b"<p>filler</p>" * 800 + b"</body></html>"
)


@dataclass(frozen=True)
class Shape:
    """A reply and what its row must hold; `stream`: it answers a streamed request."""

    reply: bytes
    stream: bool
    row: dict[str, Any]
    flags: str | None = None
    detail: str = ""
    more: dict[str, Any] = field(default_factory=dict)


def plain(row: dict[str, Any], flags: str | None = None, detail: str = "", **changes: Any) -> Shape:
    return Shape(json_reply(completion(**changes)), False, row, flags, detail)


def events(*chunks: Any, done: bool = True, head: bytes = STREAM_HEAD) -> bytes:
    return head + b"".join(chunked(*sse(chunks, done=done)))


def stream(row: dict[str, Any], *chunks: Any, flags: str | None = None, detail: str = "",
           done: bool = True, head: bytes = STREAM_HEAD) -> Shape:  # fmt: skip
    return Shape(events(*chunks, done=done, head=head), True, row, flags, detail)


def refusal(status: str, body: Any, row: dict[str, Any], flags: str | None = None,
            *headers: str, streamed: bool = False) -> Shape:  # fmt: skip
    return Shape(json_reply(body, *headers, status=status), streamed, row, flags)


def used(usage: Any, *, finish: str = "stop") -> tuple[Any, ...]:
    return (delta(content="ok"), delta(finish), {**delta(), "choices": [], "usage": usage})


def ended(reason: Any, content: str | None = "ok") -> dict[str, Any]:
    choice = {"index": 0, "message": {"content": content}, "finish_reason": reason}
    return {"choices": [choice]}


def html_head(kind: bytes) -> bytes:
    return STREAM_HEAD.replace(b"text/event-stream", kind)


XAI = {**USAGE, "total_tokens": 115, "completion_tokens_details": {"reasoning_tokens": 100}}
BYOK = {**USAGE, "cost": 0, "is_byok": True, "cost_details": {"upstream_inference_cost": 0.4}}
OK15 = {"outcome": "ok", "prompt_tokens": 10, "completion_tokens": 5, "total_tokens": 15}
TWO_CALLS = [
    {"index": None, "id": "", "type": "function", "function": {"name": "f1", "arguments": "{}"}},
    {"index": None, "id": "", "type": "function", "function": {"name": "f2", "arguments": "{}"}},
]
NO_MONEY = {"message": "You exceeded your current quota", "type": "insufficient_quota"}
IN_17_S = {
    "code": 429, "status": "RESOURCE_EXHAUSTED", "message": "quota",
    "details": [{"@type": "type.googleapis.com/google.rpc.RetryInfo", "retryDelay": "17s"}],
}  # fmt: skip

SHAPES: dict[str, Shape] = {
    # G1
    "no finish_reason, usage, DONE": stream(
        {**OK15, "finish_reason": None, "content": "ok"},
        delta(content="ok"), {**delta(), "choices": [], "usage": USAGE}, flags="finish_reason",
    ),
    # G2: several usages
    "real usage, then zeros": stream(
        {**OK15, "api_cost": 0.5},
        delta(content="ok"), {**delta("stop"), "usage": {**USAGE, "cost": 0.5}},
        {**delta(), "choices": [],
         "usage": {"prompt_tokens": 0, "completion_tokens": 0, "total_tokens": 0}},
        flags="usage_twice",
    ),
    "zeros with a cost of 0, after": stream(
        {**OK15, "api_cost": 0.5},
        delta(content="ok"), {**delta("stop"), "usage": {**USAGE, "cost": 0.5}},
        {**delta(), "choices": [], "usage": {"prompt_tokens": 0, "completion_tokens": 0,
                                             "total_tokens": 0, "cost": 0}},
        flags="usage_twice",
    ),
    "two that differ after the end": stream(
        {**OK15, "completion_tokens": 7, "total_tokens": 17},
        delta(content="ok"), {**delta("stop"), "usage": USAGE},
        {**delta(), "choices": [],
         "usage": {**USAGE, "completion_tokens": 7, "total_tokens": 17}}, flags="usage_twice",
    ),
    "counting up is one usage": stream(
        OK15,
        *({**delta(content="x"), "usage": {"prompt_tokens": 10, "completion_tokens": n,
                                           "total_tokens": 10 + n}} for n in range(1, 6)),
        {**delta("stop"), "usage": USAGE}, {**delta(), "choices": [], "usage": USAGE},
    ),
    "first 0, then real": stream(
        OK15, delta(content="ok"),
        {**delta("stop"), "usage": {"prompt_tokens": 0, "completion_tokens": 0,
                                    "total_tokens": 0}},
        {**delta(), "choices": [], "usage": USAGE},
    ),
    # G3, G4: other conventions of counting
    "xAI: reasoning beside": plain(
        {**OK15, "total_tokens": 115, "reasoning_tokens": 100, "tokens_beside": "reasoning"},
        usage=XAI,
    ),
    "xAI, streamed": stream(
        {**OK15, "total_tokens": 115, "reasoning_tokens": 100, "tokens_beside": "reasoning"},
        *used(XAI),
    ),
    "Anthropic: cached beside": plain(
        {**OK15, "cached_tokens": 11000, "tokens_beside": "cached"},
        usage={**USAGE, "cache_read_input_tokens": 11000},
    ),
    "cached and written beside, in the total": plain(
        {**OK15, "total_tokens": 11415, "cached_tokens": 11000, "cache_write_tokens": 400,
         "tokens_beside": "cached cache_write"},
        usage={**USAGE, "total_tokens": 11415, "cache_read_input_tokens": 11000,
               "cache_creation_input_tokens": 400},
    ),
    "more cached than asked, in OpenAI's place, is absurd": plain(
        {**OK15, "cached_tokens": 11000, "tokens_beside": None}, "usage_absurd",
        usage={**USAGE, "prompt_tokens_details": {"cached_tokens": 11000}},
    ),
    "a total of nothing": plain({**OK15, "total_tokens": 14}, "usage_sum",
                                usage={**USAGE, "total_tokens": 14}),
    "more reasoning than completion, and the total denies it": plain(
        {**OK15, "reasoning_tokens": 100, "tokens_beside": None}, "usage_absurd",
        usage={**USAGE, "completion_tokens_details": {"reasoning_tokens": 100}},
    ),
    # G5, G6: costs
    "an own key": plain({**OK15, "api_cost": 0.0, "upstream_cost": 0.4, "cost_source": "body"},
                        usage=BYOK),
    "an own key, streamed": stream({**OK15, "api_cost": 0.0, "upstream_cost": 0.4}, *used(BYOK)),
    "a cost of parts": plain(
        {"api_cost": 0.3}, usage={**USAGE, "cost": {"input": 0.1, "output": 0.2, "total": 0.3}}
    ),
    "a cost in words": plain({"api_cost": None, "cost_source": "unknown"}, "cost_unreadable",
                             usage={**USAGE, "cost": "cheap"}),
    # G7: the stated cause outranks the status
    "no money under 429": refusal("429 Too Many", {"error": NO_MONEY},
                                  {"outcome": "payment_required", "http_status": 429}),
    "no money under 403": refusal(
        "403 No", {"error": {"message": "用户额度不足", "code": "insufficient_user_quota"}},
        {"outcome": "payment_required", "http_status": 403},
    ),
    "no money in words, under 400": refusal(
        "400 No", {"type": "error", "error": {"type": "invalid_request_error", "message":
                   "Your credit balance is too low to access the Anthropic API."}},
        {"outcome": "payment_required"},
    ),
    "a quota of the minute is no lack of money": refusal(
        "429 No", [{"error": {**IN_17_S, "message": "You exceeded your current quota"}}],
        {"outcome": "rate_limited", "retry_after_s": 17.0},
    ),
    "a provider's 429 under 500": refusal(
        "500 No", {"error": {"code": 429, "message": "Provider returned error"}},
        {"outcome": "rate_limited"},
    ),
    "a limit under 403": refusal(
        "403 No", {"error": {"type": "rate_limit_exceeded", "message": "slow down"}},
        {"outcome": "rate_limited"},
    ),
    "a wrong key under 400": refusal(
        "400 No", {"error": {"code": 400, "message": "API key not valid", "status":
                   "INVALID_ARGUMENT", "details": [{"reason": "API_KEY_INVALID"}]}},
        {"outcome": "auth"},
    ),
    "no such model under 503": refusal(
        "503 No", {"error": {"code": "model_not_found", "message": "no channel for m"}},
        {"outcome": "not_found"},
    ),
    "429 as ever": refusal("429 No", {"error": {"message": "Rate limit reached", "type": "tokens",
                                                "code": "rate_limit_exceeded"}},
                           {"outcome": "rate_limited"}),
    "403 as ever": refusal("403 No", {"error": {"message": "no"}}, {"outcome": "auth"}),
    # G8, G9: envelopes of other families
    "code, msg, success": refusal("200 OK", {"code": 500, "msg": "server busy", "success": False},
                                  {"outcome": "server_error", "error_message": "server busy"}),
    "error_code, error_msg": refusal("200 OK", {"error_code": 18, "error_msg": "QPS limit"},
                                     {"outcome": "server_error", "error_message": "QPS limit"}),
    "base_resp": refusal(
        "200 OK", {"choices": None, "base_resp": {"status_code": 1008, "status_msg":
                   "insufficient balance"}},
        {"outcome": "payment_required", "error_message": "insufficient balance"},
    ),
    "a list of errors": refusal(
        "200 OK", {"success": False, "errors": [{"code": 7003, "message": "No route"}]},
        {"outcome": "server_error", "error_message": "No route", "error_type": "7003"},
    ),
    "an envelope with a code of 429": refusal(
        "200 OK", {"code": 429, "msg": "slow down"}, {"outcome": "rate_limited"}
    ),
    "FastAPI's list": refusal(
        "422 No", {"detail": [{"loc": ["body", "x"], "msg": "extra fields", "type": "extra"}]},
        {"outcome": "bad_request", "error_message": "extra fields (body.x)"},
    ),
    "FastAPI's list of two": refusal(
        "422 No", {"detail": [{"loc": ["body", "x"], "msg": "a"}, {"loc": ["body", 0], "msg":
                   "b"}]}, {"error_message": "a (body.x); b (body.0)"},
    ),
    # G10, G11: pages and texts of others
    "a page of 9 kB": Shape(
        http("524 A timeout occurred", PAGE, "content-type: text/html"), False,
        {"outcome": "server_error", "http_status": 524,
         "error_message": "api.example.com | 524: A timeout occurred"},
        "not_the_gateway",
    ),
    "a firewall's page": Shape(
        http("403 Forbidden", b"<html><body><h1>Request&nbsp;blocked</h1></body></html>"), True,
        {"outcome": "auth", "error_message": "Request blocked"}, "not_the_gateway",
    ),
    "a page in XML": Shape(
        http("403 No", b'<?xml version="1.0"?><Error><Code>AccessDenied</Code><Message>Denied by '
             b"policy</Message></Error>"), False, {"error_message": "Denied by policy"},
        "not_the_gateway",
    ),
    "a proxy's text": Shape(
        http("503 No", b"upstream connect error or disconnect/reset before headers"), False,
        {"outcome": "server_error"}, "not_the_gateway",
    ),
    "a page under 200 for a stream": Shape(
        html_head(b"text/html") + b"".join(chunked(PAGE)), True,
        {"outcome": "malformed", "error_message":
         "a page came, not a completion: api.example.com | 524: A timeout occurred"},
        "not_the_gateway",
    ),
    "a page called an event stream": Shape(
        STREAM_HEAD + b"".join(chunked(b"\n" + PAGE)), True, {"outcome": "malformed"},
        "not_the_gateway",
    ),
    "a page under 200, plain": Shape(http("200 OK", PAGE), False, {"outcome": "malformed"},
                                     "not_the_gateway"),
    # G12: the body outranks the header
    "a stream called JSON": stream(OK15, *used(USAGE), flags="content_type",
                                   head=html_head(b"application/json")),
    "a stream called text": stream(OK15, *used(USAGE), flags="content_type",
                                   head=html_head(b"text/plain; charset=utf-8")),
    "JSON called text": Shape(
        http("200 OK", json.dumps(completion(usage=USAGE)).encode(), "content-type: text/plain"),
        False, OK15, "content_type",
    ),
    # G14 and 14.6: why it ended
    "filtered, plain": plain({"outcome": "filtered", "success": False,
                              "finish_reason": "content_filter"}, **ended("content_filter", None)),
    "filtered, streamed": stream({"outcome": "filtered"}, delta("content_filter")),
    "filtered in the midst": stream({"outcome": "filtered", "content": "ok"},
                                    delta(content="ok"), delta("SAFETY")),
    "filtered before it began": refusal(
        "400 No", {"error": {"code": "content_filter", "message": "filtered", "status": 400,
                             "innererror": {"code": "ResponsibleAIPolicyViolation"}}},
        {"outcome": "filtered", "http_status": 400},
    ),
    "a moderated prompt": refusal(
        "403 No", {"error": {"code": 403, "message": "Your input was flagged",
                             "metadata": {"reasons": ["violence"], "flagged_input": "x"}}},
        {"outcome": "filtered", "http_status": 403},
    ),
    "AWS's throttling": refusal(
        "400 No", {"__type": "com.amazon.coral.service#ThrottlingException", "message": "slow"},
        {"outcome": "rate_limited"},
    ),
    "aborted, plain": plain({"outcome": "server_error", "success": False, "error_type": "abort",
                             "http_status": 200}, **ended("abort")),
    "aborted, streamed": stream({"outcome": "stream_error", "error_type": "abort", "content": "x"},
                                delta(content="x"), delta("abort")),
    "aborted, and then stopped": stream({"outcome": "stream_error", "finish_reason": "error"},
                                        delta(content="x"), delta("error"), delta("stop")),
    "aborted, as an object": plain({"outcome": "server_error"}, **ended({"type": "abort"})),
    "no resources": plain({"outcome": "server_error"}, **ended("insufficient_system_resource")),
    "a call that cannot be": plain({"outcome": "server_error"},
                                   **ended("MALFORMED_FUNCTION_CALL")),
    "another reason": plain({"outcome": "ok"}, "finish_reason", **ended("OTHER")),
    "another dialect's stop": plain({"outcome": "ok"}, **ended("end_turn")),
    # G15, G16
    "a wait below 0": refusal("429 No", {"error": {"message": "no"}},
                              {"outcome": "rate_limited", "retry_after_s": None}, "retry_after",
                              "retry-after: -5"),
    "a wait of years": refusal("429 No", {"error": {"message": "no"}},
                               {"retry_after_s": None}, "retry_after", "retry-after: 1764000000"),
    "a wait in words": refusal("429 No", {"error": {"message": "no"}}, {"retry_after_s": None},
                               "retry_after", "retry-after: soon"),
    "499": refusal("499 Client Closed", {"error": {"message": "closed"}},
                   {"outcome": "server_error", "http_status": 499}, "not_the_gateway"),
    # G17, G18: tool calls
    "two calls at once without index or id": stream(
        {"outcome": "ok", "tool_calls": 2}, delta(tool_calls=TWO_CALLS), delta("tool_calls"),
        {**delta(), "choices": [], "usage": USAGE}, flags="tool_call_shape",
    ),
    "an object for arguments": stream(
        {"outcome": "ok", "tool_calls": 1},
        delta(tool_calls=[{"index": 0, "id": "c", "function": {"name": "f", "arguments":
                                                               {"city": "x"}}}]),
        delta("tool_calls"), {**delta(), "choices": [], "usage": USAGE}, flags="tool_call_shape",
    ),
    # G19: the same under a stream as under a plain 200
    "429 in a stream": stream({"outcome": "rate_limited", "error_type": "429"},
                              {"error": {"code": 429, "message": "slow down"}}, done=False),
    "402 in a stream, after tokens": stream({"outcome": "payment_required", "content": "ok"},
                                            delta(content="ok"),
                                            {"error": {"code": 402, "message": "no credits"}}),
    "no money in a stream": stream({"outcome": "payment_required"}, {"error": NO_MONEY}),
    "502 in a stream": stream({"outcome": "stream_error"}, delta(content="x"),
                              {"error": {"code": 502, "message": "gone"}}),
    "a cost beside an error in a stream": stream(
        {"outcome": "stream_error", "api_cost": 0.25, "total_tokens": 15}, delta(content="x"),
        {"error": {"message": "gone"}, "usage": {**USAGE, "cost": 0.25}},
    ),
    # G20: waits in bodies
    "Google's delay": refusal("429 No", {"error": IN_17_S},
                              {"outcome": "rate_limited", "retry_after_s": 17.0}),
    "a wait in the message": refusal(
        "429 No", {"error": {"message": "Rate limit reached. Please try again in 6m0.5s."}},
        {"retry_after_s": 360.5},
    ),
    "a provider's header": refusal(
        "429 No", {"error": {"code": 429, "message": "no",
                             "metadata": {"headers": {"Retry-After": "9"}}}},
        {"retry_after_s": 9.0},
    ),
    # G21: usage under other names
    "input_tokens": plain({**OK15, "total_tokens": None},
                          usage={"input_tokens": 10, "output_tokens": 5}),
    "usageMetadata": plain(OK15, usage=None, usageMetadata={
        "promptTokenCount": 10, "candidatesTokenCount": 5, "totalTokenCount": 15}),
    "names nobody knows": plain({"total_tokens": None}, "usage_unreadable",
                                usage={"wordsIn": 10, "wordsOut": 5}),
    "usage past counting": plain({"prompt_tokens": None, "total_tokens": None}, "usage_absurd",
                                 usage={"prompt_tokens": 2**70, "completion_tokens": 5,
                                        "total_tokens": 2**70}),
}  # fmt: skip


def row_of(serve: Serve, shape: Shape, *, typed: bool) -> RequestRecord:
    return send(serve(answer_once(shape.reply)).base_url, stream=shape.stream, typed=typed)


@pytest.mark.parametrize("name", SHAPES)
def test_each_form_of_reply_gives_its_row_on_both_surfaces(serve: Serve, name: str) -> None:
    shape = SHAPES[name]
    rows = [row_of(serve, shape, typed=typed) for typed in (False, True)]
    for row in rows:
        assert {key: getattr(row, key) for key in shape.row} == shape.row
        assert row.check == shape.flags, row.check_detail
        assert row.success is (row.outcome == "ok")
    for column in COLUMNS:
        if column not in TIMES:
            assert getattr(rows[0], column) == getattr(rows[1], column), column


def test_a_reset_in_milliseconds_since_1970_is_a_wait_from_now(serve: Serve) -> None:
    """OpenRouter passes on when its provider's window ends."""
    ends = str(int((time.time() + 30) * 1000))
    error = {"code": 429, "metadata": {"headers": {"X-RateLimit-Reset": ends}}, "message": "no"}
    shape = refusal("429 No", {"error": error}, {})
    wait_s = row_of(serve, shape, typed=False).retry_after_s
    assert wait_s is not None and 0 < wait_s <= 30


def test_tool_calls_are_recorded_as_the_model_made_them() -> None:
    from tasks.stream import StreamedReply

    reply = StreamedReply()
    reply.add(delta(tool_calls=TWO_CALLS), 0.0)
    assert [call["function"] for call in reply.finish().tool_calls] == [
        {"name": "f1", "arguments": "{}"}, {"name": "f2", "arguments": "{}"}
    ]  # fmt: skip


@pytest.mark.parametrize("index", [{}, {"index": None}])
def test_pieces_without_an_index_continue_their_call(index: dict[str, None]) -> None:
    """Two calls in turns, and one whose name every piece repeats."""
    from tasks.stream import StreamedReply

    def pieces(*parts: tuple[str | None, str]) -> dict[str, Any]:
        calls = [{**index, "function": {"name": n, "arguments": a}} for n, a in parts]
        return delta(tool_calls=calls)

    interleaved = StreamedReply()
    for chunk in (pieces(("f", ""), ("g", "")), pieces((None, '{"a"'), (None, '{"b"')),
                  pieces((None, ": 1}"), (None, ": 2}"))):  # fmt: skip
        interleaved.add(chunk, 0.0)
    arguments = [call["function"]["arguments"] for call in interleaved.finish().tool_calls]
    assert arguments == ['{"a": 1}', '{"b": 2}']
    repeated_name = StreamedReply()
    for part in ("", '{"a"', ": 1}"):
        repeated_name.add(pieces(("f", part)), 0.0)
    assert [call["function"] for call in repeated_name.finish().tool_calls] == [
        {"name": "f", "arguments": '{"a": 1}'}
    ]
