"""Every line of the table of faults (docs/reference/outcomes.md), provoked plain and streamed."""

import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import gevent
import pytest

from recording.record import RequestRecord
from simulator.faults import FAULTS
from tasks.route import Proxy, Route, route
from tests.faults import PROVOKED, SIMULATED
from tests.locust_run import CANARY
from tests.simulated import Simulator
from tests.tasks.scripted_server import (
    BOTH,
    STREAM_HEAD,
    WHOLE_STREAM,
    Conversation,
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
from tests.tasks.sending import Sender, send, sender, tls_route

SLOW_S = 2.0  # the timeout of requests that are made to wait for it
RETRY_AFTER_S = 7.0


@pytest.fixture(scope="module")
def gateway(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Simulator]:
    """One simulator for the faults of all tests; each request names its own."""
    server = Simulator(
        tmp_path_factory.mktemp("faults") / "log.csv", "--profile", "fast",
        "--retry-after", RETRY_AFTER_S, "--fault-delay", 60, "--trickle-interval", "0.2",
    )  # fmt: skip
    yield server
    server.stop()


def among_others(
    gateway: Simulator, fault: str, model: str, stream: bool
) -> tuple[list[RequestRecord], list[dict[str, str]]]:
    """A good request, one with the fault, and a good one; and the gateway's log of them."""
    slow = fault in ("hang", "slow_headers", "trickle")
    with sender(gateway.url, key=CANARY, timeout_s=SLOW_S if slow else 20.0) as user:
        rows = [user.send(0, stream=stream, model=model)]
        rows.append(faulty(user, fault).send(1, stream=stream, model=model))
        rows.append(faulty(user, "none").send(2, stream=stream, model=model))
    truth: list[dict[str, str]] = []
    for _ in range(200):  # the row of a request that hung is written when its client is gone
        truth = [row for row in gateway.rows() if row["model"] == model]
        if len(truth) >= len(rows):
            break
        time.sleep(0.02)
    return rows, sorted(truth, key=lambda row: row["arrival_unix_s"])


def faulty(user: Sender, fault: str) -> Sender:
    """The user, whose requests now ask the simulator for that fault."""
    plain = user.client.sdk
    user.client.sdk = plain.with_options(default_headers={"x-simulator-fault": fault})
    user.client.sdk.credentials = plain.credentials
    return user


@BOTH
@pytest.mark.parametrize("fault", SIMULATED)
def test_a_fault_has_its_outcome_and_affects_no_other_request(
    gateway: Simulator, fault: str, stream: bool
) -> None:
    """The outcome is that of the table, and the row has what the gateway said."""
    expected = SIMULATED[fault]
    (before, row, after), truth = among_others(gateway, fault, f"{fault}-{stream}", stream)
    logged = truth[1]
    assert logged["fault"] == fault, "the gateway did what was asked"
    assert len(truth) == 3, "each was sent once"
    assert (row.outcome, row.check) == (expected.outcome(stream), expected.flag or None)
    for good, logged_row in ((before, truth[0]), (after, truth[2])):
        assert (good.outcome, good.check, good.marker_ok) == ("ok", None, True)
        assert (good.gateway_request_id, good.api_cost) == (
            logged_row["request_id"], float(logged_row["cost"]),
        )  # fmt: skip

    answered = row.http_status is not None
    assert row.http_status == (int(logged["status"]) if logged["status"] else None)
    assert row.gateway_request_id == (logged["request_id"] if answered else None)
    assert CANARY not in repr(row)
    if row.success:
        stated = float(logged["cost"]) if logged["cost"] else None
        assert (row.error_type, row.error_message, row.api_cost) == (None, None, stated)
    else:
        assert row.error_type
        assert row.error_message or fault == "empty"
        assert len(row.error_message or "") <= 2000


@BOTH
@pytest.mark.parametrize(
    ("fault", "kind", "message", "least_s", "most_s"),
    [
        ("rate_limited", "requests", "Rate limit reached", RETRY_AFTER_S, RETRY_AFTER_S),
        ("rate_limited_ms", "requests", "Rate limit reached", RETRY_AFTER_S, RETRY_AFTER_S),
        ("rate_limited_date", "requests", "Rate limit reached", 0.0, RETRY_AFTER_S),
        ("rate_limited_bare", "requests", "Rate limit reached", None, None),
        ("error_400", "invalid_request_error", "This request was refused.", None, None),
        ("error_401", "invalid_request_error", "Incorrect API key provided.", None, None),
        ("error_402", "insufficient_quota", "Insufficient credits.", None, None),
        ("error_404", "invalid_request_error", "The model does not exist.", None, None),
        ("error_500", "server_error", "The server had an error.", None, None),
        ("error_502", "server_error", "Bad Gateway", None, None),
        ("error_503", "server_error", "The engine is overloaded.", None, None),
        ("error_body_200", "server_error", "The upstream provider failed.", None, None),
        ("redirect", "redirect", "307", None, None),
        ("echo_auth", "invalid_request_error", "Authorization: Bearer [key]", None, None),
        ("stream_error", "server_error", "The upstream provider failed.", None, None),
    ],
)  # fmt: skip
def test_the_row_of_a_refusal_has_the_gateways_message(
    gateway: Simulator, fault: str, kind: str, message: str, stream: bool,
    least_s: float | None, most_s: float | None,
) -> None:  # fmt: skip
    with sender(gateway.url, key=CANARY) as user:
        row = faulty(user, fault).send(stream=stream, model="words")
    assert row.error_type == kind
    assert message in (row.error_message or "")
    if least_s is None or most_s is None:
        assert row.retry_after_s is None
    else:
        assert row.retry_after_s is not None
        assert least_s <= row.retry_after_s <= most_s


def test_the_table_of_faults_has_every_fault_of_the_simulator() -> None:
    assert SIMULATED.keys() == FAULTS.keys()


# ---- what the simulator has no fault for


def closed(serve: Serve, request: Any) -> tuple[str, dict[str, Any]]:
    return f"http://127.0.0.1:{request.getfixturevalue('closed_port')}/v1", {}


def deaf(serve: Serve, request: Any) -> tuple[str, dict[str, Any]]:
    port = request.getfixturevalue("deaf_port")
    return f"http://127.0.0.1:{port}/v1", {"connect_timeout_s": 0.2}


def tls(host: str, trusted: bool) -> Callable[..., tuple[str, dict[str, Any]]]:
    def start(serve: Serve, request: Any) -> tuple[str, dict[str, Any]]:
        server = request.getfixturevalue("tls_server")
        known: Path | None = request.getfixturevalue("certificate") if trusted else None
        via = tls_route(server, host, known)
        return f"https://{host}:{server.port}/v1", {"via": via}

    return start


def tunnel(script: Callable[[Conversation], None]) -> Callable[..., tuple[str, dict[str, Any]]]:
    def start(serve: Serve, request: Any) -> tuple[str, dict[str, Any]]:
        url = "https://gateway.invalid/v1"
        proxy = Proxy("127.0.0.1", serve(script).port, None)
        via = Route("gateway.invalid", 443, route(url).tls, proxy)
        return url, {"via": via, "connect_timeout_s": 0.3}

    return start


def proxied(serve: Serve, request: Any) -> tuple[str, dict[str, Any]]:
    via = Route("gateway.invalid", 80, None, Proxy("127.0.0.1", serve(good).port, None))
    return "http://gateway.invalid/v1", {"via": via}


def good(talk: Conversation) -> None:
    """A complete answer to each request, streamed where a stream was asked for."""
    while True:
        streams = talk.request().json["stream"]
        talk.send(streaming(*WHOLE_STREAM) if streams else json_reply(completion()))


def ipv6(serve: Serve, request: Any) -> tuple[str, dict[str, Any]]:
    try:
        return serve(good, host="::1").base_url, {}
    except OSError:
        pytest.skip("this host has no IPv6 loopback")


def byte_by_byte(talk: Conversation) -> None:
    streams = talk.request().json["stream"]
    whole = json_reply(completion()).partition(b"\r\n\r\n")[2]
    body = b"".join(sse(WHOLE_STREAM)) if streams else whole
    kind = b"text/event-stream" if streams else b"application/json"
    head = b"HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\ncontent-type: " + kind + b"\r\n\r\n"
    talk.send(head, *chunked(*(body[i : i + 1] for i in range(len(body)))))


def typed(status: str, body: bytes, *headers: str) -> Callable[[Conversation], None]:
    """An answer of the type that was asked for, whatever its body is."""

    def script(talk: Conversation) -> None:
        streams = talk.request().json["stream"]
        kind = "text/event-stream" if streams else "application/json"
        lead = b"data: " if streams and not headers else b""
        talk.send(http(status, lead + body + b"\n\n", f"content-type: {kind}", *headers))

    return script


def script(talks: Callable[[Conversation], None]) -> Callable[..., tuple[str, dict[str, Any]]]:
    return lambda serve, request: (serve(talks).base_url, {})


def thoughtful(talk: Conversation) -> None:
    """Every token of the output budget goes into hidden reasoning."""
    counted = completion()["usage"]
    if talk.request().json["stream"]:
        talk.send(streaming(delta("length", content=""), {**delta(), "choices": [],
                                                          "usage": counted}))  # fmt: skip
        return
    choice = {"index": 0, "message": {"role": "assistant", "content": ""},
              "finish_reason": "length"}  # fmt: skip
    talk.send(json_reply(completion(choices=[choice], usage=counted)))


def ending(reason: str) -> Callable[[Conversation], None]:
    """Half an answer that ends for the given reason."""

    def script(talk: Conversation) -> None:
        if talk.request().json["stream"]:
            talk.send(streaming(delta(content="ok"), delta(reason)))
            return
        choice = {"index": 0, "message": {"content": "ok"}, "finish_reason": reason}
        talk.send(json_reply(completion(choices=[choice])))

    return script


def too_large(serve: Serve, request: pytest.FixtureRequest) -> tuple[str, dict[str, Any]]:
    return serve(typed("200 OK", b"x" * 5000)).base_url, {"most_bytes": 1000}


PAGE = b"<html><title>Sorry</title></html>"
NO_MONEY = {"error": {"message": "no credit", "type": "insufficient_quota"}}
LIMIT = {"error": {"message": "slow down", "code": 429}}
START: dict[str, Callable[..., tuple[str, dict[str, Any]]]] = {
    "nobody_listens": closed,
    "no_handshake": deaf,
    "no_such_host": lambda serve, request: (f"http://{'a' * 60}.invalid/v1", {}),
    "unknown_issuer": tls("localhost", trusted=False),
    "other_host": tls("127.0.0.1", trusted=True),
    "proxy_refuses": tunnel(answer_once(b"HTTP/1.1 403 Forbidden\r\n\r\n")),
    "proxy_silent": tunnel(lambda talk: gevent.sleep(20)),
    "proxy": proxied,
    "ipv6": ipv6,
    "chunked": script(byte_by_byte),
    "not_http": script(answer_once(b"SSH-2.0-OpenSSH_9.2\r\n")),
    "bad_chunk_length": script(answer_once(STREAM_HEAD + b"zz\r\noops")),
    "bad_gzip": script(typed("200 OK", b"not gzip", "content-encoding: gzip")),
    "deep_json": script(typed("200 OK", b"[" * 200_000)),
    "error_code_200": script(answer(json_reply(LIMIT))),
    "whole_reply": script(answer(json_reply(completion()))),
    "thought_away": script(thoughtful),
    "gave_up": script(ending("abort")),
    "content_filter": script(ending("content_filter")),
    "page_200": script(answer_once(http("200 OK", PAGE, "content-type: text/html"))),
    "no_money": script(answer_once(json_reply(NO_MONEY, status="429 No"))),
    "proxy_499": script(answer_once(http("499 Closed", PAGE))),
    "too_large": too_large,
    "closed_early": script(answer_once(b"")),
}


@BOTH
@pytest.mark.parametrize("name", PROVOKED)
def test_a_failure_of_the_network_has_its_outcome(
    serve: Serve, request: pytest.FixtureRequest, name: str, stream: bool
) -> None:
    expected = PROVOKED[name].outcome(stream)
    if expected is None:
        return
    url, how = START[name](serve, request)
    row = send(url, how=how, stream=stream)
    assert row.outcome == expected
    assert (row.error_message is None) == row.success


def test_every_failure_of_the_network_is_provoked() -> None:
    assert START.keys() == PROVOKED.keys()
