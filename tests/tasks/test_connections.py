"""The wire's connections: kept, renewed, cold, through a proxy; and the gate before sending."""

import base64
import time
from typing import Any

import gevent
import pytest

from tasks.route import Proxy, Route, opened, route
from tasks.transport_failure import NotSent
from tests.tasks.scripted_server import (
    BOTH,
    WHOLE_STREAM,
    Conversation,
    Serve,
    answer,
    answer_once,
    completion,
    json_reply,
    streaming,
)
from tests.tasks.sending import KEY, send, sender

WHOLE = json_reply(completion())


@BOTH
def test_a_connection_is_kept_for_the_next_request(serve: Serve, stream: bool) -> None:
    server = serve(answer(streaming(*WHOLE_STREAM) if stream else WHOLE))
    with sender(server.base_url) as user:
        rows = [user.send(i, stream=stream) for i in range(4)]
    assert [row.outcome for row in rows] == ["ok"] * 4
    assert [row.connection_reused for row in rows] == [False, True, True, True]
    assert [row.connect_s is None for row in rows] == [False, True, True, True]
    assert server.connections == 1


@BOTH
def test_a_connection_survives_an_http_error(serve: Serve, stream: bool) -> None:
    server = serve(answer(json_reply({"error": "no"}, status="500 No")))
    with sender(server.base_url) as user:
        rows = [user.send(i, stream=stream) for i in range(2)]
    assert [row.outcome for row in rows] == ["server_error"] * 2
    assert server.connections == 1


@pytest.mark.parametrize("how", ["close", "reset", "spoke"])
def test_a_stale_connection_is_replaced_before_the_request_is_sent(serve: Serve, how: str) -> None:
    def script(talk: Conversation) -> None:
        talk.request()
        talk.send(WHOLE)
        if talk.number == 1:
            gevent.sleep(0.02)
            if how == "reset":
                talk.reset()
            elif how == "spoke":
                talk.send(b"HTTP/1.1 408 Request Timeout\r\ncontent-length: 0\r\n\r\n")

    server = serve(script)
    with sender(server.base_url) as user:
        first = user.send()
        gevent.sleep(0.1)
        second = user.send()
    assert [first.outcome, second.outcome] == ["ok", "ok"]
    assert second.connection_reused is False
    assert [seen.connection for seen in server.requests] == [1, 2], "nothing was sent twice"


def test_connection_close_is_honoured(serve: Serve) -> None:
    server = serve(answer(json_reply(completion(), "connection: close")))
    with sender(server.base_url) as user:
        rows = [user.send(), user.send()]
    assert [row.connection_reused for row in rows] == [False, False]
    assert server.connections == 2


def test_a_connection_is_not_reused_after_a_failed_exchange(serve: Serve) -> None:
    """A late answer must never be taken for that of the next request."""

    def script(talk: Conversation) -> None:
        talk.request()
        if talk.number == 1:
            gevent.sleep(0.3)
            talk.send(json_reply(completion("late")))
        talk.send(json_reply(completion("prompt")))

    with sender(serve(script).base_url, timeout_s=0.1) as user:
        first = user.send()
        user.client.wire._timeout_s = 5.0
        second = user.send()
    assert (first.outcome, second.outcome) == ("timeout_first_byte", "ok")
    assert second.content == "prompt"


def test_cold_opens_a_connection_for_each_request_and_times_it(serve: Serve) -> None:
    server = serve(answer(WHOLE))
    with sender(server.base_url, cold=True) as user:
        rows = [user.send(i) for i in range(3)]
    assert server.connections == 3
    assert [row.connection_reused for row in rows] == [False] * 3
    for row in rows:
        assert row.connect_s is not None and row.first_byte_s is not None
        assert 0 < row.connect_s < row.first_byte_s


def test_cold_connects_after_the_gate_and_warm_before_it(serve: Serve) -> None:
    for cold, expected in ((True, 0), (False, 1)):
        server = serve(answer(WHOLE))
        connections_at_gate: list[int] = []

        def gate(
            server: Any = server, connections_at_gate: list[int] = connections_at_gate
        ) -> None:
            gevent.sleep(0.05)
            connections_at_gate.append(server.connections)

        send(server.base_url, how={"cold": cold}, gate=gate)
        assert connections_at_gate == [expected]


def test_the_time_to_connect_counts_in_a_cold_requests_time(
    serve: Serve, monkeypatch: pytest.MonkeyPatch
) -> None:
    with sender(serve(answer(WHOLE)).base_url, cold=True) as user:

        def slowly(route: Route) -> Any:
            gevent.sleep(0.2)
            return opened(route)

        monkeypatch.setattr("tasks.wire.opened", slowly)
        row = user.send()
    assert row.connect_s is not None and row.elapsed_sec is not None
    assert 0.2 <= row.connect_s <= row.elapsed_sec


@BOTH
@pytest.mark.parametrize("cold", [False, True], ids=["warm", "cold"])
def test_no_byte_of_a_request_is_sent_before_the_gate_opens(
    serve: Serve, cold: bool, stream: bool
) -> None:
    server = serve(answer(streaming(*WHOLE_STREAM) if stream else WHOLE))
    with sender(server.base_url, cold=cold) as user:
        user.send(stream=stream)
        opened: list[float] = []

        def gate() -> None:
            gevent.sleep(0.2)
            assert len(server.requests) == 1
            opened.append(time.perf_counter())

        row = user.send(gate=gate, stream=stream)
        since_opened_s = time.perf_counter() - opened[0]
    assert server.requests[1].at >= opened[0]
    assert row.elapsed_sec is not None
    assert row.elapsed_sec <= since_opened_s + 1e-6, "waiting for its due time is not latency"


