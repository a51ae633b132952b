"""Every way an answer can end: a gateway is made to give it, plain and streamed."""

import json
from typing import Any

import pytest

from recording.outcome import Outcome
from tests.tasks.scripted_server import (
    BOTH,
    STREAM_HEAD,
    WHOLE_STREAM,
    Serve,
    answer,
    answer_once,
    chunked,
    completion,
    delta,
    http,
    json_reply,
    sse,
    streaming,
)
from tests.tasks.sending import send, sender

ERROR = {"error": {"message": "no such luck", "type": "luck_error", "code": "luck"}}


def test_a_complete_answer_is_ok(serve: Serve) -> None:
    row = send(serve(answer(json_reply(completion(), "x-request-id: r1"))).base_url)
    assert (row.outcome, row.success, row.http_status) == ("ok", True, 200)
    assert (row.content, row.finish_reason, row.model_returned) == ("ok-0", "stop", "m-2026-01-31")
    assert (row.prompt_tokens, row.completion_tokens, row.total_tokens) == (5, 2, 7)
    assert (row.api_cost, row.cost_source, row.gateway_request_id) == (0.25, "body", "r1")
    assert (row.marker_ok, row.reasoning_content_present) == (True, False)
    assert (row.error_type, row.error_message, row.ttft_s) == (None, None, None)


def test_a_complete_stream_is_ok(serve: Serve) -> None:
    row = send(serve(answer(streaming(*WHOLE_STREAM))).base_url, stream=True)
    assert (row.outcome, row.success, row.http_status) == ("ok", True, 200)
    assert (row.content, row.finish_reason, row.model_returned) == ("ok-0", "stop", "m-2026-01-31")
    assert (row.total_tokens, row.api_cost, row.cost_source) == (7, 0.25, "body")
    assert (row.chunks, row.marker_ok) == (2, True)
    assert row.ttft_s is not None


@BOTH
@pytest.mark.parametrize(
    ("status", "outcome"),
    [
        ("400 Bad Request", Outcome.BAD_REQUEST),
        ("422 Unprocessable", Outcome.BAD_REQUEST),
        ("401 Unauthorized", Outcome.AUTH),
        ("403 Forbidden", Outcome.AUTH),
        ("402 Payment Required", Outcome.PAYMENT_REQUIRED),
        ("404 Not Found", Outcome.NOT_FOUND),
        ("408 Request Timeout", Outcome.SERVER_ERROR),
        ("429 Too Many Requests", Outcome.RATE_LIMITED),
        ("500 Internal Server Error", Outcome.SERVER_ERROR),
        ("503 Service Unavailable", Outcome.SERVER_ERROR),
        ("529 Overloaded", Outcome.SERVER_ERROR),
    ],
)
def test_an_http_error_has_the_outcome_of_its_status_and_is_sent_once(
    serve: Serve, status: str, outcome: Outcome, stream: bool
) -> None:
    server = serve(answer(json_reply(ERROR, "x-request-id: r1", status=status)))
    row = send(server.base_url, stream=stream)
    assert (row.outcome, row.success) == (outcome.value, False)
    assert row.http_status == int(status.split()[0])
    assert (row.error_type, row.error_message) == ("luck_error", "no such luck")
    assert row.gateway_request_id == "r1"
    assert len(server.requests) == 1, "a retry would hide the failure inside a latency"
    assert (row.total_tokens, row.api_cost, row.cost_source) == (None, None, "unknown")


@BOTH
@pytest.mark.parametrize(
    ("body", "message"),
    [
        (b"<html>upstream gone</html>", "upstream gone"),
        (b"", "502"),
        (b'{"detail": "upstream gone"}', "upstream gone"),
        (b'"upstream gone"', "upstream gone"),
        (b'["upstream gone"]', "upstream gone"),
        (b'{"error": "upstream gone"}', "upstream gone"),
        (b'{"error": {"message": {"text": "upstream gone"}}}', "upstream gone"),
        (b'{"error": null, "why": "upstream gone"}', ""),
        (b"\xff\xfe\xfd", ""),
        (b"x" * 100_000, "xxx"),
    ],
)
def test_an_http_error_with_any_body_keeps_its_outcome(
    serve: Serve, body: bytes, message: str, stream: bool
) -> None:
    server = serve(answer(http("502 Bad Gateway", body, "content-type: text/html")))
    row = send(server.base_url, stream=stream)
    assert (row.outcome, row.http_status) == ("server_error", 502)
    assert message in (row.error_message or "")
    assert len(row.error_message or "") <= 2000


