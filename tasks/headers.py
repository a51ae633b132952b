"""Reads a gateway's headers: its request id, its limits, and how long to wait. Pure.

Sources: OpenAI (x-ratelimit-*), LiteLLM (x-litellm-call-id, llm_provider-*), Anthropic
(anthropic-ratelimit-*), the IETF's draft (RateLimit), RFC 9110 (Retry-After). Names are in lower
case. A field that is absent or makes no sense is None: unknown, never 0.
"""

import re
from collections.abc import Mapping
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from typing import TypedDict

from recording.json_values import numeric, whole_number

_ID_HEADERS = (
    "x-request-id", "x-generation-id", "x-litellm-call-id", "request-id", "apim-request-id",
    "x-oneapi-request-id", "x-kong-request-id", "x-amzn-requestid", "cf-ray",
)  # fmt: skip


class HeaderFacts(TypedDict, total=False):
    """Facts from the answer's headers, with the record's names."""

    gateway_request_id: str | None
    retry_after_s: float | None
    ratelimit_limit_requests: int | None
    ratelimit_remaining_requests: int | None
    ratelimit_limit_tokens: int | None
    ratelimit_remaining_tokens: int | None


def header_facts(headers: Mapping[str, str], now: datetime | None = None) -> HeaderFacts:
    """Request id, advertised limits and Retry-After from the headers (lower-case names)."""
    facts: HeaderFacts = {
        "gateway_request_id": next((headers[n] for n in _ID_HEADERS if n in headers), None),
        "retry_after_s": retry_after_s(headers, now),
    }
    for name in headers:
        if "ratelimit" in name:
            break
    else:
        return facts
    for which in ("limit", "remaining"):
        for what in ("requests", "tokens"):
            facts[f"ratelimit_{which}_{what}"] = _limit(headers, which, what)  # type: ignore[literal-required]
    return facts


def _limit(headers: Mapping[str, str], which: str, what: str) -> int | None:
    """OpenAI's header, otherwise LiteLLM's key limit, Anthropic's, LiteLLM's provider's, the
    IETF's.
    """
    for name in (
        f"x-ratelimit-{which}-{what}",
        f"x-ratelimit-api_key-{which}-{what}",
        f"anthropic-ratelimit-{what}-{which}",
        f"llm_provider-x-ratelimit-{which}-{what}",
    ):
        number = numeric(headers.get(name))
        if number is not None:
            return whole_number(int(number))
    return _of_a_minute(headers, which) if what == "requests" else None


def _of_a_minute(headers: Mapping[str, str], which: str) -> int | None:
    """The limit of requests in the words of the IETF's drafts, old and new; None: none a minute.

    draft-ietf-httpapi-ratelimit-headers: `RateLimit-Limit: 100, 100;w=60`, then `RateLimit:
    limit=100, remaining=50, reset=5`, then `RateLimit: "a";r=50;t=5` and its policy `"a";q=100`.
    """
    policy, now = headers.get("ratelimit-policy", ""), headers.get("ratelimit", "")
    alone = headers.get(f"ratelimit-{which}", headers.get(f"x-ratelimit-{which}", ""))
    windows = re.findall(r";\s*w=(\d+)", f"{policy},{headers.get('ratelimit-limit', '')}")
    resets = [headers.get("ratelimit-reset", ""), *re.findall(r"\b(?:reset|t)=(\d+)", now)]
    if any(float(window) != 60 for window in windows) or "qu=" in policy:
        return None
    if any((numeric(reset) or 0) > 60 for reset in resets):
        return None
    name, text = ("q", policy) if which == "limit" else ("r", now)
    limits = (
        re.match(rf"\s*({_COUNT})", alone)
        or re.search(rf"{which}=({_COUNT})", now)
        or re.search(rf";\s*{name}=({_COUNT})", text)
    )
    return int(limits[1]) if limits is not None else None


LONGEST_S = 31 * 86400.0
"""Longest wait; a longer one is probably a date or another number."""
_COUNT = r"\d{1,18}\b"  # what a 64-bit column can hold


def retry_after_s(headers: Mapping[str, str], now: datetime | None = None) -> float | None:
    """Seconds the gateway asks the client to wait: `retry-after-ms`, otherwise `retry-after` (RFC
    9110 10.2.3).

    An HTTP date is counted from `now` (wall clock, UTC); one in the past is 0. A provider's value
    passed on by LiteLLM counts if LiteLLM states none itself.
    """
    milliseconds = numeric(headers.get("retry-after-ms"))
    if milliseconds is not None and 0 <= milliseconds <= LONGEST_S * 1000:
        return milliseconds / 1000
    header = headers.get("retry-after", headers.get("llm_provider-retry-after"))
    seconds = numeric(header)
    if seconds is not None or header is None:
        return seconds if seconds is None or 0 <= seconds <= LONGEST_S else None
    try:
        when = parsedate_to_datetime(header)
    except (ValueError, OverflowError):
        return None
    if when.tzinfo is None:
        when = when.replace(tzinfo=UTC)
    wait_s = max(0.0, (when - (now or datetime.now(UTC))).total_seconds())
    return wait_s if wait_s <= LONGEST_S else None


def odd_wait(headers: Mapping[str, str]) -> str | None:
    """A description of an invalid stated wait; None: it is valid, or there is none."""
    for name in ("retry-after-ms", "retry-after", "llm_provider-retry-after"):
        if headers.get(name) is not None:
            if retry_after_s({name: headers[name]}) is None:
                return f"{name}: {headers[name][:80]!r} is not a valid wait"
            return None
    return None
