"""Errors named by their message: outcome and message, whatever the envelope and status."""

import json
from importlib import import_module
from typing import Any

import pytest

from tasks.answer import judge_body, refused
from tests.tasks.scripted_server import (
    STREAM_HEAD,
    WHOLE_STREAM,
    Serve,
    answer,
    answer_once,
    chunked,
    completion,
    http,
    json_reply,
    sse,
)
from tests.tasks.sending import send


def _zstd() -> Any:
    """The library that the SDK's HTTP client unpacks zstd with; None if there is none."""
    for name in ("compression.zstd", "backports.zstd"):
        try:
            return import_module(name)
        except ImportError:
            continue
    return None


ZSTD = _zstd()


def judged(status: int, body: object) -> tuple[str, str | None]:
    raw = body if isinstance(body, bytes) else json.dumps(body, ensure_ascii=False).encode()
    answer_read = judge_body(raw, {}) if status == 200 else refused(status, raw)
    return answer_read.outcome.value, answer_read.error_message


SDK = "Error code: 429 - {'error': {'message': 'Slow down', 'code': None}}"
SAID = [
    (500, {"error": {"message": SDK, "type": "internal_error"}}, "rate_limited"),
    (500, {"detail": SDK}, "rate_limited"),
    (502, {"error": f"litellm.APIError: {SDK}"}, "rate_limited"),
    (500, {"error": {"message": "upstream status_code=429, body: busy"}}, "rate_limited"),
    (200, {"error": {"message": "Error code: 401 - no"}}, "auth"),
    (500, {"error": {"message": "Error code: 401 - no"}}, "server_error"),  # its provider's key
    (500, {"error": {"message": "error code: 4290 in module 7"}}, "server_error"),
    (200, {"message": "API rate limit exceeded"}, "rate_limited"),
    (200, {"message": "No API key found in request"}, "auth"),
    (200, {"message": "no Route matched with those values"}, "not_found"),
    (200, {"message": "The upstream server is timing out"}, "server_error"),
    (200, {"code": 401, "message": "bad key"}, "auth"),
    (200, {"errcode": 429, "errmsg": "slower"}, "rate_limited"),
    (200, {"statusCode": 401, "message": "Access denied"}, "auth"),
    (200, {"success": False, "message": "Too many requests"}, "rate_limited"),
    (200, {"success": False, "message": "something broke"}, "server_error"),
    (200, {"detail": "Not authenticated"}, "auth"),
    (200, {"detail": "Not Found"}, "not_found"),
    (200, {"error": "Too Many Requests"}, "rate_limited"),
    (200, {"type": "about:blank", "title": "Slow down", "status": 429}, "rate_limited"),
    (200, {"code": 1302, "msg": "您的账户已达到速率限制"}, "rate_limited"),
    (500, {"message": "API rate limit exceeded"}, "rate_limited"),
    (529, {"type": "error", "error": {"type": "overloaded_error", "message": "Overloaded"}},
     "server_error"),
    (408, {"error": {"message": "no request came"}}, "server_error"),
]  # fmt: skip


@pytest.mark.parametrize(("status", "body", "outcome"), SAID)
def test_the_outcome_of_a_failure_follows_from_its_message(
    status: int, body: dict[str, Any], outcome: str
) -> None:
    words = body.get("error") or next(
        body[name] for name in ("message", "errmsg", "msg", "detail", "title") if name in body
    )
    words = words["message"] if isinstance(words, dict) else words
    assert judged(status, body) == (outcome, words)


NO_MONEY = (
    "该令牌额度已用尽", "余额不足", "账户欠费", "额度不足", "用户额度不足, 剩余额度: ＄0.000000",
    "预扣费额度失败, 用户剩余额度: ＄0.1, 需要预扣费额度: ＄0.2", "quota_exhausted",
)  # fmt: skip
NO_ENTRY = (
    "无权访问 vip 分组",
    "令牌无效",
    "无效的令牌",
    "未提供令牌",
    "该令牌状态不可用",
    "该令牌已过期",
)
TOO_MANY = ("当前分组上游负载已饱和，请稍后再试", "请求过于频繁", "并发数超限")


