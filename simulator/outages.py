"""Scheduled outages of a port: nobody listens, and connections are reset."""

import asyncio
import contextlib
import socket
from collections.abc import Awaitable, Callable, Sequence
from typing import Protocol

from simulator.ledger import Ledger
from simulator.schedule import DEAD, Schedule, Window

BACKLOG = 4096
_RETRY_S = 0.05  # a port may still be in use by a client's connection


class Listener(Protocol):
    """A listener on a port, uvloop's or asyncio's."""

    def close(self) -> None: ...


class Outages:
    """Runs the schedule's outages for a server with these sockets, in the order of its ports."""

    def __init__(
        self, schedule: Schedule, ledger: Ledger, sockets: Sequence[socket.socket]
    ) -> None:
        self._schedule = schedule
        self._ledger = ledger
        self._sockets = list(sockets)
        self._addresses = [sock.getsockname()[:2] for sock in sockets]

    async def run(
        self,
        listeners: list[Listener],
        serve: Callable[[socket.socket], Awaitable[Listener]],
        reset: Callable[[int], None],
    ) -> None:
        """Waits for the first request, records the windows, and runs the outages on time.

        `serve` turns a socket into a listener, `reset` breaks off the connections of a port.
        """
        await self._schedule.begun.wait()
        self._ledger.note_schedule(self._schedule.as_logged([port for _, port in self._addresses]))
        dead = [window for window in self._schedule.windows if window.fault == DEAD]
        await asyncio.gather(*(self._outage(outage, listeners, serve, reset) for outage in dead))

    async def _outage(
        self,
        window: Window,
        listeners: list[Listener],
        serve: Callable[[socket.socket], Awaitable[Listener]],
        reset: Callable[[int], None],
    ) -> None:
        place = window.port - 1
        host, port = self._addresses[place]
        await self._until(window.from_s)
        listeners[place].close()
        self._sockets[place].close()
        reset(port)
        await self._until(window.to_s)
        while True:
            with contextlib.suppress(OSError):
                self._sockets[place] = listen(host, port)
                break
            await asyncio.sleep(_RETRY_S)
        listeners[place] = await serve(self._sockets[place])

    async def _until(self, moment_s: float) -> None:
        """Waits for a moment of the schedule; an event loop's timer may be a millisecond early."""
        while (wait_s := self._schedule.wait_s(moment_s)) > 0:
            await asyncio.sleep(wait_s)


def listen(host: str, port: int) -> socket.socket:
    """A listening socket; port 0 takes a free one. Raises OSError."""
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    sock = socket.socket(family, socket.SOCK_STREAM)
    try:
        sock.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        sock.bind((host, port))
        sock.listen(BACKLOG)
    except OSError:
        sock.close()
        raise
    sock.setblocking(False)
    return sock
