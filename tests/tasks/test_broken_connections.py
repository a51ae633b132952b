"""Every way in which a connection can fail, provoked on real sockets, plain and streamed."""

import socket
import time
from pathlib import Path
from typing import Any

import gevent
import gevent.ssl
import pytest

from tests.tasks.scripted_server import (
    BOTH,
    STREAM_HEAD,
    WHOLE_STREAM,
    Conversation,
    Serve,
    answer_once,
    chunked,
    completion,
    json_reply,
    sse,
)
from tests.tasks.sending import send, sender, tls_route

COLD = pytest.mark.parametrize("cold", [False, True], ids=["warm", "cold"])
WHOLE = json_reply(completion())


@BOTH
@COLD
def test_a_port_without_a_listener_is_connection_refused(
    closed_port: int, stream: bool, cold: bool
) -> None:
    row = send(f"http://127.0.0.1:{closed_port}/v1", how={"cold": cold}, stream=stream)
    assert (row.outcome, row.http_status, row.response_bytes) == ("connection_refused", None, None)
    assert row.elapsed_sec is not None
    assert "refused" in (row.error_message or "")


@BOTH
@COLD
def test_an_unanswered_handshake_is_timeout_connect(
    deaf_port: int, stream: bool, cold: bool
) -> None:
    how = {"connect_timeout_s": 0.2, "cold": cold}
    row = send(f"http://127.0.0.1:{deaf_port}/v1", how=how, stream=stream)
    assert (row.outcome, row.error_message) == ("timeout_connect", "no connection within 0.2 s")
    assert row.elapsed_sec is not None
    assert 0.2 <= row.elapsed_sec < 3.0, "the wait after its due time counts as latency"


@BOTH
@pytest.mark.parametrize("host", ["weighbridge.invalid", "a" * 60 + ".invalid"])
def test_an_unknown_host_name_is_dns(host: str, stream: bool) -> None:
    row = send(f"http://{host}:80/v1", how={"connect_timeout_s": 20.0}, stream=stream)
    assert row.outcome in ("dns", "timeout_connect")  # the latter where no resolver answers
    assert row.http_status is None


@BOTH
def test_no_answer_is_timeout_first_byte(serve: Serve, stream: bool) -> None:
    def mute(talk: Conversation) -> None:
        talk.request()
        gevent.sleep(20)

    row = send(serve(mute).base_url, how={"timeout_s": 0.2}, stream=stream)
    assert (row.outcome, row.first_byte_s) == ("timeout_first_byte", None)
    assert (row.http_status, row.error_message) == (None, "no answer within 0.2 s")
    assert row.elapsed_sec is not None
    assert 0.2 <= row.elapsed_sec < 3.0


@BOTH
@pytest.mark.parametrize("part", ["headers", "body"])
def test_an_answer_that_trickles_past_the_deadline_is_timeout_total(
    serve: Serve, part: str, stream: bool
) -> None:
    """Each byte comes within any read timeout; only a total deadline ends it."""

    def trickle(talk: Conversation) -> None:
        talk.request()
        if part == "body":
            talk.send(STREAM_HEAD if stream else WHOLE[:-40])
        for _ in range(400):
            talk.send(b"1\r\n:\r\n" if stream and part == "body" else b"H"[:1])
            gevent.sleep(0.05)

    def slow_headers(talk: Conversation) -> None:
        talk.request()
        talk.send(b"HTTP/1.1 200 OK\r\n")
        for number in range(400):
            talk.send(b"x-slow-%d: 1\r\n" % number)
            gevent.sleep(0.05)

    server = serve(slow_headers if part == "headers" else trickle)
    began = time.perf_counter()
    row = send(server.base_url, how={"timeout_s": 0.4}, stream=stream)
    assert time.perf_counter() - began < 3.0
    assert (row.outcome, row.error_message) == ("timeout_total", "not complete within 0.4 s")
    assert row.first_byte_s is not None


@BOTH
@pytest.mark.parametrize("sent", [b"", WHOLE[:20], WHOLE[:-5]], ids=["none", "head", "body"])
def test_a_reset_is_connection_reset(serve: Serve, sent: bytes, stream: bool) -> None:
    def crash(talk: Conversation) -> None:
        talk.request()
        talk.send(sent)
        gevent.sleep(0.05)
        talk.reset()

    row = send(serve(crash).base_url, stream=stream)
    assert (row.outcome, row.success) == ("connection_reset", False)


