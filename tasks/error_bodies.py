"""Reads a gateway's errors: their envelope, cause, and stated wait. Pure.

Envelopes: OpenAI (`error`), OpenRouter (`error` of a choice, `error.metadata`), vLLM and Anthropic
(`object` or `type` says "error"), FastAPI (`detail`, a text or a list), Kong and AWS (`message`),
one-api, Spring and others (`code` with `msg`, `success`), Baidu (`error_code`, `error_msg`),
MiniMax (`base_resp`), Cloudflare (`errors`), RFC 9457 (`title`, `detail`), Apigee (`fault`), Google
(a list of one).
"""

import json
import re
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from recording.json_values import Json, as_json, mapping, numeric, text
from recording.outcome import Outcome, of_status
from tasks.causes import cause, refusal_in_words, status_in_words
from tasks.headers import LONGEST_S

MESSAGES = (
    "message", "msg", "detail", "error_msg", "error_message", "errorMessage", "errmsg", "err_msg",
    "status_msg", "error_description", "faultstring", "Message", "title", "reason",
)  # fmt: skip
CODES = ("code", "error_code", "errorCode", "errcode", "err_code", "status_code", "statusCode",
         "Code")  # fmt: skip
_INSIDE = ("error", "errors", "base_resp", "fault", "Error", "Response", "err")
_ASIDE = ("title", "reason")  # beside an error's message; alone, of anything
_FINE = ("", "0", "200", "ok", "success", "none", "null")


@dataclass(frozen=True, slots=True)
class Complaint:
    """An error as the gateway worded it; `status` if its body carries an HTTP status as code.

    `cause` is the outcome that its words name, whatever the status; None: they name none.
    """

    type: str | None
    message: str
    status: int | None
    cause: Outcome | None = None


def unlisted(body: object) -> Json:
    """A body or chunk that is an object, or (Google's compatible endpoint) a list of one."""
    return mapping(body[0] if isinstance(body, list) and body else body)


def trouble(body: object) -> object | None:
    """The error in a body or chunk; None: it has none."""
    error = unlisted(body)
    if error.get("error"):
        return worded(error)
    choices = error.get("choices")
    if isinstance(choices, list):
        first: object = mapping(choices[0]).get("error") if choices else None
        return first or None
    kind = f"{error.get('object') or ''}{error.get('type') or ''}"
    if "error" in kind:
        return error
    for name in _INSIDE:
        inner: object = error.get(name)
        if not inner:
            continue
        head: object = inner[0] if isinstance(inner, list) else inner
        if isinstance(head, str) and head.strip() or trouble(head) is not None:
            return inner
    if kind and all(error.get(name) is None for name in CODES) and not _status(error.get("status")):
        return None  # an event of another kind, e.g. how far the request is in a queue
    return error if _fails(error) else None


def worded(body: Json) -> object:
    """The part of an error body with the message: its `error`, or the body itself.

    Spring, Go, OAuth and others name the kind in `error`, as a text or `true`, and say beside it
    what happened; others put a code into `error` and the words beside it.
    """
    error: object = body.get("error")
    if not error:
        return body
    if isinstance(error, list) or _as_object(error):
        return error
    beside = {name: value for name, value in body.items() if name not in _ASIDE}
    if isinstance(error, dict) and (_message(error) is not None or _within(error)):
        return error
    return body if (_message(beside) or "").strip() else error


def _within(body: Json) -> bool:
    return any(body.get(name) for name in _INSIDE)


def _as_object(value: object) -> Json | list[Any] | None:
    """The JSON that a text holds: what a gateway passes on of its provider, quoted."""
    if not isinstance(value, str) or value.lstrip()[:1] not in ("{", "["):
        return None
    try:
        parsed = json.loads(value)
    except (ValueError, RecursionError):
        return None
    return parsed if isinstance(parsed, dict | list) and parsed else None