@pytest.mark.parametrize("status", [200, 400, 401, 403, 429, 500, 503])
@pytest.mark.parametrize(
    ("message", "outcome"),
    [(m, "payment_required") for m in NO_MONEY] + [(m, "rate_limited") for m in TOO_MANY],
)
def test_no_balance_and_too_many_requests_are_recognized_under_every_status(
    status: int, message: str, outcome: str
) -> None:
    body = {"error": {"message": message, "type": "new_api_error", "code": ""}}
    assert judged(status, body) == (outcome, message)


@pytest.mark.parametrize("status", [200, 400, 401, 403])
@pytest.mark.parametrize("message", NO_ENTRY)
def test_a_message_about_a_refused_key_is_auth(status: int, message: str) -> None:
    assert judged(status, {"error": {"message": message}}) == ("auth", message)


@pytest.mark.parametrize(
    ("status", "message", "outcome"),
    [
        (500, "Incorrect API key provided", "server_error"),  # a provider's key, perhaps
        (400, "最大令牌数无效", "bad_request"),  # 令牌: a token of text
        (400, "无效的令牌数", "bad_request"),
        (500, "获取用户额度失败", "server_error"),
        (400, "unknown field rate_limit", "bad_request"),
        (400, "too many requests in one batch", "bad_request"),
        (400, "The model m does not exist", "bad_request"),
        (500, "gone", "server_error"),
        (200, "gone", "server_error"),
    ],
)
def test_a_message_that_only_resembles_a_cause_names_none(
    status: int, message: str, outcome: str
) -> None:
    assert judged(status, {"error": {"message": message}}) == (outcome, message)


@pytest.mark.parametrize("stream", [False, True], ids=["plain", "stream"])
@pytest.mark.parametrize(
    "words", ["API rate limit exceeded", *NO_MONEY[:2], *TOO_MANY[:1], "令牌无效"]
)
def test_a_successful_reply_may_contain_such_words(serve: Serve, words: str, stream: bool) -> None:
    if stream:
        chunks = json.loads(json.dumps(WHOLE_STREAM).replace("ok-0", words))
        reply = STREAM_HEAD + b"".join(chunked(*sse([{**c, "message": words} for c in chunks])))
    else:
        reply = json_reply({**completion(words), "message": words, "detail": words})
    row = send(serve(answer_once(reply)).base_url, stream=stream)
    assert (row.outcome, row.error_message) == ("ok", None)


INNER = {"error": {"message": "inner", "code": "insufficient_quota"}}
SHOWN = [
    ({"timestamp": "t", "status": 400, "error": "Bad Request", "message": "the detail",
      "path": "/v1"}, "bad_request", "the detail"),
    ({"status": 400, "error": "Bad Request", "message": "", "path": "/"}, "bad_request",
     "Bad Request"),
    ({"error": "the detail", "message": "Bad Request"}, "bad_request", "the detail"),
    ({"error": "x", "message": "y"}, "bad_request", "y"),
    ({"error": True, "message": "y"}, "bad_request", "y"),
    ({"error": "invalid_request", "error_description": "y"}, "bad_request", "y"),
    ({"error": {"code": "insufficient_quota"}, "message": "y"}, "payment_required", "y"),
    ({"error": "Too Many Requests", "message": "slower"}, "rate_limited", "slower"),
    ({"detail": [{"loc": ["body", "x"], "msg": "a"}]}, "bad_request", "a (body.x)"),
    ({"type": "https://x/y", "title": "Bad", "detail": "the detail"}, "bad_request", "the detail"),
    ({"error": {"message": json.dumps(INNER)}}, "payment_required", "inner"),
    ({"error": json.dumps(INNER)}, "payment_required", "inner"),
    (json.dumps(INNER), "payment_required", "inner"),
    ({"error": {"message": '{"a": 1}'}}, "bad_request", '{"a": 1}'),
    ({"error": {"message": "{not json"}}, "bad_request", "{not json"),
    (b"<html><title>No entry</title></html>", "bad_request", "No entry"),
]  # fmt: skip


