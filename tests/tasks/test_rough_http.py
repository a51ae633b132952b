"""HTTP as other servers write it: what every client reads is read, and a status always counts."""

import json

import gevent
import pytest

from tasks.prompts import Request
from tests.tasks.scripted_server import (
    BOTH,
    STREAM_HEAD,
    WHOLE_STREAM,
    Conversation,
    Serve,
    answer_once,
    chunked,
    completion,
    http,
    json_reply,
    sse,
)
from tests.tasks.sending import send, sender

BODY = json.dumps(completion()).encode()
KIND = b"content-type: application/json\r\n"
LENGTH = b"content-length: %d\r\n" % len(BODY)
START = b"HTTP/1.1 200 OK\r\n"

ROUGH = {
    "no reason": b"HTTP/1.1 200\r\n" + KIND + LENGTH + b"\r\n" + BODY,
    "HTTP/1.0": b"HTTP/1.0 200 OK\r\n" + KIND + b"\r\n" + BODY,
    "line feeds alone": (START + KIND + LENGTH + b"\r\n").replace(b"\r", b"") + BODY,
    "a folded header": START + b"x-a: b\r\n  c\r\n" + KIND + LENGTH + b"\r\n" + BODY,
    "length and chunks": START
    + KIND
    + b"content-length: 3\r\ntransfer-encoding: chunked\r\n\r\n"
    + b"".join(chunked(BODY)),
    "spaces after a chunk's size": START
    + KIND
    + b"transfer-encoding: chunked\r\n\r\n%x  \r\n%s\r\n0\r\n\r\n" % (len(BODY), BODY),
    "extensions and trailers": START
    + KIND
    + b"transfer-encoding: chunked\r\n\r\n%x;a=b\r\n%s\r\n0\r\nx-t: 1\r\n\r\n" % (len(BODY), BODY),
    "an upgrade offered": START + b"upgrade: h2c\r\nconnection: upgrade\r\n" + KIND + LENGTH
    + b"\r\n" + BODY,
}  # fmt: skip


@pytest.mark.parametrize("how", ROUGH)
def test_http_that_other_clients_read_is_read(serve: Serve, how: str) -> None:
    row = send(serve(answer_once(ROUGH[how])).base_url)
    assert (row.outcome, row.content, row.total_tokens) == ("ok", "ok-0", 7), row.error_message


@BOTH
@pytest.mark.parametrize(
    ("status", "outcome"),
    [("429 Too Many", "rate_limited"), ("503 No", "server_error"), ("302 Found", "redirect")],
)
@pytest.mark.parametrize("broken", ["short", "gzip"])
def test_a_status_counts_although_its_body_is_broken(
    serve: Serve, status: str, outcome: str, broken: str, stream: bool
) -> None:
    """Refusals drive the search for capacity: a truncated body must not hide one."""
    reply = http(status, b"oops", "content-length: 400", "retry-after: 7", length=False)
    if broken == "gzip":
        reply = http(status, b"oops", "content-encoding: gzip", "retry-after: 7")
    row = send(serve(answer_once(reply)).base_url, stream=stream)
    assert (row.outcome, row.http_status, row.retry_after_s) == (outcome, int(status[:3]), 7.0)
    assert row.error_message, "how its body broke is still said"


def test_the_first_byte_is_that_of_the_answer_and_not_of_an_interim_one(serve: Serve) -> None:
    def script(talk: Conversation) -> None:
        talk.request()
        talk.send(b"HTTP/1.1 103 Early Hints\r\nlink: </x>\r\n\r\n", json_reply(completion()),
                  pause_s=0.2)  # fmt: skip

    row = send(serve(script).base_url)
    assert row.outcome == "ok"
    assert row.first_byte_s is not None and row.first_byte_s >= 0.15


def test_an_interim_answer_alone_is_no_first_byte(serve: Serve) -> None:
    def script(talk: Conversation) -> None:
        talk.request()
        talk.send(b"HTTP/1.1 100 Continue\r\n\r\n")
        gevent.sleep(5)

    row = send(serve(script).base_url, how={"timeout_s": 0.2})
    assert (row.outcome, row.first_byte_s, row.http_status) == ("timeout_first_byte", None, None)


def test_a_connection_that_ends_while_its_request_waits_is_replaced(serve: Serve) -> None:
    """Keep-alive may end between the look before the gate and the due time."""

    def script(talk: Conversation) -> None:
        talk.request()
        talk.send(json_reply(completion()))
        if talk.number == 1:
            gevent.sleep(0.1)
            return
        talk.request()

    server = serve(script)
    with sender(server.base_url) as user:
        user.send()
        row = user.send(gate=lambda: gevent.sleep(0.3))
    assert (row.outcome, row.connection_reused) == ("ok", False)
    assert [seen.connection for seen in server.requests] == [1, 2], "nothing was sent twice"


def test_a_request_lost_with_a_kept_connection_has_its_own_message(serve: Serve) -> None:
    """It was sent as the connection ended:

    the gateway may have read it, so it is not sent again.
    """

    def script(talk: Conversation) -> None:
        talk.request()
        talk.send(json_reply(completion()))
        talk.request()
        talk.reset()

    server = serve(script)
    with sender(server.base_url) as user:
        user.send()
        row = user.send()
    assert (row.outcome, row.connection_reused) == ("connection_reset", True)
    assert "kept" in (row.error_message or "")
    assert len(server.requests) == 2


def test_an_answer_is_read_although_the_gateway_never_reads_the_request(serve: Serve) -> None:
    """A body that is too large is often refused by its length alone, and left unread."""

    def script(talk: Conversation) -> None:
        talk.socket.recv(2000)
        error = {"error": {"message": "too large"}}
        talk.send(json_reply(error, status="413 Payload Too Large"))
        gevent.sleep(20)

    with sender(serve(script).base_url, timeout_s=10.0) as user:
        row = user.send(request=Request("x" * 12_000_000))
        assert (row.outcome, row.http_status, row.error_message) == (
            "bad_request",
            413,
            "too large",
        )
        assert user.client.wire._socket is None, "half a request keeps no connection"


def test_a_large_request_is_sent_in_full_to_a_gateway_that_reads_slowly(serve: Serve) -> None:
    def script(talk: Conversation) -> None:
        gevent.sleep(0.6)
        talk.request()
        talk.send(json_reply(completion()))

    server = serve(script)
    row = send(server.base_url, request=Request("y" * 12_000_000))
    assert row.outcome == "ok"
    assert server.requests[0].json["messages"][0]["content"] == "y" * 12_000_000


def test_a_gateway_that_leaves_streams_open_after_done_delays_only_one_request(
    serve: Serve,
) -> None:
    """That wait is no latency, but it would lower a closed loop's rate."""

    def script(talk: Conversation) -> None:
        talk.request()
        talk.send(STREAM_HEAD, *chunked(*sse(WHOLE_STREAM), last=False))
        gevent.sleep(20)

    with sender(serve(script).base_url) as user:
        user.send(stream=True)
        began = user.client.wire.now()
        rows = [user.send(i, stream=True) for i in range(5)]
        assert user.client.wire.now() - began < 3.0
    assert [row.outcome for row in rows] == ["ok"] * 5
