"""Error replies: what the gateway sends instead of an answer."""

import time
from collections.abc import Callable
from dataclasses import dataclass
from email.utils import formatdate

from simulator.dialects import Dialect, Stamp, encode
from simulator.fields import BadRequest
from simulator.wire import JSON, Exchange, Headers

HTML: tuple[bytes, bytes] = (b"content-type", b"text/html")
BAD_GATEWAY = b"<html><head><title>502 Bad Gateway</title></head><body>Bad Gateway</body></html>"


@dataclass(frozen=True, slots=True)
class Error:
    """An error reply: HTTP status, OpenAI's error fields, extra headers."""

    status: int
    message: str
    kind: str
    param: str | None = None
    code: str | None = None
    headers: tuple[tuple[bytes, bytes], ...] = ()


def of(bad: BadRequest) -> Error:
    """The error reply to a refused body."""
    return Error(bad.status, str(bad), bad.kind, bad.param, bad.code)


async def refuse(
    exchange: Exchange, dialect: Dialect, stamp: Stamp, error: Error, limits: Headers
) -> None:
    """Sends the error in the dialect's format. Raises ClientGone."""
    body = dialect.error(error.status, error.message, error.kind, error.param, error.code)
    headers = [*dialect.error_headers(stamp), *limits, *error.headers]
    page = dialect.page(error.status, error.message)
    if page is not None:
        await exchange.reply(error.status, [*headers, HTML], page.encode())
        return
    await exchange.reply(error.status, [*headers, JSON], encode(body))


def unknown_model(model: str) -> Error:
    """404 for a model that is not served."""
    message = f"The model `{model}` does not exist or you do not have access to it."
    return Error(404, message, "invalid_request_error", "model", "model_not_found")


def too_long(window: int, count: int) -> Error:
    """400 for a prompt that does not fit the model's context window."""
    message = (
        f"This model's maximum context length is {window} tokens. However, your messages resulted "
        f"in {count} tokens. Please reduce the length of the messages."
    )
    return Error(400, message, "invalid_request_error", "messages", "context_length_exceeded")


def rate_limited(message: str, kind: str, headers: Headers) -> Error:
    """429 with headers that say when to retry."""
    return Error(429, message, kind, None, "rate_limit_exceeded", tuple(headers))


NO_KEY = Error(
    401,
    "You didn't provide an API key in an Authorization header (Authorization: Bearer YOUR_KEY).",
    "invalid_request_error",
    code="invalid_api_key",
)
BROKEN = Error(500, "The server had an error.", "server_error")
WRONG_KEY = Error(
    401, "Incorrect API key provided.", "invalid_request_error", code="invalid_api_key"
)


async def inject(
    fault: str,
    exchange: Exchange,
    dialect: Dialect,
    stamp: Stamp,
    retry_after_s: float,
    redirect_to: str,
) -> None:
    """Sends one of `faults.REFUSALS`. Raises ClientGone."""
    if fault == "error_502":
        headers = [*dialect.error_headers(stamp), HTML]
        await exchange.reply(502, headers, BAD_GATEWAY)
    elif fault == "redirect":
        headers = [*dialect.error_headers(stamp), (b"location", redirect_to.encode())]
        await exchange.reply(307, headers, b"")
    elif fault == "error_body_200":
        body = dialect.error(502, "The upstream provider failed.", "server_error", None, None)
        await exchange.reply(200, [*dialect.error_headers(stamp), JSON], encode(body))
    else:
        error = _ERRORS[fault](exchange, retry_after_s)
        await refuse(exchange, dialect, stamp, error, [])


def _limit(retry: Callable[[float], Headers]) -> Callable[[Exchange, float], Error]:
    message = "Rate limit reached; please slow down."
    return lambda _, retry_after_s: rate_limited(message, "requests", retry(retry_after_s))


def _fixed(error: Error) -> Callable[[Exchange, float], Error]:
    return lambda exchange, retry_after_s: error


def _echo(exchange: Exchange, retry_after_s: float) -> Error:
    header = exchange.header(b"authorization") or exchange.header(b"api-key") or ""
    return Error(400, f"Bad header Authorization: {header}", "invalid_request_error")


STATING_A_WAIT = frozenset({"rate_limited", "rate_limited_ms", "rate_limited_date"})
"""Those of `faults.REFUSALS` that say how long to wait."""

_ERRORS: dict[str, Callable[[Exchange, float], Error]] = {
    "rate_limited": _limit(lambda wait_s: [(b"retry-after", f"{wait_s:g}".encode())]),
    "rate_limited_ms": _limit(lambda wait_s: [(b"retry-after-ms", f"{wait_s * 1000:g}".encode())]),
    "rate_limited_date": _limit(
        lambda wait_s: [(b"retry-after", formatdate(time.time() + wait_s, usegmt=True).encode())]
    ),
    "rate_limited_bare": _limit(lambda wait_s: []),
    "error_400": _fixed(Error(400, "This request was refused.", "invalid_request_error")),
    "error_401": _fixed(WRONG_KEY),
    "error_402": _fixed(
        Error(402, "Insufficient credits.", "insufficient_quota", code="insufficient_quota")
    ),
    "error_404": _fixed(
        Error(404, "The model does not exist.", "invalid_request_error", "model", "model_not_found")
    ),
    "error_500": _fixed(BROKEN),
    "error_503": _fixed(Error(503, "The engine is overloaded.", "server_error", code="overloaded")),
    "echo_auth": _echo,
}
