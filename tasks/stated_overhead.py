"""Reads headers in which a gateway states its own or its upstream's time. Pure.

Two things that must not be mixed: what the gateway *added* (LiteLLM, Kong's proxy latency, a
`Server-Timing` metric of that name), and what its *upstream* took (OpenAI, Envoy, Kong). Names are
in lower case. A value that is absent, negative or not a number is unknown. A time longer than the
whole answer is kept in the row with a flag, but in no statistic (`odd_time`). Stated times never
change measured ones.
"""

import math
import re
from collections.abc import Iterator, Mapping
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
_KINDS = (("overhead", OVERHEAD_MS, _ADDED), ("upstream", UPSTREAM_MS, _UPSTREAM))
_NOTHING = ("", "none", "null", "nan", "undefined", "-")
"""How gateways write an unknown value (LiteLLM: `None`)."""
_ROUNDED_S = 0.001


class StatedTimes(TypedDict, total=False):
    """Times from the headers, with the record's names."""

    stated_overhead_s: float | None
    stated_upstream_s: float | None
    stated_times_from: str | None


def stated_times(headers: Mapping[str, str]) -> StatedTimes:
    """The times that an answer's headers state, seconds, and which headers those are."""
    times: dict[str, tuple[float, str]] = {}
    for kind, source, text in _candidates(headers):
        if kind not in times and (stated_s := _seconds(text)) is not None:
            times[kind] = stated_s, source
    if not times:
        return {}
    overhead, upstream = times.get("overhead"), times.get("upstream")
    names = dict.fromkeys(time[1] for time in (overhead, upstream) if time is not None)
    return {
        "stated_overhead_s": overhead and overhead[0],
        "stated_upstream_s": upstream and upstream[0],
        "stated_times_from": " ".join(names),
    }


def odd_time(headers: Mapping[str, str], elapsed_s: float | None) -> str | None:
    """A description of an impossible stated time; None: there is none."""
    for _, source, text in _candidates(headers):
        header, stated_s = f"{source}: {text.strip()[:80]!r}", _seconds(text)
        if stated_s is None:
            if text.strip().casefold() not in _NOTHING:
                return f"{header} is not a valid time"
        elif _too_long(stated_s, elapsed_s):
            return f"{header} is more than the {round((elapsed_s or 0) * 1000, 3):g} ms of it all"
    return None


def _candidates(headers: Mapping[str, str]) -> Iterator[tuple[str, str, str]]:
    """Candidates for times: kind, header and text; the best names first."""
    timing = _server_timing(headers[_TIMING]) if _TIMING in headers else {}
    for kind, names, metrics in _KINDS:
        for name in names:
            if name in headers:
                yield kind, name, headers[name]
        for metric in metrics:
            if metric in timing:
                yield kind, _TIMING, timing[metric]


def _seconds(milliseconds: str) -> float | None:
    number = numeric(milliseconds.strip())
    if number is None or not 0 <= number < math.inf:
        return None
    return round(number / 1000, 9)


def _too_long(stated_s: float, elapsed_s: float | None) -> bool:
    """Whether a part took longer than the whole, whole milliseconds being rounded up."""
    return elapsed_s is not None and stated_s > elapsed_s + _ROUNDED_S


def _server_timing(text: str) -> dict[str, str]:
    """The `dur` of each metric (W3C Server Timing: `name;dur=12.3;desc="...", name;dur=4`)."""
    timings: dict[str, str] = {}
    for part in re.sub(r'"[^"]*"', "", text[:2000]).split(","):
        name, *fields = (field.strip().casefold() for field in part.split(";"))
        for field in fields:
            key, _, value = field.partition("=")
            if key.strip() == "dur":
                timings.setdefault(name, value)
    return timings
