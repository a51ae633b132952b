"""A raw socket server that does exactly what a test's script says, byte by byte.

A script gets a Conversation for each connection: it reads requests and writes any bytes, HTTP or
not. The server keeps each request's bytes and time, and counts connections.
"""

import json
import socket as standard
import struct
import time
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import Any

import gevent
import pytest
from gevent.server import StreamServer

Serve = Callable[..., Any]  # the fixture of that name: starts a server for a script
BOTH = pytest.mark.parametrize("stream", [False, True], ids=["plain", "stream"])
TYPED = pytest.mark.parametrize("typed", [False, True], ids=["post", "typed"])


@dataclass
class Seen:
    """A request as it arrived."""

    line: str
    headers: dict[str, str]
    body: bytes
    at: float  # when its first byte arrived
    connection: int

    @property
    def json(self) -> Any:
        return json.loads(self.body)


class Hangup(Exception):
    """The client closed the connection."""


class Conversation:
    """One connection, from the server's side."""

    def __init__(self, server: "ScriptedServer", socket: Any, number: int) -> None:
        self.number = number
        self.socket = socket
        self._server = server
        self._held = b""

    def request(self) -> Seen:
        """Read one whole request. Raises Hangup when the client has gone."""
        at = time.perf_counter()
        if not self._held:
            self._held = self._more()
            at = time.perf_counter()
        while b"\r\n\r\n" not in self._held:
            self._held += self._more()
        head, _, rest = self._held.partition(b"\r\n\r\n")
        line, *fields = head.decode("latin-1").split("\r\n")
        headers = {k.lower(): v for k, _, v in (field.partition(": ") for field in fields)}
        length = int(headers.get("content-length", "0"))
        while len(rest) < length:
            rest += self._more()
        self._held = rest[length:]
        received = Seen(line, headers, rest[:length], at, self.number)
        self._server.requests.append(received)
        return received

    def _more(self) -> bytes:
        data: bytes = self.socket.recv(65536)
        if not data:
            raise Hangup
        return data

    def send(self, *pieces: bytes, pause_s: float = 0.0) -> None:
        """Write bytes; with a pause between pieces, each is a segment of its own."""
        for number, piece in enumerate(pieces):
            if number and pause_s:
                gevent.sleep(pause_s)
            self.socket.sendall(piece)

    def reset(self) -> None:
        """Close with RST, as a crashed gateway does."""
        self.socket.setsockopt(standard.SOL_SOCKET, standard.SO_LINGER, struct.pack("ii", 1, 0))
        self.socket.close()


class ScriptedServer:
    """Runs `script` for every connection until it returns; then the connection is closed."""

    def __init__(
        self,
        script: Callable[[Conversation], None],
        *,
        host: str = "127.0.0.1",
        tls: Any = None,
    ) -> None:
        self.requests: list[Seen] = []
        self.connections = 0
        self._script = script
        self._scheme = "https" if tls else "http"
        more = {"ssl_context": tls} if tls else {}
        self._server = StreamServer((host, 0), self._serve, backlog=1024, **more)
        self._server.start()

    @property
    def port(self) -> int:
        port: int = self._server.server_port
        return port

    @property
    def base_url(self) -> str:
        host = self._server.server_host
        return f"{self._scheme}://{f'[{host}]' if ':' in host else host}:{self.port}/v1"

    def stop(self) -> None:
        self._server.stop(timeout=0)

    def _serve(self, socket: Any, address: Any) -> None:
        self.connections += 1
        conversation = Conversation(self, socket, self.connections)
        try:
            socket.setsockopt(standard.IPPROTO_TCP, standard.TCP_NODELAY, 1)
            self._script(conversation)
        except (Hangup, OSError):
            pass
        finally:
            socket.close()


def http(status: str, body: bytes = b"", *headers: str, length: bool = True) -> bytes:
    """A response with its content-length (unless told otherwise)."""
    lines = [f"HTTP/1.1 {status}", *headers]
    if length:
        lines.append(f"content-length: {len(body)}")
    return "\r\n".join(lines).encode() + b"\r\n\r\n" + body


def json_reply(content: Any, *headers: str, status: str = "200 OK") -> bytes:
    """A JSON response."""
    return http(status, json.dumps(content).encode(), "content-type: application/json", *headers)


def completion(content: str | None = "ok-0", **changes: Any) -> dict[str, Any]:
    """A chat completion with usage and cost."""
    return {
        "id": "c1",
        "object": "chat.completion",
        "created": 1,
        "model": "m-2026-01-31",
        "choices": [
            {
                "index": 0,
                "message": {"role": "assistant", "content": content},
                "finish_reason": "stop",
            }
        ],
        "usage": {"prompt_tokens": 5, "completion_tokens": 2, "total_tokens": 7, "cost": 0.25},
        **changes,
    }


def delta(finish: str | None = None, **delta: Any) -> dict[str, Any]:
    """A chunk of a streamed completion."""
    return {
        "id": "c1",
        "object": "chat.completion.chunk",
        "created": 1,
        "model": "m-2026-01-31",
        "choices": [{"index": 0, "delta": delta, "finish_reason": finish}],
        "usage": None,
    }


USAGE_CHUNK = {**delta(), "choices": [], "usage": completion()["usage"]}
WHOLE_STREAM = (
    delta(role="assistant", content=""),
    delta(content="ok"),
    delta(content="-0"),
    delta("stop"),
    USAGE_CHUNK,
)


def sse(events: Iterable[Any], *, done: bool = True) -> list[bytes]:
    """Server-sent events, each of JSON, and the final [DONE]."""
    lines = [b"data: " + json.dumps(event).encode() + b"\n\n" for event in events]
    return [*lines, b"data: [DONE]\n\n"] if done else lines


def chunked(*pieces: bytes, last: bool = True) -> list[bytes]:
    """The pieces in HTTP's chunked coding."""
    parts = [b"%x\r\n%s\r\n" % (len(piece), piece) for piece in pieces if piece]
    return [*parts, b"0\r\n\r\n"] if last else parts


STREAM_HEAD = (
    b"HTTP/1.1 200 OK\r\ncontent-type: text/event-stream\r\ntransfer-encoding: chunked\r\n\r\n"
)


def streaming(*events: Any, done: bool = True, last: bool = True) -> bytes:
    """A whole streamed response."""
    return STREAM_HEAD + b"".join(chunked(*sse(events, done=done), last=last))


def answer(response: bytes) -> Callable[[Conversation], None]:
    """A script that gives every request of a connection the same response."""

    def script(talk: Conversation) -> None:
        while True:
            talk.request()
            talk.send(response)

    return script


def answer_once(*pieces: bytes, pause_s: float = 0.0) -> Callable[[Conversation], None]:
    """A script that answers one request, then closes the connection."""

    def script(talk: Conversation) -> None:
        talk.request()
        talk.send(*pieces, pause_s=pause_s)

    return script
