"""What can be seen of a socket without waiting: whether its other end has gone, or has spoken."""

import ssl
from socket import MSG_PEEK
from typing import Any


def hung_up(connection: Any) -> bool:
    """Whether the gateway has hung up on a kept connection, or spoken out of turn."""
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
