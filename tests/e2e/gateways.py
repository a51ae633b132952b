"""Gateways in a thread of the test, for runs in separate processes: a function answers."""

import json
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any


@dataclass
class Asked:
    """One request: its method and path, and its body if it has one."""

    method: str
    path: str
    headers: dict[str, str]
    body: dict[str, Any] = field(default_factory=dict)


@dataclass
class Scripted:
    """A running gateway, and the requests that it got."""

    root: str
    asked: list[Asked] = field(default_factory=list)

    @property
    def url(self) -> str:
        return f"{self.root}/v1"

    @property
    def posts(self) -> list[Asked]:
        return [request for request in self.asked if request.method == "POST"]


@dataclass
class Raw:
    """A body that is not JSON."""

    content: bytes
    kind: str


Answer = Callable[[Asked], tuple[int, Any] | tuple[int, Any, dict[str, str]]]


@contextmanager
def serving(answer: Answer) -> Iterator[Scripted]:
    """Runs a gateway that answers each request with (status, JSON or Raw), perhaps with headers."""
    gateway = Scripted("")

    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"
        disable_nagle_algorithm = True

        def _serve(self) -> None:
            length = int(self.headers.get("content-length", 0))
            body = json.loads(self.rfile.read(length)) if length else {}
            headers = {name.lower(): value for name, value in self.headers.items()}
            request = Asked(self.command, self.path, headers, body)
            gateway.asked.append(request)
            status, content, *more = answer(request)
            raw = content if isinstance(content, Raw) else None
            written = raw.content if raw else json.dumps(content).encode()
            self.send_response(status)
            self.send_header("content-type", raw.kind if raw else "application/json")
            self.send_header("content-length", str(len(written)))
            for name, value in (more[0] if more else {}).items():
                self.send_header(name, value)
            self.end_headers()
            self.wfile.write(written)

        do_GET = do_POST = _serve

        def log_message(self, *_: Any) -> None:
            pass

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    server.daemon_threads = True
    threading.Thread(target=server.serve_forever, daemon=True).start()
    gateway.root = f"http://127.0.0.1:{server.server_port}"
    try:
        yield gateway
    finally:
        server.shutdown()
        server.server_close()


def refusal(message: str, kind: str | None = None, code: str | None = None) -> dict[str, Any]:
    """An error body in OpenAI's format."""
    return {"error": {"message": message, "type": kind, "param": None, "code": code}}
