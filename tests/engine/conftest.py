"""Scripted servers for the tests of this package, as tests/tasks has them."""

from tests.tasks.conftest import (
    _bounded,
    _gevent_sockets,
    _no_proxies,
    certificate,
    closed_port,
    deaf_port,
    serve,
    tls_server,
)

__all__ = [
    "_bounded", "_gevent_sockets", "_no_proxies", "certificate", "closed_port", "deaf_port",
    "serve", "tls_server",
]  # fmt: skip