@pytest.mark.parametrize(("body", "outcome", "message"), SHOWN)
def test_the_message_recorded_is_the_detail(body: Any, outcome: str, message: str) -> None:
    assert judged(400, body) == (outcome, message)


def test_the_type_beside_the_detail_is_kept() -> None:
    body = {"error": "Bad Request", "message": "the detail", "status": 400}
    assert refused(400, json.dumps(body).encode()).error_type == "Bad Request"


@pytest.mark.parametrize("typed", [False, True], ids=["post", "typed"])
@pytest.mark.parametrize("before", [b" ", b"\t", b"\xef\xbb\xbf"], ids=repr)
def test_a_stream_with_text_that_no_client_sees_is_malformed(
    serve: Serve, before: bytes, typed: bool
) -> None:
    """By the standard and in the SDK such a line is not data: a program would lose its text."""
    first, second, *others = sse(WHOLE_STREAM)
    reply = STREAM_HEAD + b"".join(chunked(first, before + second, *others))
    row = send(serve(answer_once(reply)).base_url, stream=True, typed=typed)
    assert (row.outcome, row.success) == ("malformed", False)
    assert "lost to every client" in (row.error_message or "")


def test_done_after_two_blanks_breaks_the_sdks_reader_and_is_malformed(serve: Serve) -> None:
    body = b"".join(sse(WHOLE_STREAM)).replace(b"data: [DONE]", b"data:  [DONE]")
    row = send(serve(answer_once(STREAM_HEAD + b"".join(chunked(body)))).base_url, stream=True)
    assert row.outcome == "malformed"


@pytest.mark.parametrize(
    "line", [b": data: x", b"id: data: x", b"event: data:", b"note data: x"], ids=repr
)
def test_a_line_that_merely_mentions_data_is_ignored(serve: Serve, line: bytes) -> None:
    first, *others = sse(WHOLE_STREAM)
    reply = STREAM_HEAD + b"".join(chunked(first, line + b"\n\n", *others))
    assert send(serve(answer_once(reply)).base_url, stream=True).outcome == "ok"


@pytest.mark.parametrize("coding", ["zstd", "compress", "gzip, zstd"])
@pytest.mark.parametrize(
    ("status", "outcome"),
    [("200 OK", "malformed"), ("429 No", "rate_limited"), ("503 No", "server_error")],
)
def test_a_content_coding_that_was_not_asked_for_is_named(
    serve: Serve, coding: str, status: str, outcome: str
) -> None:
    if "zstd" in coding and ZSTD is not None:
        pytest.skip("this machine's HTTP client asks for zstd")
    packed = b"\x28\xb5\x2f\xfd" + b"x" * 20
    reply = http(status, packed, "content-type: application/json", f"content-encoding: {coding}")
    server = serve(answer(reply))
    row = send(server.base_url)
    assert row.outcome == outcome
    name = coding.split()[-1]
    assert row.error_message == f"the body comes in a coding that was not asked for: '{name}'"
    assert name not in server.requests[0].headers["accept-encoding"]


@pytest.mark.skipif(ZSTD is None, reason="no library for zstd")
def test_zstd_is_read_where_the_http_client_accepts_it(serve: Serve) -> None:
    raw = json.dumps(completion("ok-0" + " " * 300_000)).encode()
    assert ZSTD is not None
    packed = ZSTD.compress(raw[:200]) + ZSTD.compress(raw[200:])
    for body, outcome in ((packed, "ok"), (b"\x28\xb5\x2f\xfdx" * 9, "malformed")):
        reply = http("200 OK", body, "content-type: application/json", "content-encoding: zstd")
        server = serve(answer(reply))
        assert send(server.base_url).outcome == outcome
        assert "zstd" in server.requests[0].headers["accept-encoding"]
