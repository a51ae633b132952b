"""One connection to the gateway: the SDK's gevent-native transport and its stopwatch.

The SDK builds the request and reads the answer; this puts the bytes on a socket. It exists because
the default transport cannot be measured with: its shared pool falsifies latency under concurrency,
and it offers no place to hold a built request until it is due. HTTP/1.1 is parsed by llhttp
(httptools). A wire belongs to one user, so it has at most one connection and one exchange.
"""

import socket
from collections.abc import Callable, Iterator
from contextlib import suppress
from math import inf

import gevent
import httptools
import httpx2

from recording.outcome import Outcome
from rules import local_errors
from settings.access import Credential
from tasks.route import Route, connect_outcome, opened
from tasks.shortcut import Reply
from tasks.socket_peek import has_spoken, hung_up
from tasks.transport_failure import WireError, too_large

_RECV_BYTES = 32768
MOST_BYTES = 64_000_000
_MOST_HEAD_BYTES = 1_000_000
_LOOK_S = 0.25  # how often to check whether an unread request has already been answered

# What the SDK's own transport (h11) and most clients read too: bare line feeds, folded headers, a
# length beside chunks (which count, RFC 9112 6.3), spaces after a chunk's size. The danger in the
# name is for proxies that pass such a message on.
_READ_TOO = {
    "lenient_headers": True,
    "lenient_chunked_length": True,
    "lenient_optional_cr_before_lf": True,
    "lenient_spaces_after_chunk_size": True,
}


