"""What a gateway says went wrong: in which envelope, with which cause, and how long to wait. Pure.

Envelopes: OpenAI (`error`), OpenRouter (`error` of a choice, `error.metadata`), vLLM and Anthropic
(`object` or `type` says "error"), FastAPI (`detail`, a text or a list), Kong and AWS (`message`),
one-api, Spring and others (`code` with `msg`, `success`), Baidu (`error_code`, `error_msg`),
MiniMax (`base_resp`), Cloudflare (`errors`), RFC 9457 (`title`, `detail`), Apigee (`fault`), Google
(a list of one).
"""

import re
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from recording.outcome import Outcome, of_status
from tasks.headers import LONGEST_S
from tasks.values import Json, as_json, mapping, numeric, text

MESSAGES = (
    "message", "msg", "detail", "error_msg", "error_message", "errorMessage", "errmsg", "err_msg",
    "status_msg", "error_description", "faultstring", "Message", "title", "reason",
)  # fmt: skip
CODES = ("code", "error_code", "errorCode", "errcode", "err_code", "status_code", "Code")
_INSIDE = ("error", "errors", "base_resp", "fault", "Error", "Response", "err")
_ASIDE = ("title", "reason")  # beside an error's message; alone, of anything
_FINE = ("", "0", "200", "ok", "success", "none", "null")


@dataclass(frozen=True, slots=True)
class Complaint:
    """An error as the gateway worded it; `status` when its body carries an HTTP status as code.

    `cause` is the outcome that its words stand for, whatever the status; None: they name none.
    """

    type: str | None
    message: str
    status: int | None
    cause: Outcome | None = None


def unlisted(body: object) -> Json:
    """A body or chunk that is an object, or (Google's compatible endpoint) a list of one."""
    return mapping(body[0] if isinstance(body, list) and body else body)


def trouble(body: object) -> object | None:
    """What a body or chunk says went wrong; None: it says no such thing."""
    said = unlisted(body)
    error: object = said.get("error")
    if error:
        return error
    choices = said.get("choices")
    if isinstance(choices, list):
        first: object = mapping(choices[0]).get("error") if choices else None
        return first or None
    kind = f"{said.get('object') or ''}{said.get('type') or ''}"
    if "error" in kind:
        return said
    for name in _INSIDE:
        inner: object = said.get(name)
        if not inner:
            continue
        head: object = inner[0] if isinstance(inner, list) else inner
        if isinstance(head, str) and head.strip() or trouble(head) is not None:
            return inner
    if kind and all(said.get(name) is None for name in CODES):
        return None  # an event of another kind, e.g. how far the request is in a queue
    return said if _fails(said) else None


def _fails(said: Json) -> bool:
    """Whether an envelope without choices reports a failure: words, and no code of success."""
    if said.get("success") is False:
        return True
    codes = [said[name] for name in CODES if said.get(name) is not None]
    if any(f"{code}".strip().lower() in _FINE for code in codes):
        return False
    return _message({name: said[name] for name in said if name not in _ASIDE}) is not None


def complaint(error: object) -> Complaint:
    """Read `error` of a body: an object {message, type, code}, one inside another, or any text."""
    for _ in range(4):
        inner: object = error[0] if isinstance(error, list) and len(error) == 1 else None
        if inner is None and _message(mapping(error)) is None:
            said = mapping(error)
            inner = next((said[name] for name in _INSIDE if said.get(name)), None)
        if not inner:
            break
        error = inner
    said = mapping(error)
    if not said:
        several = _listed(error) if isinstance(error, list) else None
        shown = several or (as_json(error) if isinstance(error, list) else str(error))
        return Complaint(None, shown, None, _cause((), shown))
    codes = [said[name] for name in CODES if said.get(name) is not None]
    names = [said.get("type"), *codes, said.get("status"), *_reasons(said)]
    status = next((n for code in (*codes, said.get("status")) if (n := _status(code))), None)
    words = [str(name) for name in names if isinstance(name, str)]
    kinds = (word for word in (said.get("type"), *codes) if isinstance(word, str))
    kind = next((word for word in kinds if word not in ("", "None")), None)  # LiteLLM: "None"
    message = _message(said)
    if kind is None and codes:
        kind = str(codes[0])
    told = message if message is not None else as_json(error)
    wait_s = wait_in_body({"error": said})
    return Complaint(kind, told, status, _cause([*words, *map(str, codes)], told, wait_s))


def _status(code: object) -> int | None:
    number = numeric(code)
    return int(number) if number is not None and 400 <= number < 600 else None


