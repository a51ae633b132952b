"""Every fault as seen on the wire."""

import gzip
import http.client
import socket
import time
import zlib
from email.utils import parsedate_to_datetime
from pathlib import Path
from typing import Any

import pytest

from simulator.faults import FAULTS
from tests.simulator.gateway import KEY, Gateway, chat, running, streamed

SAY = "Reply exactly: one two three four five"


def raw(gateway: Gateway, body: object, fault: str, seconds: float = 3) -> bytes:
    """All bytes of a reply until the connection ends or the time is up.

    Raises ConnectionResetError if it is reset; the bytes before that are lost.
    """
    data = repr(body).replace("'", '"').replace("True", "true").encode()
    head = (
        f"POST /v1/chat/completions HTTP/1.1\r\nHost: x\r\nAuthorization: {KEY}\r\n"
        f"X-Simulator-Fault: {fault}\r\nConnection: close\r\nContent-Length: {len(data)}\r\n\r\n"
    )
    received = b""
    with socket.create_connection((gateway.host, gateway.port), timeout=seconds) as sock:
        sock.sendall(head.encode() + data)
        deadline = time.monotonic() + seconds
        try:
            while time.monotonic() < deadline:
                part = sock.recv(65536)
                if not part:
                    break
                received += part
        except TimeoutError:
            pass
    return received


@pytest.mark.parametrize("body", [chat(SAY), streamed(SAY)], ids=["plain", "stream"])
@pytest.mark.parametrize(
    ("fault", "status", "header", "value"),
    [
        ("rate_limited", 429, "retry-after", "3"),
        ("rate_limited_ms", 429, "retry-after-ms", "3000"),
        ("rate_limited_bare", 429, "retry-after", None),
        ("error_400", 400, "retry-after", None),
        ("error_401", 401, "retry-after", None),
        ("error_402", 402, "retry-after", None),
        ("error_404", 404, "retry-after", None),
        ("error_500", 500, "retry-after", None),
        ("error_502", 502, "content-type", "text/html"),
        ("error_503", 503, "retry-after", None),
        ("error_body_200", 200, "content-type", "application/json"),
        ("redirect", 307, "location", "/v1/elsewhere"),
    ],
)
def test_refusals(
    fast: Gateway, fault: str, status: int, header: str, value: str | None, body: Any
) -> None:
    """A refusal has its status and headers, an error body, and no charge."""
    reply = fast.fails(fault, body)
    assert reply.status == status and reply.headers[header] == value
    if fault not in ("error_502", "redirect"):
        assert reply.json["error"]["message"]
    row = fast.rows()[-1]
    assert row["fault"] == fault and row["cost"] == row["billed"] == ""


def test_retry_after_date(fast: Gateway) -> None:
    """rate_limited_date states an HTTP date in the future."""
    reply = fast.fails("rate_limited_date", chat())
    assert -1 < parsedate_to_datetime(reply.headers["retry-after"]).timestamp() - time.time() < 4


def test_echo_auth(fast: Gateway) -> None:
    """echo_auth is the one error that repeats the key."""
    assert KEY in fast.fails("echo_auth", chat()).json["error"]["message"]


@pytest.mark.parametrize("make", [chat, streamed])
def test_spoilt_usage(fast: Gateway, make: Any) -> None:
    """Usage can be missing, without cost, wrong in its sum, negative, or 100 times too high."""

    def usage(fault: str) -> Any:
        reply = fast.fails(fault, make(SAY))
        bodies = [reply.json] if make is chat else reply.events[:-1]
        return next((b["usage"] for b in bodies if b.get("usage")), None)

    sound = usage("early_role")
    assert usage("missing_usage") is None
    assert usage("missing_cost") == {k: v for k, v in sound.items() if k != "cost"}
    assert fast.rows()[-1]["cost"] == "" and float(fast.rows()[-1]["billed"]) == sound["cost"]
    bad = usage("bad_usage")
    assert bad["total_tokens"] != bad["prompt_tokens"] + bad["completion_tokens"]
    assert usage("negative_usage")["completion_tokens"] < 0
    assert usage("cost_jump")["cost"] == pytest.approx(100 * sound["cost"])
    assert float(fast.rows()[-1]["cost"]) == pytest.approx(100 * sound["cost"])


