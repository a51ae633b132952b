"""Answers in every encoding that HTTP/1.1 allows give the same record."""

import gzip
import json
from typing import Any

import gevent
import pytest

from tests.tasks.scripted_server import (
    STREAM_HEAD,
    WHOLE_STREAM,
    Conversation,
    Serve,
    answer,
    answer_once,
    chunked,
    completion,
    http,
    json_reply,
    sse,
    streaming,
)
from tests.tasks.sending import send, sender

BODY = json.dumps(completion()).encode()
KIND = "content-type: application/json"
FACTS = ("outcome", "content", "total_tokens", "api_cost", "cost_source", "finish_reason")
WHOLE = ("ok", "ok-0", 7, 0.25, "body", "stop")


def facts(row: Any) -> tuple[Any, ...]:
    return tuple(getattr(row, name) for name in FACTS)


def test_a_chunked_body_is_read(serve: Serve) -> None:
    pieces = [BODY[i : i + 7] for i in range(0, len(BODY), 7)]
    head = http("200 OK", b"", KIND, "transfer-encoding: chunked", length=False)
    row = send(serve(answer(head + b"".join(chunked(*pieces)))).base_url)
    assert facts(row) == WHOLE
    assert row.response_bytes == len(BODY), "the framing is not the body"


def test_chunk_extensions_and_trailers_are_ignored(serve: Serve) -> None:
    head = http("200 OK", b"", KIND, "transfer-encoding: chunked", length=False)
    body = b"%x;name=value\r\n%s\r\n0\r\nx-trailer: yes\r\n\r\n" % (len(BODY), BODY)
    with sender(serve(answer(head + body)).base_url) as user:
        rows = [user.send(), user.send()]
    assert [facts(row) for row in rows] == [WHOLE, WHOLE]
    assert rows[1].connection_reused


def test_a_gzip_body_is_read_and_counted_in_compressed_bytes(serve: Serve) -> None:
    packed = gzip.compress(BODY)
    server = serve(answer(http("200 OK", packed, KIND, "content-encoding: gzip")))
    row = send(server.base_url)
    assert "gzip" in server.requests[0].headers["accept-encoding"]
    assert facts(row) == WHOLE
    assert row.response_bytes == len(packed)


def test_a_gzip_stream_is_read(serve: Serve) -> None:
    packed = gzip.compress(b"".join(sse(WHOLE_STREAM)))
    head = STREAM_HEAD[:-2] + b"content-encoding: gzip\r\n\r\n"
    row = send(serve(answer_once(head, *chunked(packed[:30], packed[30:]))).base_url, stream=True)
    assert facts(row) == WHOLE


@pytest.mark.parametrize("stream", [False, True], ids=["plain", "stream"])
def test_a_body_that_is_not_the_gzip_it_claims_to_be_is_malformed(
    serve: Serve, stream: bool
) -> None:
    kind = "content-type: text/event-stream" if stream else KIND
    row = send(
        serve(answer(http("200 OK", b"not gzip", kind, "content-encoding: gzip"))).base_url,
        stream=stream,
    )
    assert (row.outcome, row.http_status) == ("malformed", 200)


def test_a_body_without_a_length_ends_with_its_connection(serve: Serve) -> None:
    reply = http("200 OK", BODY, KIND, length=False)
    row = send(serve(answer_once(reply)).base_url)
    assert facts(row) == WHOLE


def test_an_http_1_0_answer_is_read_and_its_connection_is_not_kept(serve: Serve) -> None:
    reply = json_reply(completion()).replace(b"HTTP/1.1", b"HTTP/1.0", 1)
    server = serve(answer_once(reply))
    with sender(server.base_url) as user:
        rows = [user.send(), user.send()]
    assert [facts(row) for row in rows] == [WHOLE, WHOLE]
    assert server.connections == 2


@pytest.mark.parametrize(
    "interim",
    [
        b"HTTP/1.1 100 Continue\r\n\r\n",
        b"HTTP/1.1 103 Early Hints\r\nlink: </a>\r\n\r\n",
    ],
)
@pytest.mark.parametrize("pause_s", [0.0, 0.05])
def test_an_interim_response_is_skipped(serve: Serve, interim: bytes, pause_s: float) -> None:
    def script(talk: Conversation) -> None:
        while True:
            talk.request()
            talk.send(interim, interim, json_reply(completion()), pause_s=pause_s)

    with sender(serve(script).base_url) as user:
        rows = [user.send(), user.send()]
    assert [facts(row) for row in rows] == [WHOLE, WHOLE]
    assert [row.http_status for row in rows] == [200, 200]
    assert rows[1].connection_reused


@pytest.mark.parametrize("size", [1, 7, 1000])
def test_an_answer_in_small_segments_is_read(serve: Serve, size: int) -> None:
    reply = json_reply(completion())

    def script(talk: Conversation) -> None:
        talk.request()
        for start in range(0, len(reply), size):
            talk.send(reply[start : start + size])
            gevent.sleep(0)

    assert facts(send(serve(script).base_url)) == WHOLE


def test_a_body_of_10_megabytes_is_read_and_its_content_shortened(serve: Serve) -> None:
    reply = completion("x" * 10_000_000)
    row = send(serve(answer(json_reply(reply))).base_url)
    assert (row.outcome, row.content) == ("ok", "x" * 2000)
    assert row.response_bytes == len(json.dumps(reply))


def test_a_stream_of_10_megabytes_is_read_and_its_content_shortened(serve: Serve) -> None:
    big = json.loads(json.dumps(WHOLE_STREAM[1]))
    big["choices"][0]["delta"]["content"] = "x" * 500_000
    row = send(serve(answer(streaming(*[big] * 20, *WHOLE_STREAM[3:]))).base_url, stream=True)
    assert (row.outcome, row.chunks, row.content) == ("ok", 20, "x" * 2000)


def test_a_second_answer_in_the_same_segment_is_discarded(serve: Serve) -> None:
    """Nobody asked for it; the next request gets its own."""
    reply = json_reply(completion())
    stray = json_reply({"error": "stray"}, status="500 Stray")
    server = serve(answer(reply + stray))
    with sender(server.base_url) as user:
        rows = [user.send(), user.send()]
    assert [facts(row) for row in rows] == [WHOLE, WHOLE]
    assert [row.http_status for row in rows] == [200, 200]
    assert server.connections == 2, "what follows on such a connection cannot be trusted"


def test_garbage_after_the_answer_is_discarded(serve: Serve) -> None:
    row = send(serve(answer(json_reply(completion()) + b"\0garbage")).base_url)
    assert facts(row) == WHOLE


@pytest.mark.parametrize(
    "usage",
    [
        {"prompt_tokens": 10**400, "cost": 10**400},
        {"prompt_tokens": "5", "cost": "NaN"},
        {"cost": {"rate": 1}},
        {"cost": [1]},
        [],
        "text",
        7,
        None,
    ],
    ids=lambda value: repr(value)[:30],
)
@pytest.mark.parametrize("stream", [False, True], ids=["plain", "stream"])
def test_absurd_usage_leaves_tokens_and_cost_unknown(
    serve: Serve, usage: object, stream: bool
) -> None:
    if stream:
        reply = streaming(*WHOLE_STREAM[:-1], {**WHOLE_STREAM[-1], "usage": usage})
    else:
        reply = json_reply(completion(usage=usage))
    row = send(serve(answer(reply)).base_url, stream=stream)
    assert row.outcome == "ok"
    assert (row.api_cost, row.cost_source) == (None, "unknown")
