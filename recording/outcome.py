"""How a request ended: one closed set of names, and the consequences of each. Pure.

planned
├── lost                     its process died or was lost: answered or not, paid or not: unknown
├── dropped                  never sent (no user free in time, the run stopped, a worker lost)
└── sent
    ├── ok                   HTTP 200, complete, with content, reasoning or a tool call
    ├── cancelled            in flight when the run was stopped
    ├── abandoned            cancelled on purpose (`--cancel-after`), as impatient users do
    ├── refused by the gateway (an HTTP status, whatever happened to the body after it; or an error
    │   │                          body or event with HTTP 200 that states such a cause)
    │   ├── redirect             3xx: never followed, the key stays with its host
    │   ├── auth                 401, 403
    │   ├── payment_required     402, or its meaning in words with another status
    │   ├── not_found            404
    │   ├── rate_limited         429
    │   ├── bad_request          every other 4xx
    │   └── server_error         5xx, 408, and the 4xx by which proxies say that they gave up
    ├── never connected
    │   ├── dns, tls, connection_refused, timeout_connect
    │   ├── unreachable          no route to the gateway's network or host
    │   └── local_limit          our own machine could not connect (descriptors, ports ...)
    ├── connected, no complete answer
    │   ├── connection_reset     closed or reset before the answer was complete
    │   ├── timeout_first_byte   no byte of the answer by the deadline
    │   ├── timeout_total        the answer began, but was not complete by the deadline
    │   ├── stream_truncated     a stream ended with neither finish_reason nor [DONE]
    │   ├── reply_too_large      more bytes than --max-reply-mb; the rest was not read
    │   └── internal_error       a fault in Weighbridge itself; what the gateway did is unknown
    └── an answer that is not valid
        ├── stream_error         an error event inside an HTTP 200 stream
        ├── malformed            not HTTP, not JSON, or not a chat completion
        ├── filtered             withheld or cut off by a content filter
        ├── budget_spent         no text came, and the output budget was used up (hidden reasoning)
        └── empty                HTTP 200 with neither content, reasoning nor tool call
"""

from dataclasses import dataclass, fields
from enum import StrEnum


class Outcome(StrEnum):
    """How one planned request ended; the module's docstring shows the tree."""

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
    UNREACHABLE = "unreachable"
    LOCAL_LIMIT = "local_limit"
    STREAM_TRUNCATED = "stream_truncated"
    REPLY_TOO_LARGE = "reply_too_large"
    INTERNAL_ERROR = "internal_error"
    STREAM_ERROR = "stream_error"
    MALFORMED = "malformed"
    FILTERED = "filtered"
    BUDGET_SPENT = "budget_spent"
    EMPTY = "empty"
    LOST = "lost"
    DROPPED = "dropped"
    CANCELLED = "cancelled"
    ABANDONED = "abandoned"


@dataclass(frozen=True, slots=True, kw_only=True)
class Facts:
    """The consequences of an outcome.

    `free`: it was refused or never arrived, so it cost nothing unless the gateway states a cost.
    `counted`: the stop rule counts it ("many 429, 5xx and timeouts"). `waited`: no complete answer
    came, and it would have taken longer than we waited. `ours`: our own machine or program failed,
    which says nothing about the gateway. `hopeless`: the cause is the same for every request, so
    all others would end the same way. `ended_by_us`: it was never sent, given up because the run
    was stopped, or lost with its generator. `on_purpose`: we closed the connection as planned; that
    is neither a success nor a failure of the gateway.
    """

    free: bool = False
    counted: bool = False
    waited: bool = False
    ours: bool = False
    hopeless: bool = False
    ended_by_us: bool = False
    on_purpose: bool = False


FACTS: dict[Outcome, Facts] = {
    Outcome.OK: Facts(),
    Outcome.REDIRECT: Facts(free=True, hopeless=True),
    Outcome.BAD_REQUEST: Facts(free=True, hopeless=True),
    Outcome.AUTH: Facts(free=True, hopeless=True),
    Outcome.PAYMENT_REQUIRED: Facts(free=True, hopeless=True),
    Outcome.NOT_FOUND: Facts(free=True, hopeless=True),
    Outcome.RATE_LIMITED: Facts(free=True, counted=True),
    Outcome.SERVER_ERROR: Facts(free=True, counted=True),
    Outcome.TIMEOUT_CONNECT: Facts(free=True, counted=True, waited=True),
    Outcome.TIMEOUT_FIRST_BYTE: Facts(counted=True, waited=True),
    Outcome.TIMEOUT_TOTAL: Facts(counted=True, waited=True),
    Outcome.CONNECTION_REFUSED: Facts(free=True, hopeless=True),
    Outcome.CONNECTION_RESET: Facts(waited=True),
    Outcome.DNS: Facts(free=True, hopeless=True),
    Outcome.TLS: Facts(free=True, hopeless=True),
    Outcome.UNREACHABLE: Facts(free=True, hopeless=True),
    Outcome.LOCAL_LIMIT: Facts(free=True, ours=True),
    Outcome.STREAM_TRUNCATED: Facts(waited=True),
    Outcome.REPLY_TOO_LARGE: Facts(waited=True),
    Outcome.INTERNAL_ERROR: Facts(ours=True),
    Outcome.STREAM_ERROR: Facts(),
    Outcome.MALFORMED: Facts(hopeless=True),
    Outcome.FILTERED: Facts(),
    Outcome.BUDGET_SPENT: Facts(),
    Outcome.EMPTY: Facts(),
    Outcome.LOST: Facts(ours=True, ended_by_us=True),
    Outcome.DROPPED: Facts(free=True, waited=True, ended_by_us=True),
    Outcome.CANCELLED: Facts(waited=True, ended_by_us=True),
    Outcome.ABANDONED: Facts(waited=True, on_purpose=True),
}


def having(fact: str) -> frozenset[str]:
    """The names of the outcomes for which a fact is true, e.g. `having("free")`."""
    return frozenset(outcome.value for outcome, facts in FACTS.items() if getattr(facts, fact))


FREE, COUNTED, WAITED, OURS, HOPELESS, ENDED_BY_US, ON_PURPOSE = (
    having(f.name) for f in fields(Facts)
)


_BY_STATUS = {
    401: Outcome.AUTH,
    402: Outcome.PAYMENT_REQUIRED,
    403: Outcome.AUTH,
    404: Outcome.NOT_FOUND,
    408: Outcome.SERVER_ERROR,
    429: Outcome.RATE_LIMITED,
    # Statuses by which proxies say "I gave up" (nginx's 444 and 499, AWS's 460): the request is not
    # at fault.
    444: Outcome.SERVER_ERROR,
    460: Outcome.SERVER_ERROR,
    499: Outcome.SERVER_ERROR,
}


def of_status(status: int) -> Outcome:
    """The outcome of an HTTP status other than 2xx.

    A 1xx, or a number that is not an HTTP status, is `malformed`.
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
