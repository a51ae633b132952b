"""Memory is bounded whatever a gateway sends, judged by the peak of a separate process."""

import gzip
import json
import subprocess
import sys
from collections.abc import Callable, Iterator

import pytest

from tests.tasks.scripted_server import STREAM_HEAD, Conversation, Serve, chunked, completion
from tests.tasks.sending import Sender

LIMIT_MB, REPLY_MB, BEARABLE_MB = 8, 600, 60
JSON_HEAD = b"HTTP/1.1 200 OK\r\ncontent-type: application/json\r\n"
MEGABYTE = b"x" * 1_000_000

CHILD = """
import resource, sys
from tests.tasks.sending import Sender
def peak_mb(): return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
url, most = sys.argv[1], int(float(sys.argv[2]) * 1e6)
warm = Sender(url + "/warm", most_bytes=most, timeout_s=60)
warm.send(), warm.send(stream=True)
before = peak_mb()
for name in sys.argv[3:]:
    stream = name.startswith("stream")
    row = Sender(url + "/" + name, most_bytes=most, timeout_s=60).send(stream=stream)
    print(name, row.outcome, round(peak_mb() - before), flush=True)
"""


def endless(head: bytes, piece: bytes) -> Iterator[bytes]:
    yield head
    for _ in range(REPLY_MB * 1_000_000 // len(piece)):
        yield piece


def packed(coding: str, body: bytes, kind: str = "application/json") -> Iterator[bytes]:
    yield (
        f"HTTP/1.1 200 OK\r\ncontent-type: {kind}\r\ncontent-encoding: {coding}\r\n"
        f"content-length: {len(body)}\r\n\r\n"
    ).encode() + body


def bomb() -> bytes:
    """0.8 MB of gzip that unpacks to 800 MB, in many members, as servers may append them."""
    return gzip.compress(b" " * 10_000_000, 6) * 80


def one_chunk(piece: bytes) -> bytes:
    return b"%x\r\n%s\r\n" % (len(piece), piece)


EVENT = b'data: {"choices": [{"index": 0, "delta": {"content": "xxxx"}}]}\n\n'
SENT: dict[str, Callable[[], Iterator[bytes]]] = {
    "plain-length": lambda: endless(
        JSON_HEAD + b"content-length: %d\r\n\r\n" % (REPLY_MB * 1_000_000), MEGABYTE
    ),
    "plain-until-close": lambda: endless(JSON_HEAD + b"\r\n", MEGABYTE),
    "stream-one-line": lambda: endless(STREAM_HEAD, one_chunk(b"data: {" + MEGABYTE)),
    "stream-one-event": lambda: endless(STREAM_HEAD, one_chunk(b"data: x\n" * 60_000)),
    "stream-tokens": lambda: endless(STREAM_HEAD, one_chunk(EVENT * 8_000)),
    "stream-comments": lambda: endless(STREAM_HEAD, one_chunk(b": wait\n\n" * 60_000)),
    "stream-page": lambda: endless(STREAM_HEAD, one_chunk(b"<html>" + MEGABYTE)),
    "plain-gzip": lambda: packed("gzip", bomb()),
    "plain-gzip-twice": lambda: packed("gzip, gzip", gzip.compress(bomb())),
    "stream-gzip": lambda: packed("gzip", bomb(), "text/event-stream"),
    "plain-headers": lambda: endless(b"HTTP/1.1 200 OK\r\n", b"x-filler: " + MEGABYTE + b"\r\n"),
    "plain-one-header": lambda: endless(b"HTTP/1.1 200 OK\r\nx-filler: ", MEGABYTE),
    "plain-interim": lambda: endless(b"", b"HTTP/1.1 103 Early\r\nlink: x\r\n\r\n" * 1000),
    "plain-trailers": lambda: endless(
        JSON_HEAD + b"transfer-encoding: chunked\r\n\r\n0\r\n", b"x-filler: " + MEGABYTE + b"\r\n"
    ),
}


def script(talk: Conversation) -> None:
    while True:
        path_asked = talk.request()
        name = path_asked.line.split("/")[2]
        if name == "warm":
            kind = b"text/event-stream" if path_asked.json.get("stream") else b"application/json"
            body = json.dumps(completion()).encode()
            body = b"data: " + body + b"\n\n" if b"event" in kind else body
            head = b"HTTP/1.1 200 OK\r\ncontent-type: %s\r\ncontent-length: %d\r\n\r\n"
            talk.send(head % (kind, len(body)) + body)
        else:
            talk.send(*SENT[name]())
            return


def test_memory_is_bounded_whatever_comes(serve: Serve) -> None:
    """600 MB in every way that HTTP and an event stream allow, to a client that may take 8."""
    from gevent.subprocess import run

    server = serve(script)
    command = [sys.executable, "-c", CHILD, server.base_url, str(LIMIT_MB), *SENT]
    ran = run(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, timeout=120)
    lines = [line.split() for line in ran.stdout.decode().splitlines()]
    assert [line[0] for line in lines] == list(SENT), ran.stderr.decode()[-2000:]
    assert {(name, outcome) for name, outcome, _ in lines} == {
        (name, "reply_too_large") for name in SENT
    }
    assert max(int(peak_mb) for _, _, peak_mb in lines) < BEARABLE_MB, lines


@pytest.mark.parametrize("status", ["200 OK", "500 No", "429 No"])
def test_a_body_one_byte_over_the_limit_is_too_large_and_keeps_its_status(
    serve: Serve, status: str
) -> None:
    whole = json.dumps(completion()).encode()

    def answer(talk: Conversation) -> None:
        while True:
            talk.request()
            body = whole + b" " * (100_000 - len(whole))
            head = f"HTTP/1.1 {status}\r\ncontent-length: {len(body)}\r\n\r\n".encode()
            talk.send(head + body)
            length = len(head) + len(body)
            assert length < 100_200

    named = {"200 OK": "reply_too_large", "500 No": "server_error", "429 No": "rate_limited"}
    server = serve(answer)
    assert Sender(server.base_url, most_bytes=90_000).send().outcome == named[status]
    roomy = Sender(server.base_url, most_bytes=101_000)
    assert roomy.send().outcome == ("ok" if status == "200 OK" else named[status])


def test_a_compressed_reply_counts_by_its_unpacked_size(serve: Serve) -> None:
    body = gzip.compress(json.dumps(completion("x" * 200_000)).encode())

    def answer(talk: Conversation) -> None:
        talk.request()
        talk.send(*packed("gzip", body))

    assert Sender(serve(answer).base_url, most_bytes=100_000).send().outcome == "reply_too_large"
    assert Sender(serve(answer).base_url, most_bytes=300_000).send().outcome == "ok"


def test_json_with_too_many_small_values_is_not_parsed(serve: Serve) -> None:
    """A list of empty lists takes 28 times its bytes once it is parsed."""
    body = b"[" + b"[]," * 2_500_000 + b"1]"

    def answer(talk: Conversation) -> None:
        talk.request()
        talk.send(JSON_HEAD + b"content-length: %d\r\n\r\n" % len(body), body)

    row = Sender(serve(answer).base_url).send()
    assert row.outcome == "malformed" and "values" in (row.error_message or "")


@pytest.mark.parametrize("size", [1, 100, 65_536])
@pytest.mark.parametrize(
    "coding", ["gzip", "deflate", "raw deflate", "br", "gzip, gzip", "identity"]
)
def test_every_content_coding_is_unpacked_in_pieces_of_any_size(
    serve: Serve, coding: str, size: int
) -> None:
    import zlib

    import brotli

    whole = json.dumps(completion("é" * 500)).encode()
    raw = zlib.compressobj(wbits=-15)
    body = {
        "gzip": gzip.compress(whole[:100]) + gzip.compress(whole[100:]),
        "deflate": zlib.compress(whole),
        "raw deflate": raw.compress(whole) + raw.flush(),
        "br": brotli.compress(whole),
        "gzip, gzip": gzip.compress(gzip.compress(whole)),
        "identity": whole,
    }[coding]

    def answer(talk: Conversation) -> None:
        talk.request()
        head = JSON_HEAD + b"content-encoding: %s\r\ntransfer-encoding: chunked\r\n\r\n"
        pieces = [body[at : at + size] for at in range(0, len(body), size)]
        talk.send(head % coding.removeprefix("raw ").encode(), *chunked(*pieces))

    row = Sender(serve(answer).base_url).send()
    assert (row.outcome, row.content) == ("ok", "é" * 500)
