"""The wire under gevent, as in production, without patching the whole test process.

Under Locust the standard library is monkey-patched before anything else is imported; that is how
`socket` in tasks/wire.py becomes gevent's. Pytest's process is shared with tests that run asyncio
and real threads, so here the wire alone is given gevent's sockets. Servers are greenlets of the
same hub. (tests/e2e runs the patched whole.)
"""

from collections.abc import Callable, Iterator

import gevent
import gevent.socket
import pytest

import tasks.wire
from tests.tasks.scripted_server import Conversation, ScriptedServer

Script = Callable[[Conversation], None]
LONGEST_S = 30.0


@pytest.fixture(autouse=True)
def _gevent_sockets(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(tasks.wire, "socket", gevent.socket)


@pytest.fixture(autouse=True)
def _bounded() -> Iterator[None]:
    with gevent.Timeout(LONGEST_S):
        yield


@pytest.fixture(autouse=True)
def _no_proxies(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("http_proxy", "https_proxy", "all_proxy", "no_proxy"):
        monkeypatch.delenv(name, raising=False)
        monkeypatch.delenv(name.upper(), raising=False)


@pytest.fixture
def serve() -> Iterator[Callable[..., ScriptedServer]]:
    """Starts scripted servers; they end with the test."""
    servers: list[ScriptedServer] = []

    def start(script: Script, **how: object) -> ScriptedServer:
        servers.append(ScriptedServer(script, **how))  # type: ignore[arg-type]
        return servers[-1]

    yield start
    for server in servers:
        server.stop()
