"""Where the bytes go: host, port, TLS and proxy of one base URL."""

import base64
import socket
import ssl
from dataclasses import dataclass
from urllib.parse import unquote, urlsplit
from urllib.request import getproxies, proxy_bypass

import certifi

from recording.outcome import Outcome


@dataclass(frozen=True, slots=True)
class Proxy:
    """An HTTP proxy; `authorization` is the whole Proxy-Authorization value, or None."""

    host: str
    port: int
    authorization: bytes | None


@dataclass(frozen=True, slots=True)
class Route:
    """How to reach the gateway. One TLS context serves all connections (22 ms to make one)."""

    host: str
    port: int
    tls: ssl.SSLContext | None
    proxy: Proxy | None


def route(base_url: str) -> Route:
    """The route to a base URL, by the environment's proxies and CA bundle.

    HTTP_PROXY, HTTPS_PROXY and NO_PROXY as urllib reads them; SSL_CERT_FILE and SSL_CERT_DIR as
    OpenSSL reads them, beside the bundle that the SDK's own transport trusts. Raises ValueError
    for a URL that is not http or https.
    """
    url = urlsplit(base_url)
    if url.scheme not in ("http", "https") or not url.hostname:
        raise ValueError(f"{base_url!r} is not an http or https URL")
    secure = url.scheme == "https"
    tls = None
    if secure:
        tls = ssl.create_default_context()
        tls.load_verify_locations(certifi.where())
    return Route(
        url.hostname, url.port or (443 if secure else 80), tls, _proxy(url.scheme, url.hostname)
    )


def _proxy(scheme: str, host: str) -> Proxy | None:
    address = getproxies().get(scheme) or getproxies().get("all")
    if not address or proxy_bypass(host):
        return None
    try:
        url = urlsplit(address if "//" in address else f"//{address}")
        port = url.port or 80
    except ValueError:  # what stands there may be a piece of the password
        raise ValueError("the environment's proxy is not an http proxy's URL") from None
    if not url.hostname or url.scheme not in ("", "http"):
        raise ValueError(f"the proxy {url.hostname or '(no host)'} is not an http proxy")
    credentials = None
    if url.username is not None:
        pair = f"{unquote(url.username)}:{unquote(url.password or '')}"
        credentials = b"Basic " + base64.b64encode(pair.encode())
    return Proxy(url.hostname, port, credentials)


def tunnel(connection: socket.socket, where: Route) -> None:
    """Ask the proxy for a tunnel to the gateway (RFC 9110 9.3.6)."""
    assert where.proxy is not None
    host = f"[{where.host}]" if ":" in where.host else where.host
    ask = f"CONNECT {host}:{where.port} HTTP/1.1\r\nHost: {host}:{where.port}\r\n".encode()
    if where.proxy.authorization:
        ask += b"Proxy-Authorization: " + where.proxy.authorization + b"\r\n"
    connection.sendall(ask + b"\r\n")
    answer = b""
    while not answer.endswith(b"\r\n\r\n"):
        # One byte at a time: what follows the blank line belongs to TLS.
        piece = connection.recv(1)
        if not piece or len(answer) > 16384:
            raise ConnectionResetError("the proxy closed before it answered CONNECT")
        answer += piece
    status = answer.split(b" ", 2)[1:2]
    if status != [b"200"]:
        line = answer.split(b"\r\n", 1)[0].decode("latin-1")
        raise ConnectionRefusedError(f"the proxy refused the tunnel: {line}")


def connect_outcome(error: Exception) -> Outcome:
    """What a failure to connect is called."""
    if isinstance(error, socket.gaierror | UnicodeError):
        return Outcome.DNS
    if isinstance(error, ssl.SSLError | ssl.CertificateError):
        return Outcome.TLS
    if isinstance(error, TimeoutError):
        return Outcome.TIMEOUT_CONNECT
    if isinstance(error, ConnectionResetError | BrokenPipeError):
        return Outcome.CONNECTION_RESET
    return Outcome.CONNECTION_REFUSED