@pytest.mark.parametrize("sent", [b"", b"HTTP/1.1 200 OK\r\n", WHOLE[:-5]])
def test_a_close_before_the_answer_is_complete_is_connection_reset(
    serve: Serve, sent: bytes
) -> None:
    row = send(serve(answer_once(sent)).base_url)
    assert row.outcome == "connection_reset"
    assert "closed before" in (row.error_message or "")


@pytest.mark.parametrize("sent", [b"", b"HTTP/1.1 200 OK\r\n"])
def test_a_close_before_a_stream_begins_is_connection_reset(serve: Serve, sent: bytes) -> None:
    assert send(serve(answer_once(sent)).base_url, stream=True).outcome == "connection_reset"


def test_a_truncated_json_body_in_place_of_a_stream_is_connection_reset(
    serve: Serve,
) -> None:
    row = send(serve(answer_once(WHOLE[:-5])).base_url, stream=True)
    assert (row.outcome, row.http_status) == ("connection_reset", 200)


def test_a_reset_in_the_middle_of_a_stream_keeps_what_was_received(serve: Serve) -> None:
    def crash(talk: Conversation) -> None:
        talk.request()
        talk.send(STREAM_HEAD, *chunked(*sse(WHOLE_STREAM[:2], done=False), last=False))
        gevent.sleep(0.05)
        talk.reset()

    row = send(serve(crash).base_url, stream=True)
    assert (row.outcome, row.content, row.chunks) == ("connection_reset", "ok", 1)
    assert row.ttft_s is not None


def test_a_reset_while_the_request_is_written_is_connection_reset(serve: Serve) -> None:
    def crash(talk: Conversation) -> None:
        talk.socket.recv(10)
        talk.reset()

    from tasks.prompts import Request

    row = send(serve(crash).base_url, request=Request("x" * 5_000_000))
    assert row.outcome == "connection_reset"


def test_an_answer_sent_before_the_request_was_read_is_read(serve: Serve) -> None:
    """A gateway may refuse a request by its headers and close (413, 429)."""

    def refuse(talk: Conversation) -> None:
        talk.socket.recv(100)
        talk.send(json_reply({"error": {"message": "too big"}}, status="413 Too Large"))
        talk.socket.shutdown(socket.SHUT_WR)
        while talk.socket.recv(65536):
            pass

    from tasks.prompts import Request

    row = send(serve(refuse).base_url, request=Request("x" * 2_000_000))
    assert (row.outcome, row.http_status, row.error_message) == ("bad_request", 413, "too big")


# ---- TLS


@BOTH
@COLD
def test_an_untrusted_certificate_is_tls(tls_server: Any, stream: bool, cold: bool) -> None:
    how = {"via": tls_route(tls_server, "localhost", None), "cold": cold}
    row = send(f"https://localhost:{tls_server.port}/v1", how=how, stream=stream)
    assert (row.outcome, row.http_status) == ("tls", None)
    assert "certificate verify failed" in (row.error_message or "")
    assert not tls_server.requests, "the key must not go to an unproven host"


def test_a_certificate_for_another_name_is_tls(tls_server: Any, certificate: Path) -> None:
    how = {"via": tls_route(tls_server, "127.0.0.1", certificate)}
    row = send(f"https://127.0.0.1:{tls_server.port}/v1", how=how)
    assert row.outcome == "tls"
    assert not tls_server.requests


def test_plain_http_on_a_tls_port_is_tls(serve: Serve, certificate: Path) -> None:
    server = serve(lambda talk: talk.send(b"HTTP/1.1 400 Bad Request\r\n\r\n"))
    how = {"via": tls_route(server, "localhost", certificate)}
    assert send(f"https://localhost:{server.port}/v1", how=how).outcome in (
        "tls",
        "connection_reset",
    )


def test_a_trusted_certificate_is_ok_and_its_connection_is_kept(
    tls_server: Any, certificate: Path
) -> None:
    via = tls_route(tls_server, "localhost", certificate)
    with sender(f"https://localhost:{tls_server.port}/v1", via=via) as user:
        rows = [user.send(i) for i in range(3)]
    assert [row.outcome for row in rows] == ["ok"] * 3
    assert [row.connection_reused for row in rows] == [False, True, True]
    assert tls_server.connections == 1
