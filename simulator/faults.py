"""The faults that a gateway can be given, by share of its requests.

`--fault rate_limited=0.1` makes one request in ten fail that way; shares add up to at most 1, and
a request has at most one fault. Which requests fail is drawn from the seed, so a run is repeatable.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from random import Random

from simulator.answer import Answer
from simulator.choice import Choice

# Refusals: an error is sent instead of an answer.
REFUSALS: dict[str, str] = {
    "rate_limited": "429 with Retry-After in seconds",
    "rate_limited_ms": "429 with retry-after-ms",
    "rate_limited_date": "429 with Retry-After as an HTTP date",
    "rate_limited_bare": "429 without Retry-After",
    "error_400": "400, invalid_request_error",
    "error_401": "401, invalid_api_key",
    "error_402": "402, insufficient credits",
    "error_404": "404, model_not_found",
    "error_500": "500, server_error, as JSON",
    "error_502": "502 with a proxy's HTML page",
    "error_503": "503, overloaded, as JSON",
    "error_body_200": "200 with an error object instead of a reply, as JSON even on streams",
    "redirect": "307 to --redirect-to",
    "echo_auth": "400 whose message repeats the Authorization header",
}
# Spoilt answers: well-formed replies with wrong content or none.
SPOILT: dict[str, str] = {
    "empty": "200 with neither content, reasoning nor tool call",
    "missing_usage": "no usage",
    "missing_cost": "usage without its cost, no cost header",
    "wrong_model": "another model is named in the reply",
    "bad_usage": "total_tokens is not prompt_tokens + completion_tokens",
    "negative_usage": "completion_tokens is negative",
    "cost_jump": "a hundred times the cost",
    "stream_usage": "two thousand extra prompt tokens on streams",
    "stream_cost": "four times the cost on streams",
    "response_cache": "the same messages get the same reply again, at once: same id, time and text",
    "cross": "the text of the previous reply, whoever it was for",
    "big_body": "ten megabytes of content",
}
# Mishaps: the reply is right but its transmission goes wrong.
MISHAPS: dict[str, str] = {
    "hang": "no answer, ever",
    "slow_headers": "headers only after --fault-delay seconds",
    "trickle": "headers, then one byte every --trickle-interval seconds",
    "reset": "connection reset before any byte",
    "reset_mid_body": "connection reset in the middle of the body",
    "truncated_stream": "the reply stops half-way: a stream without finish_reason and [DONE], "
    "a plain body shorter than its Content-Length",
    "stream_error": "an error event in the middle of a stream; plain as error_body_200",
    "malformed": "broken JSON in the body, or in the middle chunk of a stream",
    "invalid_utf8": "bytes that are not UTF-8 inside the content",
    "buffer": "a stream is held back until its last token is due, then sent at once; plain "
    "replies are right",
    "coalesce": "a stream comes in a fifth as many pieces, each when its last token is due; plain "
    "replies are right",
    "stall": "a stream stands still for --stall-seconds in its middle; plain replies are right",
    "gzip": "the body is gzip-encoded, whatever the request accepts; harmless to good clients",
    "early_role": "the role-only first chunk comes at once, the tokens when due; harmless",
}
FAULTS: dict[str, str] = REFUSALS | SPOILT | MISHAPS

BIG_BODY_CHARS = 10_000_000


class FaultError(Exception):
    """Raised for an unknown fault or an impossible share."""


@dataclass(frozen=True, slots=True)
class Faults:
    """Shares by fault name, and the number of first requests without faults."""

    shares: Mapping[str, float]
    after: int = 0

    def draw(self, number: int, dice: Random) -> str | None:
        """The fault of chat request `number` (from 1), or None."""
        if not self.shares or number <= self.after:
            return None
        point = dice.random()
        for name, share in self.shares.items():
            if point < share:
                return name
            point -= share
        return None


def parse(settings: list[str]) -> dict[str, float]:
    """Shares from `NAME=SHARE` or `NAME` (always). Raises FaultError."""
    shares: dict[str, float] = {}
    for setting in settings:
        name, equals, text = setting.partition("=")
        if name not in FAULTS:
            raise FaultError(f"unknown fault {name!r}; known: {', '.join(sorted(FAULTS))}")
        try:
            share = float(text) if equals else 1.0
        except ValueError:
            raise FaultError(f"fault {name}: {text!r} is not a share") from None
        if not 0 <= share <= 1:
            raise FaultError(f"fault {name}: its share must be from 0 to 1, not {text}")
        shares[name] = share
    if sum(shares.values()) > 1 + 1e-9:
        raise FaultError(f"the faults' shares add up to {sum(shares.values()):g}, more than 1")
    return shares


def spoil(answer: Answer, fault: str | None, stream: bool = False) -> None:
    """Changes an answer in place as one of SPOILT says; other faults leave it alone.

    `response_cache` and `cross` need answers given before (`simulator.earlier_replies`).
    """
    match fault:
        case "stream_usage" if stream:
            answer.prompt_tokens += 2000
            answer.total_tokens += 2000
        case "stream_cost" if stream:
            answer.cost = round(answer.cost * 4, 9)
        case "empty":
            answer.choices = [Choice(content="") for _ in answer.choices]
        case "bad_usage":
            answer.total_tokens += 7
        case "negative_usage":
            answer.completion_tokens = -answer.completion_tokens
            answer.total_tokens = answer.prompt_tokens + answer.completion_tokens
        case "cost_jump":
            answer.cost = round(answer.cost * 100, 9)  # as the ledger does
        case "big_body":
            answer.choices = [Choice(content="x" * BIG_BODY_CHARS) for _ in answer.choices]
