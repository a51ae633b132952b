"""What ends a run early, or fails it. Pure."""

from dataclasses import dataclass
from functools import partial

from settings.option import option

BY_HAND = ("interactive",)
"""The mode in which a person is at hand."""
UNSTOPPED = (*BY_HAND, "compat")
"""The modes that no stop rule ends: a person does, or refusals are what they are after."""

_judging = partial(option, group="judging")


@dataclass(frozen=True, kw_only=True)
class Judging:
    """What ends a run early, or fails it."""

    fail_on: str = _judging(
        "",
        "end with exit code 1 if one of these is true, e.g. success_rate<0.99,p95_s>10,cost>0.5 "
        "(docs/how-to/ci.md lists them all)",
        anew=True,
        web=False,
    )
    slo: str = _judging(
        "",
        "TOML file with the service level objectives, on which goodput and attainment are based "
        "(docs/how-to/slo.md)",
        web=False,
    )
    junit: str = _judging(
        "", "write the results of --fail-on to this file, as JUnit XML", anew=True, web=False
    )
    require: str = _judging(
        "",
        "TOML file with the features that your application needs, by model: exit code 1 if one "
        "does not work (docs/how-to/compat.md)",
        modes=("compat",),
        sent=True,
        web=False,
    )
    stop_rule: str = _judging(
        "on",
        "end a climb or a window early on many 429, 5xx and timeouts, or if everything is refused "
        "from the start",
        choices=("on", "off"),
        not_modes=UNSTOPPED,
    )
    stop_error_rate: float = _judging(
        0.2,
        "share of these failures at which the stop rule acts",
        not_modes=UNSTOPPED,
        above=0,
        at_most=1,
    )
    stop_window: int = _judging(
        20,
        "number of the last completed requests of which that share is taken",
        not_modes=UNSTOPPED,
        above=0,
    )
    percentiles: str = _judging(
        "50,95,99", "which percentiles the report's tables show, e.g. 50,90,99,99.9"
    )
    stall_limit: float = _judging(
        0.5,
        "streams: a gap between chunks longer than this many seconds is a stall",
        seconds=True,
        above=0,
    )