@pytest.mark.parametrize("make", [chat, streamed])
def test_wrong_words(fast: Gateway, make: Any) -> None:
    """A 200 can be empty, name another model, or be ten megabytes long."""
    assert fast.fails("empty", make(SAY)).text == ""
    reply = fast.fails("wrong_model", make(SAY))
    body = reply.json if make is chat else reply.events[0]
    assert body["model"] == "m-substitute" and fast.rows()[-1]["model"] == "m"
    assert len(fast.fails("big_body", make(SAY)).text) == 10_000_000


@pytest.mark.parametrize("make", [chat, streamed])
def test_broken_bytes(fast: Gateway, make: Any) -> None:
    """JSON can be broken, and content can be bytes that are not UTF-8."""
    broken = fast.fails("malformed", make(SAY))
    assert broken.status == 200
    with pytest.raises(ValueError):
        _ = broken.json if make is chat else broken.events
    invalid = fast.fails("invalid_utf8", make(SAY))
    with pytest.raises(UnicodeDecodeError):
        invalid.body.decode()
    if make is streamed:
        assert invalid.body.endswith(b"data: [DONE]\n\n")


@pytest.mark.parametrize("make", [chat, streamed])
def test_gzip(fast: Gateway, make: Any) -> None:
    """A gzip-encoded body decodes to the plain one; every prefix of a stream can be decoded."""
    reply = fast.fails("gzip", make(SAY))
    assert reply.headers["content-encoding"] == "gzip"
    assert b"one" in gzip.decompress(reply.body)
    if make is streamed:
        first = zlib.decompressobj(wbits=31).decompress(reply.body[: len(reply.body) // 2])
        assert first.startswith(b'data: {"id"')


@pytest.mark.parametrize("make", [chat, streamed])
def test_reset(fast: Gateway, make: Any) -> None:
    """A reset is a TCP RST, at once or after part of the body."""
    for fault in ("reset", "reset_mid_body"):
        with pytest.raises(ConnectionResetError):
            raw(fast, make(SAY), fault)
    reset, middle = fast.rows()[-2:]
    assert reset["status"] == "" and reset["billed"] == ""
    assert middle["status"] == "200" and float(middle["billed"]) > 0


def test_truncated(fast: Gateway) -> None:
    """A truncated stream lacks finish_reason and [DONE], a plain body its second half."""
    events = fast.fails("truncated_stream", streamed(SAY)).events
    assert events and all(e["choices"][0]["finish_reason"] is None for e in events)
    with pytest.raises(http.client.IncompleteRead):
        fast.fails("truncated_stream", chat(SAY))


def test_stream_error(fast: Gateway) -> None:
    """An SSE error event follows some chunks and ends the stream."""
    events = fast.fails("stream_error", streamed(SAY)).events
    assert "error" in events[-1] and len(events) > 2 and "choices" in events[-2]
    assert fast.fails("stream_error", chat(SAY)).json["error"]


@pytest.mark.parametrize("make", [chat, streamed])
def test_slow(fast: Gateway, make: Any) -> None:
    """hang sends nothing, trickle one byte at a time, slow_headers nothing before its delay."""
    assert raw(fast, make(SAY), "hang", 0.3) == b""
    assert fast.rows()[-1]["fault"] == "hang"
    trickled = raw(fast, make(SAY), "trickle", 0.5)
    assert (
        trickled.startswith(b"HTTP/1.1 200") and 0 < len(trickled.partition(b"\r\n\r\n")[2]) < 200
    )
    started = time.monotonic()
    assert fast.fails("slow_headers", make(SAY)).text == SAY.removeprefix("Reply exactly: ")
    assert time.monotonic() - started >= 0.49


def test_early_role(log: Path) -> None:
    """early_role sends the role-only chunk at once, long before the first token."""
    with running(log, "--profile", "fast", "--ttft", 0.3, "--fault", "early_role") as gateway:
        gateway.send(streamed(SAY))
        row = gateway.rows()[0]
    first, second = [float(x) for x in row["chunk_times_unix_s"].split(";")][:2]
    assert second - first > 0.2 and float(row["first_token_unix_s"]) == second


def test_client_gone(log: Path) -> None:
    """A client that leaves early is logged as such, with the status sent so far."""
    with running(log, "--profile", "fast", "--latency", 5, "--tokens-per-s", 20) as gateway:
        for body in (chat(), streamed()):
            with pytest.raises(TimeoutError):
                gateway.send(body, timeout_s=0.2)
        rows = gateway.rows()
    assert [row["fault"] for row in rows] == ["client_gone"] * 2
    assert [row["status"] for row in rows] == ["", ""]


WORDS = "Reply exactly: one two three four five six seven eight nine ten eleven twelve"
PACED = ("--profile", "fast", "--ttft", 0.3, "--tokens-per-s", 40, "--stall-seconds", 0.6)


def gaps_s(gateway: Gateway, fault: str) -> list[float]:
    """The gaps between the events of one stream, as logged by the gateway itself."""
    before = len(gateway.rows())
    assert gateway.fails(fault, streamed(WORDS)).status == 200
    times = [float(at) for at in gateway.rows()[before]["chunk_times_unix_s"].split(";")]
    return [round(late - early, 3) for early, late in zip(times, times[1:], strict=False)]


def test_streams_that_are_held_back_lumped_and_stalled(log: Path) -> None:
    """Twelve tokens at 40 per second; the log has one time per event written."""
    with running(log, *PACED) as gateway:
        assert sum(gap > 0.01 for gap in gaps_s(gateway, "none")) >= 10
        assert max(gaps_s(gateway, "buffer")) == 0.0
        lumped = gaps_s(gateway, "coalesce")
        assert sum(gap == 0 for gap in lumped) >= 0.7 * len(lumped)
        assert 1 <= sum(gap > 0.05 for gap in lumped) <= 3
        stalled = gaps_s(gateway, "stall")
        assert sum(gap >= 0.6 for gap in stalled) == 1


@pytest.mark.parametrize(
    ("fault", "tokens", "cost"), [("stream_usage", 2000, 1), ("stream_cost", 0, 4)]
)
def test_streams_counted_and_charged_differently(
    fast: Gateway, fault: str, tokens: int, cost: int
) -> None:
    """Plain replies are right."""
    plain = fast.fails(fault, chat(SAY)).json["usage"]
    assert plain == fast.send(chat(SAY)).json["usage"]
    before = len(fast.rows())
    fast.fails(fault, streamed(SAY))
    row = fast.rows()[before]
    assert int(row["prompt_tokens"]) == plain["prompt_tokens"] + tokens
    assert float(row["cost"]) == pytest.approx(plain["cost"] * cost)


def test_replies_that_are_sent_again(log: Path) -> None:
    """response_cache: the same reply to the same messages; cross: it goes to the next client."""
    with running(log, "--profile", "fast") as gateway:
        first, again, other = (
            gateway.fails("response_cache", chat(text)).json for text in (SAY, SAY, WORDS)
        )
        assert again == first
        assert other["id"] != first["id"] and other["choices"] != first["choices"]
        mine, theirs = (gateway.send(chat(f"Reply exactly: ok-{n}")).json for n in (1, 2))
        crossed = gateway.fails("cross", chat("Reply exactly: ok-3")).json
    assert mine["choices"][0]["message"]["content"] == "ok-1"
    assert crossed["choices"] == theirs["choices"] and crossed["id"] != theirs["id"]


def test_shares(log: Path) -> None:
    """Faults occur in their shares, at most one per request, and spare the first N."""
    arguments = ("--fault", "error_500=0.25", "--fault", "error_503=0.25", "--fault-after", 20)
    with running(log, "--profile", "fast", *arguments) as gateway:
        statuses = [gateway.send(chat(f"Say {i}")).status for i in range(420)]
    assert statuses[:20] == [200] * 20
    # Binomial with n = 400, p = 1/4: standard deviation 8.7; five of them either way.
    assert abs(statuses.count(500) - 100) < 44 and abs(statuses.count(503) - 100) < 44


def test_every_fault_is_tested() -> None:
    """No fault of the catalogue is missing from this file."""
    text = Path(__file__).read_text()
    assert [name for name in FAULTS if f'"{name}"' not in text] == []