@BOTH
@pytest.mark.parametrize(
    ("headers", "seconds"),
    [
        (["retry-after: 7"], 7.0),
        (["Retry-After: 1.5"], 1.5),
        (["retry-after-ms: 250", "retry-after: 9"], 0.25),
        (["retry-after: Wed, 21 Oct 2015 07:28:00 GMT"], 0.0),
        (["retry-after: soon"], None),
        ([], None),
    ],
)
def test_the_retry_after_of_a_429_is_read_in_every_form(
    serve: Serve, headers: list[str], seconds: float | None, stream: bool
) -> None:
    reply = json_reply(ERROR, *headers, status="429 Too Many Requests")
    row = send(serve(answer(reply)).base_url, stream=stream)
    assert (row.outcome, row.retry_after_s) == ("rate_limited", seconds)


@BOTH
@pytest.mark.parametrize(
    ("error", "outcome", "kind"),
    [
        ({"message": "slow down", "code": 429}, "rate_limited", "429"),
        ({"message": "slow down", "code": "429"}, "rate_limited", "429"),
        ({"message": "no credit", "code": 402, "type": "billing"}, "payment_required", "billing"),
        ({"message": "gone", "code": 502}, "server_error", "502"),
        ({"message": "gone"}, "server_error", "server_error"),
        ("gone", "server_error", "server_error"),
    ],
)
def test_an_error_body_in_http_200_is_a_failure(
    serve: Serve, error: object, outcome: str, kind: str, stream: bool
) -> None:
    row = send(serve(answer(json_reply({"error": error}))).base_url, stream=stream)
    assert (row.outcome, row.success, row.http_status) == (outcome, False, 200)
    assert row.error_type == kind
    assert row.error_message in ("slow down", "no credit", "gone")


@BOTH
@pytest.mark.parametrize("status", ["301 Moved", "302 Found", "307 Temporary", "308 Permanent"])
def test_a_redirect_is_not_followed_and_the_key_stays_with_its_host(
    serve: Serve, status: str, stream: bool
) -> None:
    another_host = serve(answer(json_reply(completion())))
    server = serve(answer(http(status, b"", f"location: {another_host.base_url}/chat/completions")))
    row = send(server.base_url, stream=stream)
    assert (row.outcome, row.http_status) == ("redirect", int(status[:3]))
    assert (another_host.connections, len(server.requests)) == (0, 1)


@pytest.mark.parametrize(
    "body",
    [
        b"not json",
        b"",
        b"null",
        b"[]",
        b'"text"',
        b"7",
        b'{"choices": 7}',
        b'{"id": "no choices"}',
        b'{"choices": [',
        b'{"choices": [{"message": {"content": "\xff\xfe"}}]}',
        b"[" * 200_000,
    ],
    ids=lambda body: repr(body[:24]),
)
@pytest.mark.parametrize("kind", ["application/json", "text/plain"])
@BOTH
def test_a_body_that_is_not_a_completion_is_malformed(
    serve: Serve, body: bytes, kind: str, stream: bool
) -> None:
    if stream and kind == "text/plain":
        return  # judged as events: test_streamed_outcomes
    server = serve(answer(http("200 OK", body, f"content-type: {kind}")))
    row = send(server.base_url, stream=stream)
    assert (row.outcome, row.success, row.http_status) == ("malformed", False, 200)
    assert row.error_message


def test_invalid_utf8_is_recorded_and_never_raised(serve: Serve) -> None:
    body = json.dumps(completion("MARK")).encode().replace(b"MARK", b"a\xffb")
    row = send(serve(answer(http("200 OK", body, "content-type: application/json"))).base_url)
    assert row.outcome in ("malformed", "ok")
    assert row.http_status == 200


@BOTH
def test_bytes_that_are_not_http_are_malformed(serve: Serve, stream: bool) -> None:
    row = send(serve(answer_once(b"SSH-2.0-OpenSSH_9.2\r\n")).base_url, stream=stream)
    assert (row.outcome, row.http_status) == ("malformed", None)
    assert "not HTTP" in (row.error_message or "")


@BOTH
def test_a_broken_chunk_length_is_malformed(serve: Serve, stream: bool) -> None:
    pieces = chunked(*sse(WHOLE_STREAM[:2], done=False), last=False)
    row = send(
        serve(answer_once(STREAM_HEAD + b"".join(pieces) + b"zz\r\noops")).base_url, stream=stream
    )
    assert (row.outcome, row.http_status) == ("malformed", 200)


@pytest.mark.parametrize(
    "change",
    [
        {"choices": []},
        {"choices": [None]},
        {"choices": [{"message": {"role": "assistant", "content": ""}, "finish_reason": "stop"}]},
        {"choices": [{"message": {"role": "assistant", "content": None}}]},
        {"choices": [{"message": {"content": "", "tool_calls": []}}]},
    ],
)
def test_an_answer_without_content_is_empty_and_keeps_its_cost(
    serve: Serve, change: dict[str, Any]
) -> None:
    row = send(serve(answer(json_reply(completion(**change)))).base_url)
    assert (row.outcome, row.success, row.marker_ok) == ("empty", False, False)
    assert (row.total_tokens, row.api_cost) == (7, 0.25)


