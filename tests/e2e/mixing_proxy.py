"""Relays that forward some of their requests to another port: a share, or all after a while."""

import http.client
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from random import Random
from urllib.parse import urlsplit


@contextmanager
def mixing(url: str, other: str, share: float, seed: int = 1) -> Iterator[str]:
    """The relay's base URL; `share` of the POSTs go to `other`, drawn by a seed of its own."""
    dice, lock = Random(seed), threading.Lock()

    def elsewhere() -> bool:
        with lock:
            return dice.random() < share

    with relaying(url, other, elsewhere) as relay:
        yield relay


class Turn:
    """True once it was asked more than `after` times, by whichever relay."""

    def __init__(self, after: int) -> None:
        self._left, self._lock = after, threading.Lock()

    def __call__(self) -> bool:
        with self._lock:
            self._left -= 1
            return self._left < 0


@contextmanager
def relaying(url: str, other: str, elsewhere: Callable[[], bool]) -> Iterator[str]:
    """The relay's base URL; a POST goes to `other` where `elsewhere()`, else to `url`."""

    class Relay(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def do_POST(self) -> None:
            chosen = urlsplit(other if elsewhere() else url)
            body = self.rfile.read(int(self.headers.get("Content-Length") or 0))
            upstream = http.client.HTTPConnection(chosen.netloc, timeout=30)
            passed_headers = {k: v for k, v in self.headers.items() if k.lower() != "host"}
            upstream.request(self.command, self.path, body, passed_headers)
            answer = upstream.getresponse()
            text = answer.read()
            self.send_response(answer.status)
            for name, value in answer.getheaders():
                if name.lower() not in ("content-length", "transfer-encoding", "connection"):
                    self.send_header(name, value)
            self.send_header("Content-Length", str(len(text)))
            self.end_headers()
            self.wfile.write(text)
            upstream.close()

        do_GET = do_POST

        def log_message(self, *_: object) -> None:
            pass

    server = ThreadingHTTPServer(("127.0.0.1", 0), Relay)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    try:
        yield f"http://127.0.0.1:{server.server_port}{urlsplit(url).path}"
    finally:
        server.shutdown()
