"""The wire under gevent, as in production, without patching the whole test process.

Under Locust the standard library is monkey-patched before anything else is imported; that is how
`socket` in tasks/wire.py becomes gevent's. Pytest's process is shared with tests that run asyncio
and real threads, so here the wire alone is given gevent's sockets. Servers are greenlets of the
same hub. (tests/e2e runs the patched whole.)
"""

import shutil
import socket
import ssl
import subprocess
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import gevent
import gevent.socket
import gevent.ssl
import pytest

import tasks.route
import tasks.wire
from tests.tasks.scripted_server import Conversation, ScriptedServer, answer, completion, json_reply

__all__ = [
    "_bounded", "_gevent_sockets", "_no_proxies", "certificate", "closed_port", "deaf_port",
    "serve", "tls_server",
]  # fmt: skip
"""The fixtures, for other packages' conftest.py."""

Script = Callable[[Conversation], None]
LONGEST_S = 120.0


@pytest.fixture(autouse=True)
def _gevent_sockets(monkeypatch: pytest.MonkeyPatch) -> None:
    for module in (tasks.wire, tasks.route):
        monkeypatch.setattr(module, "socket", gevent.socket)


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


@pytest.fixture
def closed_port() -> Iterator[int]:
    """A port on which nobody listens."""
    with socket.socket() as held:
        held.bind(("127.0.0.1", 0))
        port: int = held.getsockname()[1]
        yield port  # bound to the end, so that no other test's server takes it


@pytest.fixture
def deaf_port() -> Iterator[int]:
    """A listening port whose queue is full: the handshake is never answered."""
    with socket.socket() as deaf:
        deaf.bind(("127.0.0.1", 0))
        deaf.listen(0)
        fillers = [socket.socket() for _ in range(4)]
        for filler in fillers:
            filler.setblocking(False)
            filler.connect_ex(deaf.getsockname())
        yield deaf.getsockname()[1]
        for filler in fillers:
            filler.close()


@pytest.fixture(scope="session")
def certificate(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A self-signed certificate of localhost, with its key, in one file."""
    if shutil.which("openssl") is None:
        pytest.skip("the openssl command is missing: no certificate can be made")
    path = tmp_path_factory.mktemp("tls") / "localhost.pem"
    subprocess.run(
        ["openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256",
         "-nodes", "-days", "2", "-subj", "/CN=localhost",
         "-addext", "subjectAltName=DNS:localhost", "-keyout", str(path), "-out", f"{path}.crt"],
        check=True, capture_output=True, timeout=30,
    )  # fmt: skip
    path.write_text(path.read_text() + Path(f"{path}.crt").read_text())
    return path


@pytest.fixture
def tls_server(serve: Callable[..., ScriptedServer], certificate: Path) -> Any:
    context = gevent.ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(certificate)
    return serve(answer(json_reply(completion())), tls=context)
