"""Which names a browser may call this server by: a page of another site must not get in by DNS.

A site can point its own name at this machine (DNS rebinding); its pages then count as ours, and
could start runs that cost money. Such a request carries that name in its Host header. Pure.
"""

import socket
from collections.abc import Collection
from ipaddress import ip_address


def own_names(bound: str, told: str) -> frozenset[str]:
    """The names of this server: where it is bound, this machine's, and those it was told."""
    given = [bound, *told.split(","), socket.gethostname(), socket.getfqdn()]
    return frozenset(_plain(name) for name in given if name.strip())


def is_ours(host: str, names: Collection[str]) -> bool:
    """Whether a Host header names this server: by an address (which no site can call its own), as
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
    """The name of a Host header: without its port, brackets and final dot, in lower case."""
    text = host.strip().lower()
    if text.startswith("["):
        return text[1:].partition("]")[0]
    if text.count(":") == 1:
        text = text.partition(":")[0]
    return text.rstrip(".")