class Wire(httpx2.BaseTransport):
    """A transport with one connection that records times; all times are the clock's seconds.

    `extra` are header lines of this request alone. `gate` blocks until it may go: its bytes are
    written right after. With `cold`, every request opens its own connection after the gate, so
    that connecting counts as latency (as in the seed); otherwise a connection is kept, and opened
    before the gate. The connection is closed on purpose `leave_after_s` after the request began to
    be written, and with `leave_at_head` as soon as an answer begins; a refusal is read to its end.
    After an exchange: `sent`, `first_byte`, `last_byte`, `connect_s`, `reused`,
    `status`, `headers` (lower-case names) and `body_bytes` tell what happened; None: did not.
    """

    def __init__(
        self,
        route: Route,
        clock: Callable[[], float],
        *,
        timeout_s: float,
        connect_timeout_s: float,
        cold: bool = False,
        most_bytes: int = MOST_BYTES,
    ) -> None:
        self._most_bytes = most_bytes
        self._route = route
        self._clock = clock
        self._timeout_s = timeout_s
        self._connect_timeout_s = connect_timeout_s
        self._cold = cold
        self._patience_s = 1.0  # for the end of a stream whose [DONE] was seen
        self._unsent = False
        self._socket: socket.socket | None = None
        self._parser: httptools.HttpResponseParser | None = None
        self._head = b""
        self._same_headers: httpx2.Headers | None = None
        self.credential: Credential | None = None
        self._headers: list[tuple[bytes, bytes]] = []
        self._body: list[bytes] = []
        self.status: int | None = None
        self.headers_complete = False
        self.complete = False
        self.arm(lambda: None)

    def arm(self, gate: Callable[[], None]) -> None:
        """Reset the last exchange and set the gate of the next."""
        self.gate = gate
        self.extra = b""
        self.leave_after_s: float | None = None
        self.leave_at_head = False
        self.sent: float | None = None
        self.first_byte: float | None = None
        self.last_byte: float | None = None
        self.connect_s: float | None = None
        self.reused = True
        self.body_bytes = 0
        self._received_bytes = 0
        self._begin_message()

    # ---- the transport

    def handle_request(self, request: httpx2.Request) -> httpx2.Response:
        """Send the request when its gate opens; the response's stream reads on demand."""
        message = self._serialize(request)
        self._drop_if_stale()
        if not self._cold and self._socket is None:
            # A failure before the due time does not count: it is tried again when it is due.
            with suppress(WireError):
                self._open()
        self.gate()
        if self.credential is None:
            self._ask(message)
        else:
            self._ask_with_key(message, self.credential)
        reply = Reply(self.status or 0, headers=self._headers, stream=_Body(self))
        reply.most_bytes = self._most_bytes
        return reply

    def _ask_with_key(self, message: bytes, credential: Credential) -> None:
        """Send the request with the current key; once more if the gateway requires a newer one.

        The time of the first attempt then counts as our lag, not the gateway's.
        """
        line, _, rest = message.partition(b"\r\n")
        key = credential.key()
        self._ask(b"%s\r\n%s%s" % (line, credential.line(key), rest))
        if self.status != 401 or not credential.renew(key):
            return
        self.close()
        self._begin_message()
        self.first_byte = self.last_byte = None
        self.body_bytes = 0
        if not self._cold:
            with suppress(WireError):
                self._open()
        self._ask(b"%s\r\n%s%s" % (line, credential.line(credential.key()), rest))

    def _ask(self, message: bytes) -> None:
        """Send the request and read the answer's head."""
        self._drop_if_stale()  # a keep-alive may end while the request waits
        self.sent = self._clock()
        if self._cold or self._socket is None:
            self.close()
            self._open()
        assert self._socket is not None
        self._deadline, self._leave = self.sent + self._timeout_s, inf
        if self.leave_after_s is not None:
            self._leave = self._clock() + self.leave_after_s
        try:
            self._write(message)
        except TimeoutError:
            raise self._timed_out() from None
        except OSError as error:
            # The gateway may have answered before it closed: read what it said. If our machine or
            # the network did not let the request out whole, there is nothing to read.
            outcome = local_errors.of_errno(error.errno)
            if outcome in (Outcome.LOCAL_LIMIT, Outcome.UNREACHABLE):
                raise self._refused_here(outcome, error) from error
        gevent.sleep(0)  # let the rest of a burst be sent before this one waits for its answer
        while not self.headers_complete:
            if not self._read():
                raise self._failure(Outcome.CONNECTION_RESET, "closed before any answer")
        if self.status is not None and self.status >= 300:
            self._leave = inf
        elif self.leave_at_head:
            raise self.hang_up()

    def hang_up(self) -> WireError:
        """Close the connection on purpose, and return the error that says so."""
        return self._failed(WireError(Outcome.ABANDONED, "cancelled on purpose"))

    def read_body(self) -> Iterator[bytes]:
        """The body's bytes as they arrive: one piece per read."""
        while True:
            if self._body:
                piece = b"".join(self._body)
                self._body.clear()
                yield piece
            if self.complete:
                return
            if not self._read() and not self.complete:
                raise self._failure(
                    Outcome.CONNECTION_RESET, "closed before the answer was whole", ended=True
                )

    def release(self) -> None:
        """End the exchange: keep the connection if it can carry another, else close it."""
        if self._socket is not None and not self.complete and self.headers_complete:
            # The SDK stops reading at [DONE]; the chunk that ends the body is still to come.
            last_byte = self.last_byte
            try:
                self._deadline = min(self._deadline, self._clock() + self._patience_s)
                while not self.complete and self._read():
                    self._body.clear()
            except WireError:
                self.last_byte = last_byte  # waiting in vain is no part of the answer
                self._patience_s = 0.02  # nor to be repeated: it would lower a closed loop's rate
        if self._cold or not self.complete or not self._keep_alive or self._unsent:
            self.close()

    def close(self) -> None:
        """Close the connection; the next request opens another."""
        if self._socket is not None:
            self._socket.close()
            self._socket = None

    def now(self) -> float:
        """The clock's time."""
        return self._clock()

    @property
    def headers(self) -> dict[str, str]:
        """The answer's headers with lower-case names; if one is repeated, the last counts."""
        return {k.decode("latin-1").lower(): v.decode("latin-1") for k, v in self._headers}

    # ---- httptools callbacks; what follows a complete answer is nobody's, and ends the connection

    def on_message_begin(self) -> None:
        if self.complete:
            self._keep_alive = False
        elif self.first_byte is None:
            self.first_byte = self.last_byte

    def on_header(self, name: bytes, value: bytes) -> None:
        if not self.headers_complete:  # after the body they are trailers, which nobody reads
            self._headers.append((name, value))

    def on_headers_complete(self) -> None:
        assert self._parser is not None
        if self.complete:
            return
        self.status = self._parser.get_status_code()
        self.headers_complete = self.status >= 200

    def on_body(self, body: bytes) -> None:
        if self.complete:
            return
        self.body_bytes += len(body)
        self._body.append(body)

    def on_message_complete(self) -> None:
        assert self._parser is not None
        if self.complete:
            return
        if not self.headers_complete:  # an interim 1xx: the answer is still to come
            self._begin_message()
            self.first_byte = None
            return
        self.complete = True
        self._keep_alive = self._parser.should_keep_alive()

    # ---- the socket

    def _begin_message(self) -> None:
        self.status = None
        self.headers_complete = False
        self.complete = False
        self._keep_alive = False
        self._headers = []
        self._body = []

    def _serialize(self, request: httpx2.Request) -> bytes:
        content = request.read()
        if request.headers is not self._same_headers:
            self._head, self._same_headers = self._headline(request), request.headers
        length = b"Content-Length: %d\r\n" % len(content) if content else b""
        return b"%s%s%s\r\n%s" % (self._head, self.extra, length, content)

    def _headline(self, request: httpx2.Request) -> bytes:
        """The request's head without its length, which comes last."""
        target = request.url.raw_path
        lines = [
            b"%s: %s\r\n" % line for line in request.headers.raw if line[0] != b"Content-Length"
        ]
        proxy = self._route.proxy
        if proxy is not None and self._route.tls is None:
            target = str(request.url).encode()
            if proxy.authorization:
                lines.append(b"proxy-authorization: %s\r\n" % proxy.authorization)
        return b"%s %s HTTP/1.1\r\n" % (request.method.encode(), target) + b"".join(lines)

    def _drop_if_stale(self) -> None:
        if self._socket is not None and hung_up(self._socket):
            self.close()

    def _open(self) -> None:
        began = self._clock()
        late = WireError(
            Outcome.TIMEOUT_CONNECT, f"no connection within {self._connect_timeout_s:g} s"
        )
        self.reused = False
        try:
            with gevent.Timeout(self._connect_timeout_s, late):
                self._socket = opened(self._route)
        except WireError:
            self.last_byte = self._clock()
            raise
        except (OSError, UnicodeError) as error:
            raise self._refused_here(connect_outcome(error), error) from error
        self._parser = httptools.HttpResponseParser(self)
        self._parser.set_dangerous_leniencies(**_READ_TOO)
        self.connect_s = self._clock() - began

    def _write(self, message: bytes) -> None:
        """Send the request, or as much of it as the gateway wants before it answers."""
        assert self._socket is not None
        rest, self._unsent = memoryview(message), True
        while rest:
            left_s = min(self._deadline, self._leave) - self._clock()
            if left_s <= 0:
                raise TimeoutError
            self._socket.settimeout(min(left_s, _LOOK_S))
            try:
                rest = rest[self._socket.send(rest) :]
            except TimeoutError:
                if has_spoken(self._socket):
                    break
        self._unsent = bool(rest)

    def _read(self) -> bool:
        """Pass the next data to the parser; False at the connection's end."""
        assert self._socket is not None and self._parser is not None
        try:
            left_s = min(self._deadline, self._leave) - self._clock()
            if left_s <= 0:
                raise TimeoutError
            self._socket.settimeout(left_s)
            data = self._socket.recv(_RECV_BYTES)
        except TimeoutError:
            raise self._timed_out() from None
        except OSError as error:
            raise self._failure(Outcome.CONNECTION_RESET, _says(error)) from error
        except gevent.GreenletExit:
            self.close()  # so that releasing the answer does not wait for its rest
            raise
        self.last_byte = self._clock()
        if not data:
            # Without a length, the end of the connection is the end of the body (RFC 9112 6.3).
            headers = {name.lower(): value.lower() for name, value in self._headers}
            coding = headers.get(b"transfer-encoding")
            counted = b"content-length" in headers if coding is None else b"chunked" in coding
            self.complete = self.headers_complete and not counted
            return False
        if self.first_byte is None:
            self.first_byte = self.last_byte
        self._received_bytes += len(data)
        if self._received_bytes > self._most_bytes:
            raise self._failed(too_large(self._most_bytes, "as received"))
        if self._received_bytes > _MOST_HEAD_BYTES and not self.headers_complete:
            raise self._failed(too_large(_MOST_HEAD_BYTES, "in its headers alone"))
        try:
            self._parser.feed_data(data)
        except httptools.HttpParserError as error:
            if self.complete:
                self._keep_alive = False
                return True
            raise self._failure(Outcome.MALFORMED, f"not HTTP: {error}") from error
        except httptools.HttpParserUpgrade as error:
            raise self._failure(Outcome.MALFORMED, "an upgrade nobody asked for") from error
        return True

    def _timed_out(self) -> WireError:
        if self._leave < self._deadline:
            return self.hang_up()
        if self.first_byte is None:
            text = f"no answer within {self._timeout_s:g} s"
            return self._failure(Outcome.TIMEOUT_FIRST_BYTE, text)
        return self._failure(Outcome.TIMEOUT_TOTAL, f"not complete within {self._timeout_s:g} s")

    def _refused_here(self, outcome: Outcome, error: Exception) -> WireError:
        name = local_errors.name_of(error.errno) if isinstance(error, OSError) else ""
        kind = name if outcome in (Outcome.LOCAL_LIMIT, Outcome.UNREACHABLE) else ""
        return self._failed(WireError(outcome, _says(error), kind=kind or "WireError"))

    def _failed(self, failure: WireError) -> WireError:
        self.last_byte = self._clock()
        self.close()
        return failure

    def _failure(self, outcome: Outcome, message: str, *, ended: bool = False) -> WireError:
        if outcome is Outcome.CONNECTION_RESET and self.reused and self.first_byte is None:
            # Nobody can tell whether the gateway saw it, so it is not sent (and paid for) again.
            message += (
                ", on a connection kept from an earlier request: its keep-alive may have ended"
            )
        return self._failed(WireError(outcome, message, ended=ended))


class _Body(httpx2.SyncByteStream):
    def __init__(self, wire: Wire) -> None:
        self._wire = wire

    def __iter__(self) -> Iterator[bytes]:
        return self._wire.read_body()

    def close(self) -> None:
        self._wire.release()


def _says(error: BaseException) -> str:
    return f"{type(error).__name__}: {error}"
