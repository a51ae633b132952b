"""The network route of one base URL: host, port, TLS and proxy."""

import base64
import os
import socket
import ssl
from contextlib import suppress
from dataclasses import dataclass
from ipaddress import ip_address
from urllib.parse import unquote, urlsplit
from urllib.request import getproxies, proxy_bypass

import certifi

from recording.outcome import Outcome
from rules import local_errors


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


BUNDLES = ("REQUESTS_CA_BUNDLE", "CURL_CA_BUNDLE")
"""Variables in which other programs look for trusted certificates; existing files count here
too, besides SSL_CERT_FILE and SSL_CERT_DIR, which OpenSSL reads itself.
"""


def route(
    base_url: str,
    *,
    ca_file: str = "",
    client_cert: str = "",
    client_key: str = "",
    direct: bool = False,
) -> Route:
    """The route to a base URL, by the environment's proxies and CA bundles.

    HTTP_PROXY, HTTPS_PROXY and NO_PROXY as urllib reads them, unless it is to go there `direct`;
    certificates of `ca_file` and BUNDLES beside the bundle that the SDK's own transport trusts.
    Raises ValueError for a URL that is not http or https, and for files that cannot be used.
    """
    url = urlsplit(base_url)
    if url.scheme not in ("http", "https") or not url.hostname:
        raise ValueError(f"{base_url!r} is not an http or https URL")
    secure = url.scheme == "https"
    tls = _tls(ca_file, client_cert, client_key) if secure else None
    proxy = None if direct else _proxy(url.scheme, url.hostname)
    return Route(url.hostname, url.port or (443 if secure else 80), tls, proxy)


def _tls(ca_file: str, client_cert: str, client_key: str) -> ssl.SSLContext:
    tls = ssl.create_default_context()
    tls.load_verify_locations(certifi.where())
    for name in BUNDLES:
        bundle = os.environ.get(name, "")
        with suppress(OSError):  # a missing or invalid file is not our concern
            if os.path.isdir(bundle):
                tls.load_verify_locations(capath=bundle)
            elif bundle:
                tls.load_verify_locations(bundle)
    if ca_file:
        try:
            tls.load_verify_locations(ca_file)
        except OSError as error:
            raise ValueError(f"--ca-file {ca_file} {_unreadable(error, 'certificates')}") from None
    if client_key and not client_cert:
        raise ValueError("--client-key needs its --client-cert: give that too")
    if client_cert:
        files = f"--client-cert {client_cert}" + (
            f" with --client-key {client_key}" if client_key else ""
        )
        try:
            tls.load_cert_chain(client_cert, client_key or None, password=_no_password)
        except _Encrypted:
            raise ValueError(
                f"{files}: the private key is encrypted, and a run cannot ask for the passphrase: "
                "give a key without one"
            ) from None
        except OSError as error:
            raise ValueError(f"{files} {_unreadable(error, 'a certificate and its key')}") from None
    return tls


class _Encrypted(Exception):
    pass


def _no_password() -> str:
    raise _Encrypted


def _unreadable(error: OSError, what: str) -> str:
    if isinstance(error, ssl.SSLError):  # an OSError too, whose words name OpenSSL's own lines
        why = (
            "they do not belong together" if "MISMATCH" in f"{error}" else f"no PEM file of {what}"
        )
        return f"cannot be used ({why}): give another"
    return f"cannot be read ({error.strerror}): give another"


def _proxy(scheme: str, host: str) -> Proxy | None:
    name = scheme if getproxies().get(scheme) else "all"
    address = getproxies().get(name)
    if not address or proxy_bypass(host):
        return None
    variable = f"{name.upper()}_PROXY"
    try:
        url = urlsplit(address if "//" in address else f"//{address}")
        port = url.port or 80
    except ValueError:  # what stands there may be a piece of the password
        raise ValueError(
            "the environment's proxy is not an http proxy's URL: correct it there"
        ) from None
    if not url.hostname or url.scheme not in ("", "http"):
        kind = url.scheme or "unknown"
        raise ValueError(
            f"the proxy {url.hostname or '(no host)'} of {variable} is not an http proxy but "
            f"{kind}, and Weighbridge supports only http proxies (which also tunnel https): "
            f"set {variable}=http://host:port, or NO_PROXY={host}"
        )
    credentials = None
    if url.username is not None:
        pair = f"{unquote(url.username)}:{unquote(url.password or '')}"
        credentials = b"Basic " + base64.b64encode(pair.encode())
    return Proxy(url.hostname, port, credentials)


def tunnel(connection: socket.socket, where: Route) -> None:
    """Request a tunnel to the gateway from the proxy (RFC 9110 9.3.6)."""
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


def opened(route: Route) -> socket.socket:
    """A connection to the gateway, ready for requests. Raises as `connected` does."""
    peer = route.proxy or route
    connection = connected(peer.host, peer.port)
    try:
        connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        if route.tls is None:
            return connection
        if route.proxy is not None:
            tunnel(connection, route)
        return route.tls.wrap_socket(connection, server_hostname=route.host)
    except BaseException:
        connection.close()
        raise


def connect_outcome(error: Exception) -> Outcome:
    """The outcome of a failure to connect; only a refused connection is the gateway's failure."""
    if isinstance(error, socket.gaierror | UnicodeError):
        return Outcome.LOCAL_LIMIT if _out_of_files() else Outcome.DNS
    if isinstance(error, ssl.SSLError | ssl.CertificateError):
        return Outcome.TLS
    if isinstance(error, TimeoutError):
        return Outcome.TIMEOUT_CONNECT
    if isinstance(error, ConnectionResetError | BrokenPipeError | ConnectionAbortedError):
        return Outcome.CONNECTION_RESET
    if isinstance(error, ConnectionRefusedError):
        return Outcome.CONNECTION_REFUSED
    number = error.errno if isinstance(error, OSError) else None
    return local_errors.of_errno(number) or Outcome.LOCAL_LIMIT  # nothing has left this machine


def _out_of_files() -> bool:
    """Whether a resolver may have failed because no file could be opened, which it does not
    report.
    """
    try:
        socket.socket().close()
    except OSError as error:
        return local_errors.of_errno(error.errno) is Outcome.LOCAL_LIMIT
    return False


def connected(host: str, port: int) -> socket.socket:
    """A TCP connection; a numeric address avoids the resolver, whose few threads all users
    share.
    """
    try:
        family = socket.AF_INET6 if ip_address(host).version == 6 else socket.AF_INET
    except ValueError:
        return socket.create_connection((host, port))
    connection = socket.socket(family, socket.SOCK_STREAM)
    try:
        connection.connect((host, port))
    except BaseException:
        connection.close()
        raise
    return connection
