"""A gateway in front of upstreams whose way with failures is known: an oracle for failover.

It keeps what it did itself: which request it sent to which upstream, and what came of it.
"""

import json
import threading
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from http.client import HTTPConnection, HTTPException, HTTPResponse
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from urllib.parse import urlsplit

_KEPT = ("content-type", "retry-after")


@dataclass
class Behaviour:
    """`tries` upstreams are asked one after another, in their order, until one answers.

    `repeats`: a stream that is cut is begun again by the next one, and the client gets both;
    `twice`: a plain request goes to the first two, whatever the first says; `waits_on`: a 429 keeps
    its Retry-After; `timeout_s`: how long an upstream may take to begin.
    """

    tries: int = 1
    repeats: bool = False
    twice: bool = False
    waits_on: bool = True
    timeout_s: float = 30.0
    calls: list[tuple[str, int, str]] = field(default_factory=list)  # task, upstream, what came


class Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    behaviour: Behaviour
    upstreams: list[str]

    def log_message(self, *_: object) -> None: ...

    def do_GET(self) -> None:
        answer = self.ask(0, b"")
        self.plain(answer.status, answer, answer.read())

    def do_POST(self) -> None:
        body = self.rfile.read(int(self.headers.get("content-length", 0)))
        told = json.loads(body)
        self.task, way = str(told.get("task_id")), self.behaviour
        begun = False
        for number in range(way.tries):
            upstream = number % len(self.upstreams)
            last = number == way.tries - 1
            try:
                answer = self.ask(upstream, body)
            except (OSError, HTTPException) as error:
                self.note(upstream, type(error).__name__)
                if last:
                    return self.fail(502)
                continue
            if answer.status in (429, 500, 502, 503) and not last:
                answer.read()
                self.note(upstream, str(answer.status))
                continue
            if not told.get("stream") or answer.status != 200:
                data = answer.read()
                self.note(upstream, str(answer.status))
                if way.twice:
                    self.ask(1, body).read()
                    self.note(1, "200")
                return self.plain(answer.status, answer, data)
            whole = self.relay(answer, begun)
            begun = True
            self.note(upstream, "200" if whole else "cut")
            if whole or not way.repeats or last:
                if whole:
                    with suppress(OSError):
                        self.wfile.write(b"0\r\n\r\n")
                self.close_connection = not whole
                return None
        return None

    def ask(self, upstream: int, body: bytes) -> HTTPResponse:
        parts = urlsplit(self.upstreams[upstream])
        there = HTTPConnection(parts.hostname or "", parts.port, timeout=self.behaviour.timeout_s)
        given = {"authorization": self.headers.get("authorization", ""),
                 "content-type": "application/json"}  # fmt: skip
        there.request(self.command, self.path, body or None, given)
        return there.getresponse()

    def relay(self, answer: HTTPResponse, begun: bool) -> bool:
        """Pass a stream on; whether it came to its end."""
        if not begun:
            self.send_response(200)
            self.send_header("content-type", "text/event-stream")
            self.send_header("transfer-encoding", "chunked")
            self.end_headers()
        seen = b""
        with suppress(OSError, HTTPException):
            while part := answer.read1(65536):
                seen += part
                self.wfile.write(b"%x\r\n%b\r\n" % (len(part), part))
        return b"[DONE]" in seen

    def plain(self, status: int, answer: HTTPResponse, data: bytes) -> None:
        self.send_response(status)
        for name in _KEPT:
            value = answer.getheader(name)
            if value and (name != "retry-after" or self.behaviour.waits_on):
                self.send_header(name, value)
        self.send_header("content-length", str(len(data)))
        self.end_headers()
        self.wfile.write(data)

    def fail(self, status: int) -> None:
        data = b'{"error": {"message": "no upstream", "type": "server_error"}}'
        self.send_response(status)
        self.send_header("content-type", "application/json")
        self.send_header("content-length", str(len(data)))
        self.end_headers()
        self.wfile.write(data)

    def note(self, upstream: int, what: str) -> None:
        self.behaviour.calls.append((self.task, upstream, what))


@contextmanager
def gateway(behaviour: Behaviour, *upstreams: str) -> Iterator[str]:
    """Serve it in front of these roots; its own root URL."""
    handler = type("Served", (Handler,), {"behaviour": behaviour, "upstreams": [*upstreams]})
    server = ThreadingHTTPServer(("127.0.0.1", 0), handler)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    try:
        yield f"http://127.0.0.1:{server.server_address[1]}"
    finally:
        server.shutdown()
        server.server_close()
