"""What came back for one request, raw, and strict views of it that repair nothing. Pure."""

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Any

from compat.verdict import Finding, Settled, Verdict, broken, unsure
from recording.json_values import mapping, text
from recording.untrusted_text import quoted

ENVELOPE_KEYS = ("message", "msg", "detail", "error_msg")
_NOT_THE_FEATURE = {401, 402, 403, 407, 408, 425, 429}
"""Statuses about the key, the account or the load, which say nothing about a feature."""


OVERFLOW = ("context length", "context_length", "context window", "maximum context")


class Outcome(StrEnum):
    """How the exchange ended."""

    DONE = "done"  # the whole reply was read
    CLOSED = "closed"  # we closed the stream, as the check wants
    TIMEOUT = "timeout"
    RESET = "reset"  # the connection could not be made, or was lost before the reply
    CUT = "cut"  # the connection was lost during the reply


@dataclass(frozen=True, slots=True)
class Evidence:
    """One exchange. `pieces` are the body's bytes as they arrived, each with its seconds since
    the request was sent; header names are lower case. `sent` is the body that was sent.
    """

    sent: Mapping[str, Any] | None
    status: int | None
    headers: Mapping[str, str] = field(default_factory=dict)
    pieces: Sequence[tuple[float, bytes]] = ()
    outcome: Outcome = Outcome.DONE
    elapsed_s: float | None = None

    @property
    def body(self) -> bytes:
        return b"".join(piece for _, piece in self.pieces)

    @property
    def content_type(self) -> str:
        return self.headers.get("content-type", "").partition(";")[0].strip().lower()

    @property
    def streamed(self) -> bool:
        """Whether a stream was requested."""
        return bool((self.sent or {}).get("stream"))

    @property
    def request_id(self) -> str:
        """The gateway's id of the request; empty if it gives none."""
        names = ("x-request-id", "request-id", "x-generation-id", "x-litellm-call-id")
        return next((self.headers[name] for name in names if self.headers.get(name)), "")


def strict_json(raw: bytes) -> Any:
    """JSON as the RFC defines it: UTF-8, no NaN, nothing after it. Raises ValueError.

    Bytes that are not UTF-8 become U+FFFD, as a client shows them.
    """
    try:
        return json.loads(raw.decode("utf-8", "replace"), parse_constant=_no_number)
    except RecursionError:
        raise ValueError("too deep") from None


def _no_number(name: str) -> Any:
    raise ValueError(f"{name} is not a number")


def error_of(evidence: Evidence) -> Mapping[str, Any] | None:
    """The error envelope: `{"error": {"message": ...}}` with a message; None if there is none.

    A message at the top level, or `error` as a string, counts as well: clients show it.
    """
    try:
        body = mapping(strict_json(evidence.body))
    except ValueError:
        return None
    error = body.get("error")
    if text(error):
        return {"message": error}
    for candidate in (mapping(error), body):
        for key in ENVELOPE_KEYS:
            value = candidate.get(key)
            if value and (isinstance(value, str) or key == "detail"):
                return {**candidate, "message": value if isinstance(value, str) else str(value)}
    return None


def error_text(evidence: Evidence) -> str:
    """The status and the first words of an error, for use in a fact."""
    error = error_of(evidence)
    words = error["message"] if error else evidence.body[:120].decode("utf-8", "replace")
    return f"HTTP {evidence.status}: {quoted(words, 120)}"


def names_any(error: Mapping[str, Any], names: Sequence[str]) -> bool:
    """Whether an error names one of these in its message, `param` or `code`."""
    parts = (error.get(key) for key in ("message", "param", "code"))
    error_words = " ".join(str(part) for part in parts if part is not None).casefold()
    return any(name.casefold() in error_words for name in names)


def answered(evidence: Evidence, names: Sequence[str]) -> Evidence:
    """The evidence if it is a 200 that was read completely. Raises Settled otherwise.

    `names`: words that a clear refusal of the feature would contain.
    """
    status = evidence.status
    if evidence.outcome in (Outcome.TIMEOUT, Outcome.RESET, Outcome.CUT) or status is None:
        after = "" if evidence.elapsed_s is None else f" after {evidence.elapsed_s:.1f} s"
        raise Settled(broken(f"{evidence.outcome}{after}, HTTP {status or 'none'}"))
    if 200 <= status < 300:
        return evidence
    if status in _NOT_THE_FEATURE:
        raise Settled(unsure(f"{error_text(evidence)} (key, account or load)"))
    if not 400 <= status < 500:
        raise Settled(broken(error_text(evidence)))
    error = error_of(evidence)
    if error is None:
        raise Settled(broken(f"{error_text(evidence)} (no error envelope)"))
    if "context" not in names and names_any(error, OVERFLOW):
        raise Settled(unsure(f"{error_text(evidence)} (longer than the model takes)"))
    if names_any(error, names):
        raise Settled(Finding(Verdict.REFUSED, error_text(evidence)))
    raise Settled(unsure(f"{error_text(evidence)} (it does not say what it refuses)"))


def object_of(evidence: Evidence, names: Sequence[str]) -> Mapping[str, Any]:
    """The JSON object of a plain 200. Raises Settled if there is none, or if it is an error."""
    raw = answered(evidence, names).body
    try:
        body = strict_json(raw)
    except ValueError as error:
        excerpt = quoted(raw[:60].decode("utf-8", "replace"))
        raise Settled(broken(f"HTTP 200 without JSON ({error}): {excerpt}")) from None
    if not isinstance(body, dict):
        raise Settled(broken("HTTP 200 whose JSON is not an object"))
    if body.get("error"):
        raise Settled(broken(f"HTTP 200 with an error: {error_text(evidence)}"))
    return body
