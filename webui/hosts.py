"""The names under which a browser may use this server, against DNS rebinding. Pure.

A site can point its own name at this machine; its pages then have the same origin as ours and could
start runs that cost money. Such a request has that name in its Host header.
"""

import socket
from collections.abc import Collection
from ipaddress import ip_address


def own_names(bound: str, advertised: str) -> frozenset[str]:
    """The names of this server: its bind address, this machine's names, and configured ones."""
    names = [bound, *advertised.split(","), socket.gethostname(), socket.getfqdn()]
    return frozenset(_plain(name) for name in names if name.strip())


def is_ours(host: str, names: Collection[str]) -> bool:
    """Whether a Host header names this server: by an IP address (which no site can claim), as
    localhost, or by one of the names."""
    name = _plain(host)
    if name in names or name == "localhost" or name.endswith(".localhost"):
        return True
    try:
        ip_address(name)
    except ValueError:
        return False
    return True


def _plain(host: str) -> str:
    """The name in a Host header, without port, brackets and final dot, in lower case."""
    text = host.strip().lower()
    if text.startswith("["):
        return text[1:].partition("]")[0]
    if text.count(":") == 1:
        text = text.partition(":")[0]
    return text.rstrip(".")