def test_an_empty_answer_keeps_the_cost_in_its_header(serve: Serve) -> None:
    """HTTP 200 was billed, whatever it held."""
    reply = completion("", usage={"prompt_tokens": 5})
    row = send(serve(answer(json_reply(reply, "x-litellm-response-cost: 0.5"))).base_url)
    assert (row.outcome, row.api_cost, row.cost_source) == ("empty", 0.5, "header")


def test_a_stream_without_content_is_empty(serve: Serve) -> None:
    quiet = streaming(delta(role="assistant", content=""), delta("stop"), WHOLE_STREAM[-1])
    row = send(serve(answer(quiet)).base_url, stream=True)
    assert (row.outcome, row.total_tokens, row.chunks) == ("empty", 7, 0)


def thought_away(stream: bool, content: str = "", **spoken: Any) -> bytes:
    """A reply that ends at its output budget: 16 tokens were spent."""
    usage = {"prompt_tokens": 5, "completion_tokens": 16, "total_tokens": 21, "cost": 0.25}
    if stream:
        chunk = delta(**spoken, content=content)
        return streaming(chunk, delta("length"), {**delta(), "choices": [], "usage": usage})
    message = {"role": "assistant", "content": content or None, **spoken}
    choice = {"index": 0, "message": message, "finish_reason": "length"}
    return json_reply(completion(choices=[choice], usage=usage))


@BOTH
def test_an_output_budget_spent_on_hidden_reasoning_is_an_outcome_of_its_own(
    serve: Serve, stream: bool
) -> None:
    """Not `empty`: the operator can fix it, and the row says how."""
    row = send(serve(answer(thought_away(stream))).base_url, stream=stream)
    assert (row.outcome, row.success, row.http_status) == ("budget_spent", False, 200)
    assert (row.completion_tokens, row.api_cost, row.finish_reason) == (16, 0.25, "length")
    assert "16 output tokens were spent" in (row.error_message or "")
    assert "--max-tokens" in (row.error_message or "")


@BOTH
def test_a_reply_of_visible_reasoning_alone_succeeds_with_a_flag(
    serve: Serve, stream: bool
) -> None:
    """The marker that was asked for did not come."""
    reply = thought_away(stream, reasoning_content="Let me think")
    row = send(serve(answer(reply)).base_url, stream=stream)
    assert (row.outcome, row.success) == ("ok", True)
    assert "budget_spent" in (row.check or "")


@BOTH
@pytest.mark.parametrize(
    "reply",
    [{"content": "ok-0"}, {"content": "o", "reasoning_content": "hm"}],
    ids=["cut", "thought and cut"],
)
def test_a_reply_cut_at_its_budget_with_words_is_ok(
    serve: Serve, stream: bool, reply: dict[str, str]
) -> None:
    row = send(serve(answer(thought_away(stream, **reply))).base_url, stream=stream)
    assert row.outcome == "ok" and "budget_spent" not in (row.check or "")


def test_a_failure_does_not_affect_the_users_next_request(serve: Serve) -> None:
    def script(talk: Any) -> None:
        for response in (json_reply(ERROR, status="500 Oops"), json_reply(completion())):
            talk.request()
            talk.send(response)

    with sender(serve(script).base_url) as user:
        assert [user.send(i).outcome for i in range(2)] == ["server_error", "ok"]


@BOTH
@pytest.mark.parametrize("typed", [False, True], ids=["post", "typed"])
@pytest.mark.parametrize("status", ["500 Internal Server Error", "400 Bad Request"])
def test_the_charge_that_a_refusal_states_is_recorded(
    serve: Serve, status: str, typed: bool, stream: bool
) -> None:
    """`usage` stands beside the `error` that the SDK hands over."""
    body = {**ERROR, "usage": completion()["usage"]}
    row = send(serve(answer(json_reply(body, status=status))).base_url, stream=stream, typed=typed)
    assert (row.success, row.error_type, row.error_message) == (False, "luck_error", "no such luck")
    assert (row.api_cost, row.cost_source, row.total_tokens) == (0.25, "body", 7)


@pytest.mark.parametrize("body", [b"<html>", b"[1]", b"", b"\xff{", b'{"error": "x", "usage": 3}'])
def test_a_refusal_of_any_body_has_no_usage(serve: Serve, body: bytes) -> None:
    reply = http("502 Bad Gateway", body, "content-type: application/json")
    row = send(serve(answer(reply)).base_url)
    assert (row.outcome, row.api_cost, row.total_tokens) == ("server_error", None, None)


def test_a_cost_is_read_where_cost_field_says(serve: Serve) -> None:
    body = completion(billing={"charge": 0.125}, usage={"prompt_tokens": 5})
    server = serve(answer(json_reply(body)))
    row = send(server.base_url, how={"cost_field": "billing.charge"})
    assert (row.api_cost, row.cost_source, row.prompt_tokens) == (0.125, "body", 5)