def _fails(body: Json) -> bool:
    """Whether an envelope without choices reports a failure: words, and no code of success."""
    if body.get("success") is False or _status(body.get("status")):
        return True
    codes = [body[name] for name in CODES if body.get(name) is not None]
    if any(f"{code}".strip().lower() in _FINE for code in codes):
        return False
    return _message({name: body[name] for name in body if name not in _ASIDE}) is not None


def complaint(error: object) -> Complaint:
    """Read `error` of a body: an object {message, type, code}, possibly nested, or any text.

    A text that is JSON is parsed. Values of the outer object are kept if the inner one lacks them.
    """
    outer: Json = {}
    for _ in range(6):
        inner: object = error[0] if isinstance(error, list) and len(error) == 1 else None
        if isinstance(error, dict):
            quoted = _as_object(_message(error))
            if quoted is not None and (not isinstance(quoted, dict) or trouble(quoted) is not None):
                inner, outer = quoted, {**outer, **error}
            elif _message(error) is None:
                inner = next((error[name] for name in _INSIDE if error.get(name)), None)
        elif inner is None:
            inner = _as_object(error)
        if not inner:
            break
        error = inner
    fields = mapping(error)
    if not fields:
        several = _listed(error) if isinstance(error, list) else None
        words = several or (as_json(error) if isinstance(error, list) else str(error))
        return Complaint(None, words, status_in_words(words), cause(_named(outer), words))
    outer = {**mapping(fields.get("error")), **outer}  # a code there, and the words beside it
    kind = _kind(fields) or _kind(outer)
    codes = _codes(fields) or _codes(outer)
    status = next((n for code in (*codes, fields.get("status")) if (n := _status(code))), None)
    message = _message(fields)
    label = fields.get("error") if isinstance(fields.get("error"), str) else None
    if label and message is not None and status_in_words(message) and not status_in_words(label):
        message = label  # "Internal Server Error" is the least that can be said
    if kind is None and codes:
        kind = str(codes[0])
    text = message if message is not None else as_json(error)
    wait_s = wait_in_body({"error": fields})
    words = f"{text}\n{label}" if label and label != text else text
    named = [*_named(fields), *_named(outer)]
    return Complaint(
        kind,
        text,
        status or status_in_words(text) or status_in_words(label or ""),
        cause(named, words, wait_s),
    )


def _codes(error: Json) -> list[object]:
    return [error[name] for name in CODES if error.get(name) is not None]


def _kind(error: Json) -> str | None:
    """The kind of an error in its gateway's words: its type, its code, or its `error`."""
    kinds = (error.get("type"), *_codes(error), error.get("error"))
    return next((k for k in kinds if isinstance(k, str) and k not in ("", "None")), None)


def _named(error: Json) -> list[str]:
    """All that may name a cause; LiteLLM writes "None" for none."""
    names = [error.get("type"), error.get("status"), error.get("error"), *_reasons(error)]
    return [name for name in names if isinstance(name, str)] + [str(c) for c in _codes(error)]


def _status(code: object) -> int | None:
    number = numeric(code)
    return int(number) if number is not None and 400 <= number < 600 else None


def _message(error: Json) -> str | None:
    blank = None
    for name in MESSAGES:
        value = error.get(name)
        if isinstance(value, str):
            if value.strip():
                return value
            blank = value
        if isinstance(value, list) and (words := _listed(value)):
            return words
    return blank


def _listed(parts: list[Any]) -> str | None:
    """FastAPI's list of what is wrong, and its kin: each message with its place."""
    listed = []
    for part in parts[:20]:
        fields = mapping(part)
        words = (
            part
            if isinstance(part, str)
            else text(fields.get("msg")) or text(fields.get("message"))
        )
        if not words:
            continue
        place = fields.get("loc", fields.get("path", fields.get("field", fields.get("param"))))
        if isinstance(place, list):
            place = ".".join(str(step) for step in place)
        listed.append(f"{words} ({place})" if place not in (None, "") else words)
    return "; ".join(listed) or None