def test_lag_and_latency_from_due_are_counted_from_the_due_time(serve: Serve) -> None:
    row = send(
        serve(answer(WHOLE)).base_url,
        due=time.perf_counter() + 0.05,
        gate=lambda: gevent.sleep(0.25),
    )
    assert row.send_lag_s is not None and row.elapsed_sec is not None
    assert row.elapsed_from_due_s is not None and row.sent_offset_s is not None
    assert 0.1 < row.send_lag_s < 2.0
    assert row.elapsed_from_due_s == pytest.approx(row.send_lag_s + row.elapsed_sec, abs=5e-6)
    assert row.scheduled_offset_s is not None
    assert row.sent_offset_s == pytest.approx(row.scheduled_offset_s + row.send_lag_s, abs=5e-6)


@BOTH
def test_a_request_refused_by_its_gate_is_dropped_and_never_sent(
    serve: Serve, stream: bool
) -> None:
    def refuse() -> None:
        raise NotSent

    server = serve(answer(WHOLE))
    row = send(server.base_url, gate=refuse, stream=stream)
    assert (row.outcome, row.success, row.error_type) == ("dropped", False, "dropped")
    assert (row.sent_offset_s, row.elapsed_sec, row.http_status) == (None, None, None)
    gevent.sleep(0.05)
    assert not server.requests


@BOTH
@pytest.mark.parametrize("after", ["request", "head"])
def test_a_user_killed_in_mid_flight_leaves_a_cancelled_row(
    serve: Serve, after: str, stream: bool
) -> None:
    full_answer = streaming(*WHOLE_STREAM) if stream else WHOLE

    def slow(talk: Conversation) -> None:
        talk.request()
        if after == "head":
            talk.send(full_answer[: full_answer.index(b"\r\n\r\n") + 4])
        gevent.sleep(20)

    server = serve(slow)
    user = gevent.spawn(send, server.base_url, stream=stream)
    gevent.sleep(0.2)
    began = time.perf_counter()
    user.kill()
    assert time.perf_counter() - began < 0.8, "a killed user does not wait for the rest"
    row = user.value
    assert (row.outcome, row.success) == ("cancelled", False)
    assert row.sent_offset_s is not None
    assert (row.http_status is None) == (after == "request")


def test_a_user_killed_before_its_request_was_sent_leaves_a_row_without_times(
    serve: Serve,
) -> None:
    server = serve(answer(WHOLE))
    user = gevent.spawn(send, server.base_url, gate=lambda: gevent.sleep(20))
    gevent.sleep(0.1)
    user.kill()
    assert user.value.outcome in ("dropped", "cancelled")
    assert (user.value.sent_offset_s, user.value.elapsed_sec) == (None, None)
    assert not server.requests


def test_ipv6_loopback_is_reached(serve: Serve) -> None:
    try:
        server = serve(answer(WHOLE), host="::1")
    except OSError:
        pytest.skip("this host has no IPv6 loopback")
    row = send(server.base_url)
    assert row.outcome == "ok"
    assert server.requests[0].headers["host"] == f"[::1]:{server.port}"


# ---- proxies


def test_a_proxy_gets_http_requests_in_absolute_form(serve: Serve) -> None:
    proxy = serve(answer(WHOLE))
    secret = b"Basic " + base64.b64encode(b"me:pw")
    via = Route("gateway.invalid", 80, None, Proxy("127.0.0.1", proxy.port, secret))
    row = send("http://gateway.invalid/v1", how={"via": via})
    assert row.outcome == "ok"
    (request,) = proxy.requests
    assert request.line == "POST http://gateway.invalid/v1/chat/completions HTTP/1.1"
    assert request.headers["host"] == "gateway.invalid"
    assert request.headers["proxy-authorization"] == secret.decode()


def test_a_refused_tunnel_is_connection_refused_and_the_key_is_not_sent(serve: Serve) -> None:
    proxy = serve(answer_once(b"HTTP/1.1 403 Forbidden\r\n\r\n"))
    direct = route("https://gateway.invalid/v1")
    via = Route("gateway.invalid", 443, direct.tls, Proxy("127.0.0.1", proxy.port, None))
    row = send("https://gateway.invalid/v1", how={"via": via})
    assert (row.outcome, row.http_status) == ("connection_refused", None)
    assert "the proxy refused the tunnel: HTTP/1.1 403 Forbidden" in (row.error_message or "")
    assert {seen.line for seen in proxy.requests} == {"CONNECT gateway.invalid:443 HTTP/1.1"}
    assert all(KEY not in str(seen.headers) for seen in proxy.requests)


def test_a_silent_proxy_is_timeout_connect(serve: Serve) -> None:
    proxy = serve(lambda talk: gevent.sleep(20))
    direct = route("https://gateway.invalid/v1")
    via = Route("gateway.invalid", 443, direct.tls, Proxy("127.0.0.1", proxy.port, None))
    row = send("https://gateway.invalid/v1", how={"via": via, "connect_timeout_s": 0.2})
    assert row.outcome == "timeout_connect"
