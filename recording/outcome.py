"""How a request ended: one closed set of names. Pure.

planned
├── dropped                  never sent (no user free in time, the run stopped, a worker lost)
└── sent
    ├── ok                   HTTP 200, complete, with content, reasoning or a tool call
    ├── cancelled            in flight when the run was stopped
    ├── refused by the gateway (an HTTP status, whatever became of the body after it; or an error
    │   │                          body under HTTP 200 that carries one)
    │   ├── redirect             3xx: never followed, the key stays with its host
    │   ├── auth                 401, 403
    │   ├── payment_required     402
    │   ├── not_found            404
    │   ├── rate_limited         429
    │   ├── bad_request          every other 4xx
    │   └── server_error         5xx, and 408
    ├── never connected
    │   ├── dns, tls, connection_refused, timeout_connect
    ├── connected, no whole answer
    │   ├── connection_reset     closed or reset before the answer was whole
    │   ├── timeout_first_byte   not one byte of the answer by the deadline
    │   ├── timeout_total        the answer had begun, but was not whole by the deadline
    │   └── stream_truncated     a stream ended with neither finish_reason nor [DONE]
    └── an answer that is not one
        ├── stream_error         an error event inside an HTTP 200 stream
        ├── malformed            not HTTP, not JSON, or not a chat completion
        └── empty                HTTP 200 with neither content, reasoning nor tool call
"""

from enum import StrEnum


class Outcome(StrEnum):
    """The end of one planned request; the module's docstring is the tree."""

    OK = "ok"
    REDIRECT = "redirect"
    BAD_REQUEST = "bad_request"
    AUTH = "auth"
    PAYMENT_REQUIRED = "payment_required"
    NOT_FOUND = "not_found"
    RATE_LIMITED = "rate_limited"
    SERVER_ERROR = "server_error"
    TIMEOUT_CONNECT = "timeout_connect"
    TIMEOUT_FIRST_BYTE = "timeout_first_byte"
    TIMEOUT_TOTAL = "timeout_total"
    CONNECTION_REFUSED = "connection_refused"
    CONNECTION_RESET = "connection_reset"
    DNS = "dns"
    TLS = "tls"
    STREAM_TRUNCATED = "stream_truncated"
    STREAM_ERROR = "stream_error"
    MALFORMED = "malformed"
    EMPTY = "empty"
    DROPPED = "dropped"
    CANCELLED = "cancelled"


_BY_STATUS = {
    401: Outcome.AUTH,
    402: Outcome.PAYMENT_REQUIRED,
    403: Outcome.AUTH,
    404: Outcome.NOT_FOUND,
    408: Outcome.SERVER_ERROR,
    429: Outcome.RATE_LIMITED,
}


def of_status(status: int) -> Outcome:
    """The outcome that an HTTP status other than 2xx stands for.

    A 1xx, or a number that is no HTTP status, is `malformed`.
    """
    if status in _BY_STATUS:
        return _BY_STATUS[status]
    if 300 <= status < 400:
        return Outcome.REDIRECT
    if 400 <= status < 500:
        return Outcome.BAD_REQUEST
    if 500 <= status < 600:
        return Outcome.SERVER_ERROR
    return Outcome.MALFORMED
