"""What each fault of a gateway or of the network is called in a row: one table for tests and docs.

`SIMULATED` are the simulator's faults, by name; `PROVOKED` need a network that is wrong, or bytes
that the simulator never sends. docs/reference/outcomes.md is made from both;
tests/tasks/test_faults.py provokes every line, plain and streamed.
"""

from dataclasses import dataclass

from recording.outcome import Outcome
from simulator.faults import FAULTS


@dataclass(frozen=True, slots=True)
class Case:
    """What happens, and the outcome of a plain and of a streamed request; None: cannot be.

    `flag` is the row's `check`.
    """

    what: str
    plain: Outcome | None
    stream: Outcome | None
    flag: str = ""

    def outcome(self, stream: bool) -> Outcome | None:
        """The outcome, plain or streamed."""
        return self.stream if stream else self.plain


def _simulated(name: str, plain: Outcome, stream: Outcome | None = None, flag: str = "") -> Case:
    return Case(FAULTS[name], plain, stream or plain, flag)


def _both(what: str, outcome: Outcome) -> Case:
    return Case(what, outcome, outcome)


_EXPECTED: tuple[tuple[str, Outcome], ...] = (
    ("rate_limited", Outcome.RATE_LIMITED),
    ("rate_limited_ms", Outcome.RATE_LIMITED),
    ("rate_limited_date", Outcome.RATE_LIMITED),
    ("rate_limited_bare", Outcome.RATE_LIMITED),
    ("error_400", Outcome.BAD_REQUEST),
    ("error_401", Outcome.AUTH),
    ("error_402", Outcome.PAYMENT_REQUIRED),
    ("error_404", Outcome.NOT_FOUND),
    ("error_500", Outcome.SERVER_ERROR),
    ("error_503", Outcome.SERVER_ERROR),
    ("error_body_200", Outcome.SERVER_ERROR),
    ("redirect", Outcome.REDIRECT),
    ("echo_auth", Outcome.BAD_REQUEST),
    ("empty", Outcome.EMPTY),
    ("missing_cost", Outcome.OK),
    ("cost_jump", Outcome.OK),
    ("big_body", Outcome.OK),
    ("hang", Outcome.TIMEOUT_FIRST_BYTE),
    ("slow_headers", Outcome.TIMEOUT_FIRST_BYTE),
    ("trickle", Outcome.TIMEOUT_TOTAL),
    ("reset", Outcome.CONNECTION_RESET),
    ("reset_mid_body", Outcome.CONNECTION_RESET),
    ("malformed", Outcome.MALFORMED),
    ("invalid_utf8", Outcome.MALFORMED),
    ("gzip", Outcome.OK),
    ("early_role", Outcome.OK),
    ("stream_usage", Outcome.OK),
    ("stream_cost", Outcome.OK),
    ("response_cache", Outcome.OK),
    ("cross", Outcome.OK),
    ("buffer", Outcome.OK),
    ("coalesce", Outcome.OK),
    ("stall", Outcome.OK),
)
SIMULATED: dict[str, Case] = {
    **{name: _simulated(name, outcome) for name, outcome in _EXPECTED},
    "error_502": _simulated("error_502", Outcome.SERVER_ERROR, flag="not_the_gateway"),
    "missing_usage": _simulated("missing_usage", Outcome.OK, flag="usage_missing"),
    "wrong_model": _simulated("wrong_model", Outcome.OK, flag="model_mismatch"),
    "bad_usage": _simulated("bad_usage", Outcome.OK, flag="usage_sum"),
    "negative_usage": _simulated("negative_usage", Outcome.OK, flag="usage_absurd"),
    "truncated_stream": _simulated(
        "truncated_stream", Outcome.CONNECTION_RESET, Outcome.STREAM_TRUNCATED
    ),
    "stream_error": _simulated("stream_error", Outcome.SERVER_ERROR, Outcome.STREAM_ERROR),
}
PROVOKED: dict[str, Case] = {
    "nobody_listens": _both("no process listens on the port", Outcome.CONNECTION_REFUSED),
    "no_handshake": _both("the connection is never accepted", Outcome.TIMEOUT_CONNECT),
    "no_such_host": _both("the gateway's name cannot be resolved", Outcome.DNS),
    "unknown_issuer": _both("a TLS certificate from an unknown issuer", Outcome.TLS),
    "other_host": _both("a TLS certificate of another host", Outcome.TLS),
    "proxy_refuses": _both("an HTTP proxy refuses the tunnel", Outcome.CONNECTION_REFUSED),
    "proxy_silent": _both("an HTTP proxy never answers CONNECT", Outcome.TIMEOUT_CONNECT),
    "proxy": _both("an HTTP proxy passes the request on", Outcome.OK),
    "ipv6": _both("the gateway is reached over IPv6", Outcome.OK),
    "chunked": _both("a body in chunked coding, byte by byte", Outcome.OK),
    "not_http": _both("bytes that are not HTTP", Outcome.MALFORMED),
    "bad_chunk_length": _both("a chunked body with a broken length", Outcome.MALFORMED),
    "bad_gzip": _both("a body that says it is gzip, and is not", Outcome.MALFORMED),
    "deep_json": _both("JSON that is nested too deeply to be read", Outcome.MALFORMED),
    "error_code_200": _both(
        "200 with an error object whose code is an HTTP status (here 429)", Outcome.RATE_LIMITED
    ),
    "whole_reply": Case("a whole JSON reply where a stream was asked for", None, Outcome.MALFORMED),
    "thought_away": _both(
        "200 without any text, ended by `length`, with all tokens of the output budget used",
        Outcome.BUDGET_SPENT,
    ),
    "gave_up": Case(
        "200 with finish_reason `abort`: the gateway says that it failed",
        Outcome.SERVER_ERROR,
        Outcome.STREAM_ERROR,
    ),
    "content_filter": _both("200 with finish_reason `content_filter`", Outcome.FILTERED),
    "page_200": _both("200 with a proxy's page", Outcome.MALFORMED),
    "no_money": _both("429 whose error is `insufficient_quota`", Outcome.PAYMENT_REQUIRED),
    "proxy_499": _both("499, by which nginx says that it gave up", Outcome.SERVER_ERROR),
    "too_large": _both("a reply longer than `--max-reply-mb`", Outcome.REPLY_TOO_LARGE),
    "closed_early": _both("the connection is closed before any answer", Outcome.CONNECTION_RESET),
}