def _reasons(error: Json) -> Iterator[object]:
    """More specific causes at deeper levels: Google's, Azure's, OpenRouter's, AWS's."""
    details = error.get("details")
    for detail in details if isinstance(details, list) else ():
        yield mapping(detail).get("reason")
    yield mapping(error.get("innererror")).get("code")
    if "flagged_input" in mapping(error.get("metadata")):
        yield "moderation_blocked"  # OpenRouter's 403
    if isinstance(kind := error.get("__type"), str):
        yield kind.rpartition("#")[2]  # AWS


_TOLD_APART = (402, 429)  # what a gateway passes on of its provider under a status of its own


def outcome_of(in_body: Complaint, status: int | None) -> Outcome:
    """The outcome of a complaint: its stated cause, otherwise its HTTP status, otherwise a
    server error.
    """
    if in_body.cause is not None and status != 407:
        return in_body.cause
    if in_body.status is None and (words := refusal_in_words(in_body.message, status)) is not None:
        return words
    if in_body.status in _TOLD_APART:
        return of_status(in_body.status or 0)
    if status is not None and status >= 300:
        return of_status(status)
    return of_status(in_body.status) if in_body.status else Outcome.SERVER_ERROR


# ---- how long to wait

_WAITS = {
    "retry_after_ms": 0.001,
    "retry_after": 1.0,
    "retryAfter": 1.0,
    "retry_after_seconds": 1.0,
}
_IN_WORDS = re.compile(
    r"(?:try again|retry|retrying|wait)(?: your request)?(?: again)?(?: in| after)?:? "
    r"(?:about )?((?:\d+(?:\.\d+)? ?(?:ms|milliseconds?|s|secs?|seconds?|m|mins?|minutes?|h|hours?)"
    r"\b ?)+|(?:\d+h)?(?:\d+m)?\d+(?:\.\d+)?s\b)",
    re.I,
)
_PART = re.compile(r"(\d+(?:\.\d+)?) ?(ms|milli|s|m|h)", re.I)
_UNITS = {"ms": 0.001, "milli": 0.001, "s": 1.0, "m": 60.0, "h": 3600.0}


def wait_in_body(body: Json, now_s: float | None = None) -> float | None:
    """Seconds to wait stated in a refusal's body or in its `error`; None: none.

    In fields, in Google's `retryDelay`, in the headers that OpenRouter passes on of its provider (a
    reset is counted from `now_s`, wall clock), or in the message's words.
    """
    parts = [mapping(unlisted(body.get("error"))), body]
    for part in parts:
        for name, unit_s in _WAITS.items():
            number = numeric(part.get(name))
            if number is not None and number >= 0:
                return number * unit_s
    for part in parts:
        details = part.get("details")
        for detail in details if isinstance(details, list) else ():
            wait_s = duration_s(mapping(detail).get("retryDelay"))
            if wait_s is not None:
                return wait_s
        passed_on = mapping(mapping(part.get("metadata")).get("headers"))
        headers = {str(name).lower(): value for name, value in passed_on.items()}
        wait_s = numeric(headers.get("retry-after"))
        if wait_s is None:
            wait_s = until_s(headers.get("x-ratelimit-reset"), now_s)
        if wait_s is not None and wait_s >= 0:
            return wait_s
    for part in parts:
        match = _IN_WORDS.search((_message(part) or "")[:2000])
        if match is not None:
            return duration_s(match[1])
    return None


def duration_s(value: object) -> float | None:
    """Seconds in a text such as `17s`, `6m0s`, `350ms` or `2 minutes`; None: it is not a
    duration.
    """
    if not isinstance(value, str):
        return None
    parts = _PART.findall(value)
    return sum(float(n) * _UNITS[unit.lower()] for n, unit in parts) if parts else None


def until_s(reset: object, now_s: float | None) -> float | None:
    """Seconds until a reset: an epoch in seconds or milliseconds, or the seconds themselves."""
    number = numeric(reset)
    if number is None or number < 0:
        return None
    if number < LONGEST_S:
        return number
    if now_s is None:
        return None
    epoch_s = number / 1000 if number > 1e11 else number
    return max(0.0, epoch_s - now_s) if epoch_s - now_s < LONGEST_S else None
