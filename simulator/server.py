"""Serves the gateway: sockets, uvicorn, and a clean end."""

import asyncio
import contextlib
import gc
import logging
import os
import signal
import socket
import ssl
import threading
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

import uvicorn
import uvloop

from simulator.gateway import Gateway, Ports
from simulator.http_protocol import StampedProtocol
from simulator.outages import BACKLOG, Listener, Outages

_KEEP_ALIVE_S = 120  # longer than any client's pool keeps a connection, so none is reset


class Server(uvicorn.Server):
    """A uvicorn server that announces when it listens and stops at once when asked to."""

    def __init__(
        self, config: uvicorn.Config, urls: Sequence[str], outages: Outages | None = None
    ) -> None:
        super().__init__(config)
        self._urls = urls
        self._outages = outages
        self._end = asyncio.Event()

    @contextlib.contextmanager
    def capture_signals(self) -> Iterator[None]:
        """Leaves signals alone: `main_loop` has its own handlers."""
        yield

    async def main_loop(self) -> None:
        """Announces the address and serves until `stop`."""
        loop = asyncio.get_running_loop()
        for number in (signal.SIGINT, signal.SIGTERM):
            loop.add_signal_handler(number, self.stop)
        await self.on_tick(0)
        print("\n".join(f"simulator ready {url}" for url in self._urls), flush=True)
        outages = None
        if self._outages is not None:
            servers: list[Any] = self.servers
            running = self._outages.run(servers, self._serve_again, self._reset)
            outages = asyncio.create_task(running)
        tick = 0
        while not self._end.is_set():
            with contextlib.suppress(TimeoutError):
                await asyncio.wait_for(self._end.wait(), 1.0)
            tick += 10  # uvicorn renews its Date header on every tenth tick
            await self.on_tick(tick)
        if outages is not None:
            outages.cancel()

    async def _serve_again(self, sock: socket.socket) -> Listener:
        """Serves one more socket, as `startup` does."""

        def protocol() -> Any:
            return self.config.http_protocol_class(  # type: ignore[call-arg]
                config=self.config, server_state=self.server_state, app_state=self.lifespan.state
            )

        loop, ssl_context = asyncio.get_running_loop(), self.config.ssl
        return await loop.create_server(protocol, sock=sock, ssl=ssl_context, backlog=BACKLOG)

    def _reset(self, port: int) -> None:
        """Breaks off the connections of a port."""
        for connection in list(self.server_state.connections):
            address = getattr(connection, "server", None)
            if address is not None and address[1] == port:
                connection.transport.abort()

    def stop(self) -> None:
        """Stops now; requests in flight are cut off and logged as `stopped`."""
        self.force_exit = True
        self._end.set()

    async def shutdown(self, sockets: list[socket.socket] | None = None) -> None:
        """Closes the listeners, then ends the requests in flight."""
        for server in self.servers:
            server.close()
        # From here on unfinished replies are intended: uvicorn need not complain about them.
        logging.getLogger("uvicorn.error").disabled = True
        tasks = list(self.server_state.tasks)
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
        for connection in list(self.server_state.connections):
            connection.transport.abort()


def serve(
    gateways: Sequence[Gateway],
    sockets: Sequence[socket.socket],
    exit_with_parent: bool = False,
    certificate: Path | None = None,
    private_key: Path | None = None,
    client_ca: Path | None = None,
) -> None:
    """Serves a gateway on each socket until SIGTERM, SIGINT or, if asked, the end of stdin."""
    scheme = "http" if certificate is None else "https"
    ports, urls = {}, []
    for gateway, sock in zip(gateways, sockets, strict=True):
        host, port = sock.getsockname()[:2]
        ports[port] = gateway
        name = f"[{host}]" if ":" in host else host
        urls.append(f"{scheme}://{name}:{port}{gateway.dialect.base_path}")
    config = uvicorn.Config(
        gateways[0] if len(gateways) == 1 else Ports(ports),
        http=StampedProtocol,
        loop="uvloop",
        ws="none",
        lifespan="off",
        interface="asgi3",
        proxy_headers=False,
        server_header=False,
        access_log=False,
        log_config=None,
        backlog=BACKLOG,
        timeout_keep_alive=_KEEP_ALIVE_S,
        ssl_certfile=certificate,
        ssl_keyfile=private_key,
        ssl_ca_certs=None if client_ca is None else str(client_ca),
        ssl_cert_reqs=ssl.CERT_NONE if client_ca is None else ssl.CERT_REQUIRED,
    )

    async def run() -> None:
        schedule = gateways[0].settings.schedule
        ledger = gateways[0].ledger
        outages = Outages(schedule, ledger, sockets) if schedule.windows else None
        server = Server(config, urls, outages)
        if exit_with_parent:
            _watch_stdin(server, asyncio.get_running_loop())
        await server.serve(sockets=[*sockets])

    # What is loaded by now lives as long as the process: the collector need not scan it.
    gc.freeze()
    gc.set_threshold(50_000, 20, 100)
    with asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:
        runner.run(run())


def _watch_stdin(server: Server, loop: asyncio.AbstractEventLoop) -> None:
    """Stops the server when stdin ends, that is, when the parent process has gone."""

    def read() -> None:
        with contextlib.suppress(OSError):
            while os.read(0, 4096):
                pass
        with contextlib.suppress(RuntimeError):  # the loop has ended already
            loop.call_soon_threadsafe(server.stop)

    threading.Thread(target=read, daemon=True, name="stdin").start()
