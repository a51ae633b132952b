"""How long a gateway says that it, or its upstream, took: headers beside what we measure. Pure.

Two things that must not be mixed: what the gateway *added* (LiteLLM, Kong's proxy latency, a
`Server-Timing` metric of that name), and what its *upstream* took (OpenAI, Envoy, Kong).
Names are in lower case. What is absent, negative or no number is unknown.
"""

import math
import re
from collections.abc import Mapping
from typing import TypedDict

from recording.json_values import numeric

OVERHEAD_MS = ("x-litellm-overhead-duration-ms", "x-kong-proxy-latency")
UPSTREAM_MS = (
    "x-envoy-upstream-service-time", "x-kong-upstream-latency", "openai-processing-ms",
    "llm_provider-openai-processing-ms",
)  # fmt: skip
_ADDED = ("overhead", "gateway", "proxy")
_UPSTREAM = ("upstream", "origin", "provider", "processing", "inference", "llm", "model")
_TIMING = "server-timing"


class StatedTimes(TypedDict, total=False):
    """What the headers say, named as the record names it."""

    stated_overhead_s: float | None
    stated_upstream_s: float | None
    stated_times_from: str | None


def stated_times(headers: Mapping[str, str]) -> StatedTimes:
    """The times that an answer's headers state, seconds, and which headers those are."""
    timing = _server_timing(headers.get(_TIMING, ""))
    overhead, from_one = _first(headers, OVERHEAD_MS, timing, _ADDED)
    upstream, from_other = _first(headers, UPSTREAM_MS, timing, _UPSTREAM)
    if overhead is None and upstream is None:
        return {}
    names = dict.fromkeys(name for name in (from_one, from_other) if name)
    return {
        "stated_overhead_s": overhead,
        "stated_upstream_s": upstream,
        "stated_times_from": " ".join(names),
    }


def _first(
    headers: Mapping[str, str],
    names: tuple[str, ...],
    timing: Mapping[str, float],
    metrics: tuple[str, ...],
) -> tuple[float | None, str]:
    for name in names:
        milliseconds = numeric(headers.get(name))
        if milliseconds is not None and milliseconds >= 0:
            return round(milliseconds / 1000, 9), name
    for metric in metrics:
        if metric in timing:
            return round(timing[metric] / 1000, 9), _TIMING
    return None, ""


def _server_timing(text: str) -> dict[str, float]:
    """Milliseconds by metric (W3C Server Timing: `name;dur=12.3;desc="...", name;dur=4`)."""
    found: dict[str, float] = {}
    for part in re.sub(r'"[^"]*"', "", text[:2000]).split(","):
        name, *fields = (field.strip().casefold() for field in part.split(";"))
        for field in fields:
            key, _, value = field.partition("=")
            number = numeric(value.strip()) if key.strip() == "dur" else None
            if number is not None and 0 <= number < math.inf:
                found.setdefault(name, number)
    return found
