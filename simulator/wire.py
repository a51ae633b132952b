"""One HTTP exchange on the server's side, with the time of every byte.

The only module that reaches behind ASGI, for what ASGI does not offer: resetting a connection, and
cheaply noticing between two chunks that the client has gone. Both use the `RequestResponseCycle` of
uvicorn's httptools protocol; ASGI's `send` is one of its bound methods.
"""

import asyncio
import contextlib
import socket
import struct
import time
from collections.abc import Awaitable, Callable, MutableMapping
from typing import Any

from simulator.http_protocol import ARRIVAL

Scope = MutableMapping[str, Any]
Receive = Callable[[], Awaitable[MutableMapping[str, Any]]]
Send = Callable[[MutableMapping[str, Any]], Awaitable[None]]
Headers = list[tuple[bytes, bytes]]

JSON: tuple[bytes, bytes] = (b"content-type", b"application/json")

MAX_BODY_BYTES = 64 * 1024 * 1024


class ClientGone(Exception):
    """Raised when the client closed the connection before the reply was complete."""


class BodyTooLarge(Exception):
    """Raised when a request body exceeds MAX_BODY_BYTES."""


class Exchange:
    """The request's bytes in, the reply's bytes out; times are unix seconds, None until known."""

    def __init__(self, scope: Scope, receive: Receive, send: Send) -> None:
        self.arrival_s: float = scope.get(ARRIVAL) or time.time()
        self.started = time.monotonic()
        self.first_byte_s: float | None = None
        self.last_byte_s: float | None = None
        self.status: int | None = None
        self.scope = scope
        self._receive = receive
        self._send = send
        self._cycle: Any = getattr(send, "__self__", None)

    async def body(self) -> bytes:
        """The whole request body. Raises ClientGone or BodyTooLarge."""
        parts: list[bytes] = []
        size = 0
        while True:
            message = await self._receive()
            if message["type"] == "http.disconnect":
                raise ClientGone
            parts.append(message["body"])
            size += len(message["body"])
            if size > MAX_BODY_BYTES:
                raise BodyTooLarge
            if not message["more_body"]:
                return parts[0] if len(parts) == 1 else b"".join(parts)

    def header(self, name: bytes) -> str | None:
        """The first request header with that (lower-case) name."""
        for key, value in self.scope["headers"]:
            if key == name:
                return str(value, "latin-1")
        return None

    @property
    def connection(self) -> str:
        """The client's end of the connection, `host:port`, which identifies the connection."""
        client = self.scope.get("client")
        return f"{client[0]}:{client[1]}" if client else ""

    async def reply(self, status: int, headers: Headers, body: bytes) -> None:
        """Sends a whole reply at once. Raises ClientGone."""
        length = (b"content-length", str(len(body)).encode())
        await self.start(status, [*headers, length])
        await self.write(body, more=False)

    async def start(self, status: int, headers: Headers) -> None:
        """Sends status line and headers. Raises ClientGone."""
        self._check()
        await self._send({"type": "http.response.start", "status": status, "headers": headers})
        self.status = status
        self.first_byte_s = time.time()

    async def write(self, body: bytes, more: bool = True) -> float:
        """Sends a part of the reply's body; returns when it was sent. Raises ClientGone."""
        self._check()
        await self._send({"type": "http.response.body", "body": body, "more_body": more})
        self.last_byte_s = now = time.time()
        return now

    async def until(self, elapsed_s: float) -> None:
        """Waits until `elapsed_s` after the arrival. Raises ClientGone as soon as it happens."""
        due = self.started + elapsed_s
        # The loop's timers count milliseconds and may be early by one, hence the repetition.
        while (wait_s := due - time.monotonic()) > 0:
            if wait_s < 0.1:
                # Listening for a disconnect costs more than a sleep; the next write checks anyway.
                await asyncio.sleep(wait_s)
                continue
            with contextlib.suppress(TimeoutError):
                async with asyncio.timeout(wait_s):
                    await self.until_gone()

    async def until_gone(self) -> None:
        """Waits for the client to go away. Always ends by raising ClientGone."""
        while (await self._receive())["type"] != "http.disconnect":
            pass
        raise ClientGone

    async def reset(self) -> None:
        """Breaks the connection off with a TCP RST."""
        transport = self._cycle.transport
        sock = transport.get_extra_info("socket")
        sock.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        transport.abort()
        await self._lost()

    async def close(self) -> None:
        """Ends the connection in the middle of a reply (FIN), once what was written is out."""
        self._cycle.transport.close()
        await self._lost()

    async def _lost(self) -> None:
        # If we returned before uvicorn knew that the connection is gone, it would log an error.
        with contextlib.suppress(ClientGone):
            await self.until_gone()

    def _check(self) -> None:
        if self._cycle.disconnected:
            raise ClientGone