def _message(said: Json) -> str | None:
    for name in MESSAGES:
        value = said.get(name)
        if isinstance(value, str):
            return value
        if isinstance(value, list) and (words := _listed(value)):
            return words
    return None


def _listed(parts: list[Any]) -> str | None:
    """FastAPI's list of what is wrong, and its kin: each message with its place."""
    found = []
    for part in parts[:20]:
        said = mapping(part)
        words = (
            part if isinstance(part, str) else text(said.get("msg")) or text(said.get("message"))
        )
        if not words:
            continue
        place = said.get("loc", said.get("path", said.get("field", said.get("param"))))
        if isinstance(place, list):
            place = ".".join(str(step) for step in place)
        found.append(f"{words} ({place})" if place not in (None, "") else words)
    return "; ".join(found) or None


def _reasons(said: Json) -> Iterator[object]:
    """Finer causes, which stand deeper: Google's, Azure's, OpenRouter's, AWS's."""
    details = said.get("details")
    for detail in details if isinstance(details, list) else ():
        yield mapping(detail).get("reason")
    yield mapping(said.get("innererror")).get("code")
    if "flagged_input" in mapping(said.get("metadata")):
        yield "moderation_blocked"  # OpenRouter's 403
    if isinstance(kind := said.get("__type"), str):
        yield kind.rpartition("#")[2]  # AWS


CAUSES: dict[Outcome, str] = {
    Outcome.PAYMENT_REQUIRED: "insufficient_quota insufficient_user_quota insufficient_balance "
    "insufficientbalance insufficient_credits insufficient_credit insufficient_funds "
    "insufficient_account_balance credit_balance_too_low billing_hard_limit_reached "
    "billing_not_active payment_required budget_exceeded exceeded_current_quota_error arrearage "
    "accountoverdueerror account_overdue pre_consume_token_quota_failed quota_not_enough "
    "billing_error out_of_credits",
    Outcome.RATE_LIMITED: "rate_limit_exceeded rate_limit_error rate_limit_reached_error "
    "rate_limited ratelimitreached ratelimitexceeded rate_limit too_many_requests toomanyrequests "
    "throttlingexception throttling requests_rate_limit_exceeded tokens_rate_limit_exceeded "
    "resource_exhausted",
    Outcome.AUTH: "invalid_api_key authentication_error api_key_invalid unauthenticated "
    "incorrect_api_key invalidapikey invalid_authentication_error permission_denied",
    Outcome.NOT_FOUND: "model_not_found deploymentnotfound not_found_error model_not_exist "
    "resource_not_found_error",
    Outcome.FILTERED: "content_filter content_policy_violation responsibleaipolicyviolation "
    "data_inspection_failed datainspectionfailed content_filter_error moderation_blocked",
}
_BY_WORD = {word: outcome for outcome, words in CAUSES.items() for word in words.split()}
_NO_MONEY = re.compile(
    r"insufficient (?:account )?(?:balance|credits?|funds|quota)|credit balance is too low"
    r"|requires more credits|account balance is (?:insufficient|not enough)|out of credits"
    r"|余额不足|欠费|额度不足",
    re.I,
)


def _cause(words: Any, message: str, wait_s: float | None = None) -> Outcome | None:
    """The outcome that an error's type, code or reason names, e.g. `insufficient_quota`.

    Words before the message; in a message only that there is no money, and not where the gateway
    says how long to wait: then waiting helps. Of several, money first: it is in no status.
    """
    found = [_BY_WORD.get(word.strip().lower().replace("-", "_")) for word in words]
    if Outcome.PAYMENT_REQUIRED in found:
        return Outcome.PAYMENT_REQUIRED
    if wait_s is None and _NO_MONEY.search(message[:2000]):
        return Outcome.PAYMENT_REQUIRED
    return next((outcome for outcome in found if outcome is not None), None)


_TOLD_APART = (402, 429)  # what a gateway passes on of its provider under a status of its own


def outcome_of(said: Complaint, status: int | None) -> Outcome:
    """What a complaint is called: its stated cause, else its HTTP status, else a server's error."""
    if said.cause is not None and status != 407:
        return said.cause
    if said.status in _TOLD_APART:
        return of_status(said.status or 0)
    if status is not None and status >= 300:
        return of_status(status)
    return of_status(said.status) if said.status else Outcome.SERVER_ERROR


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
    """Seconds to wait that stand in a refusal's body, in it or in its `error`; None: none.

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
        found = _IN_WORDS.search((_message(part) or "")[:2000])
        if found is not None:
            return duration_s(found[1])
    return None


def duration_s(value: object) -> float | None:
    """Seconds in a text such as `17s`, `6m0s`, `350ms` or `2 minutes`; None: it is none."""
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
