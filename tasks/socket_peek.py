"""Inspects a socket without waiting: whether the other end has closed it or has sent data."""

import ssl
from socket import MSG_PEEK
from typing import Any


def hung_up(connection: Any) -> bool:
    """Whether the gateway has closed a kept connection, or sent unexpected data."""
    try:
        connection.settimeout(0)
        connection.recv(1, MSG_PEEK)
    except (BlockingIOError, ssl.SSLWantReadError):
        return False
    except ValueError:  # a TLS socket takes no flags: read, which must find nothing
        try:
            connection.recv(1)
        except (BlockingIOError, ssl.SSLWantReadError, TimeoutError):
            return False
        except OSError:
            pass
    except OSError:
        pass
    return True


def has_spoken(connection: Any) -> bool:
    """Whether there is something to read (with TLS nobody can tell)."""
    try:
        connection.settimeout(0)
        return bool(connection.recv(1, MSG_PEEK))
    except (OSError, ValueError):
        return False
