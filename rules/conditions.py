"""The conditions that fail a run: `success_rate<0.99,p95_s>10,cost>0.5`. Pure.

    conditions = condition { "," condition }
    condition  = metric sign limit            the run fails if the comparison is true
    sign       = "<" | "<=" | ">" | ">="
    limit      = a decimal number, never below 0

The grammar is here rather than beside the judge in `analysis.report.condition_checks`, because
options are read before anything is sent, in a process that should not load pandas.
"""

import math
import operator
import re
from collections.abc import Mapping
from dataclasses import dataclass, replace
from enum import StrEnum
from fractions import Fraction
from typing import Any

from recording.errors import OperatorError
from rules import condition_names, percentiles

_SIGNS = {"<": operator.lt, "<=": operator.le, ">": operator.gt, ">=": operator.ge}
_KEPT = {"<": "≥", "<=": ">", ">": "≤", ">=": "<"}
_CONDITION = re.compile(
    r"\s*(?P<metric>\w+)\s*(?P<sign><=|>=|<|>)\s*"
    r"(?P<limit>(?:[0-9]+\.?[0-9]*|\.[0-9]+)(?:[eE][+-]?[0-9]+)?)\s*"
)
_DIGITS = 12
"""Decimals that count in a comparison: sums of money carry binary rounding errors (0.1 + 0.2 >
0.3).
"""


class ConditionError(OperatorError):
    """A condition cannot be used; the message is one sentence for the operator."""


class Where(StrEnum):
    """The parts of a run on which a metric is judged."""

    EVERY = "every phase"
    WINDOWS = (
        "phases with a window: `rpm`, `tpm`, `soak`, `replay`, `ladder` with `--hold`, "
        "`interactive`"
    )
    SCHEDULED = "phases with due times: `rpm`, `tpm`, `soak`, `replay`, bursts of `ladder`"
    STREAMS = "phases that ask for streams"
    OBJECTIVES = "phases with an objective in `--slo`"
    MARKED = "phases that ask for a marker: `rpm`, `tpm`, `soak`, `ladder`, `cache`, `interactive`"
    JUDGED = "`tools` and `vision` phases"
    FAULTS = "every fault that requests met, and those that met none"
    PAIRS = "phases whose requests went to a reference too (`--against`)"
    RUN = "the whole run"


@dataclass(frozen=True, slots=True)
class Metric:
    """`number` is its name in summary.json; `unit` is `s`, `per minute`, `money` (the run's
    currency) or none: then it is a count, or a share from 0 to 1."""

    number: str
    where: Where
    meaning: str
    unit: str = ""
    share: bool = False


METRICS: dict[str, Metric] = {
    "success_rate": Metric(
        "success_rate",
        Where.EVERY,
        "successes / planned requests; failed and dropped requests count against it",
        share=True,
    ),
    "p50_s": Metric(
        "latency_p50_s", Where.EVERY, "median latency of the successes, send to last byte", "s"
    ),
    "p95_s": Metric("latency_p95_s", Where.EVERY, "95th percentile of that latency", "s"),
    "p99_s": Metric("latency_p99_s", Where.EVERY, "99th percentile of that latency", "s"),
    **{
        f"e2e_p{rank}_s": Metric(
            f"latency_p{rank}_s", Where.EVERY, f"`p{rank}_s`, by its name in an SLO", "s"
        )
        for rank in (50, 95, 99)
    },
    **{
        f"ttft_p{rank}_s": Metric(
            f"ttft_p{rank}_s",
            Where.STREAMS,
            f"{rank}th percentile of the time to the first token, reasoning or visible",
            "s",
        )
        for rank in (50, 95, 99)
    },
    **{
        f"tpot_p{rank}_s": Metric(
            f"tpot_p{rank}_s",
            Where.STREAMS,
            f"{rank}th percentile of the time per output token after the first",
            "s",
        )
        for rank in (50, 95, 99)
    },
    **{
        f"itl_p{rank}_s": Metric(
            f"itl_p{rank}_s",
            Where.STREAMS,
            f"{rank}th percentile of all gaps between chunks together",
            "s",
        )
        for rank in (50, 95, 99)
    },
    "stalls": Metric("stalls", Where.STREAMS, "gaps between chunks longer than `--stall-limit`"),
    "stalled_streams": Metric(
        "stalled_streams", Where.STREAMS, "streams that have one or more of them"
    ),
    "output_per_s": Metric(
        "output_per_s",
        Where.WINDOWS,
        "completion tokens of the successes, over the phase's wall clock",
        "per second",
    ),
    "attainment": Metric(
        "attainment",
        Where.OBJECTIVES,
        "requests that meet every request limit of `--slo` / planned requests",
        share=True,
    ),
    "goodput_rps": Metric(
        "goodput_rps",
        Where.OBJECTIVES,
        "requests that meet every request limit of `--slo`, over the phase's wall clock",
        "per second",
    ),
    "cost": Metric("cost_sum", Where.RUN, "the sum of the costs that the gateway states", "money"),
    "cost_per_success": Metric(
        "cost_per_success", Where.EVERY, "a phase's cost / its successes", "money"
    ),
    "observed_rpm": Metric(
        "observed_rpm", Where.WINDOWS, "successes, over the phase's wall clock", "per minute"
    ),
    "observed_tpm": Metric(
        "observed_tpm", Where.WINDOWS, "total tokens of the successes, likewise", "per minute"
    ),
    "dropped": Metric("dropped", Where.EVERY, "requests that were planned and never sent"),
    "failures": Metric("failures", Where.EVERY, "requests that were sent and did not succeed"),
    "unknown_costs": Metric(
        "cost_unknown_count", Where.EVERY, "requests that were sent and have no stated cost"
    ),
    "send_lag_p99_s": Metric(
        "send_lag_p99_s",
        Where.SCHEDULED,
        "99th percentile of sent - due: the generator's own lateness",
        "s",
    ),
    "marker_rate": Metric(
        "marker_rate",
        Where.MARKED,
        "share of the successes that return the requested marker",
        share=True,
    ),
    "checks_failed": Metric("checks_failed", Where.JUDGED, "answers that were judged wrong"),
    "flagged": Metric("flagged", Where.EVERY, "answers with a flag of any kind"),
    **{
        f"overhead_{base}{rank}_ms": Metric(
            f"{base}{rank}",
            Where.PAIRS,
            f"what the gateway adds to the {time}{what}: fails where all of the 95 % interval does",
            "ms",
        )
        for base, time in (("ttft", "TTFT"), ("total", "total time"), ("tpot", "TPOT"))
        for rank, what in (
            ("", " of a pair"),
            ("_p50", "'s P50"),
            ("_p95", "'s P95"),
            ("_p99", "'s P99"),
        )
        if not (base == "tpot" and rank)
    },
    "price_difference": Metric(
        "price_difference",
        Where.RUN,
        "the difference between stated costs and `--prices`, as a share of what the table gives "
        "for the same answers",
        share=True,
    ),
    "billing_findings": Metric(
        "billing_findings",
        Where.RUN,
        "mode billing: findings that cost the customer, each in two requests of a case at least",
    ),
    "billing_overcharge": Metric(
        "billing_overcharge",
        Where.RUN,
        "mode billing: what is charged beyond price x stated tokens, where a cost is stated",
        "money",
    ),
    "identity_differs": Metric(
        "identity_differs",
        Where.RUN,
        "tests of mode identity that say *differs*; unknown where answers were asked for and not "
        "judged",
    ),
    "budget_used": Metric("budget_used", Where.RUN, "money used / `--budget`", share=True),
    "budget_tokens_used": Metric(
        "budget_tokens_used", Where.RUN, "tokens used / `--budget-tokens`", share=True
    ),
}
MARKED = frozenset({"marker", "padded", "cache"})
JUDGED = frozenset({"tools", "vision"})
"""Kinds of request (`Phase.request`) that ask for a marker, and kinds whose answers are judged."""


_RANKED = {
    "": "p95_s", "e2e_": "e2e_p95_s", "ttft_": "ttft_p95_s", "tpot_": "tpot_p95_s",
    "itl_": "itl_p95_s",
}  # fmt: skip
"""Metrics that exist for any percentile: the prefix of their names, and one example."""


def _ranked(name: str, percent: Fraction) -> Metric | None:
    label = percentiles.label(percent)
    kin = _RANKED.get(name.removesuffix(f"{label}_s"))
    if kin is None:
        return None
    like = METRICS[kin]
    meaning = f"{percentiles.decimal(percent)}th percentile, as `{kin}` is the 95th"
    return replace(like, number=like.number.replace("p95", label), meaning=meaning)


def metric_of(name: str) -> Metric | None:
    """The metric of that name, e.g. `p95_s`; one of another percentile, e.g. `ttft_p99_9_s`; or a
    count of outcomes, statuses or flags."""
    if name in METRICS:
        return METRICS[name]
    if (percent := percentiles.of_name(name)) is not None:
        return _ranked(name, percent)
    meaning = condition_names.meaning(name)
    return None if meaning is None else Metric(name, Where.EVERY, meaning)


def has(where: Where, planned: Mapping[str, Any]) -> bool:
    """Whether a planned phase (in its manifest form) has the metrics of a kind."""
    match where:
        case Where.WINDOWS:
            return planned.get("duration_s") is not None or planned.get("kind") == "manual"
        case Where.SCHEDULED:
            return planned.get("kind") in ("arrivals", "burst")
        case Where.STREAMS:
            return bool(planned.get("stream"))
        case Where.MARKED:
            return planned.get("request") in MARKED
        case Where.PAIRS:
            return bool(planned.get("pairs"))
        case Where.JUDGED:
            return planned.get("request") in JUDGED
        case _:
            return True


@dataclass(frozen=True, slots=True)
class Condition:
    """One comparison that fails the run if it is true."""

    metric: str
    sign: str
    limit: float

    def met(self, value: float) -> bool:
        """Whether the comparison is true, to 12 decimals."""
        return bool(_SIGNS[self.sign](round(value, _DIGITS), round(self.limit, _DIGITS)))

    @property
    def bound(self) -> str:
        """The sign and the limit, e.g. `<0.99`."""
        return f"{self.sign}{repr(self.limit).removesuffix('.0')}"

    @property
    def requirement(self) -> str:
        """What holds where the condition is not true, e.g. `≥ 0.99`."""
        return f"{_KEPT[self.sign]} {repr(self.limit).removesuffix('.0')}"

    def __str__(self) -> str:
        """The condition as it could be typed."""
        return f"{self.metric}{self.bound}"


def parse(text: str, metrics: Mapping[str, Metric] | None = None) -> tuple[Condition, ...]:
    """The conditions of a `--fail-on` value without duplicates; none for an empty value.

    `metrics` are the only ones there are; None: those of a run. Raises ConditionError for the first
    part that is not a condition.
    """
    if not text.strip():
        return ()
    return tuple(dict.fromkeys(_condition(part, metrics) for part in text.split(",")))


def _condition(part: str, metrics: Mapping[str, Metric] | None) -> Condition:
    match = _CONDITION.fullmatch(part)
    if match is None:
        raise ConditionError(
            f"--fail-on {part.strip()!r} is not a condition: write a metric, <, <=, > or >=, and a "
            "number; separate conditions with commas, e.g. success_rate<0.99,p95_s>10."
        )
    metric, limit = match["metric"], float(match["limit"])
    known = metric_of(metric) if metrics is None else metrics.get(metric)
    if known is None:
        if metrics is None:
            raise ConditionError(
                f"--fail-on {metric} is unknown: use {', '.join(METRICS)}, an outcome, a flag, or "
                "http_429 and the like."
            )
        raise ConditionError(f"--fail-on {metric} is unknown: use {', '.join(metrics)}.")
    if not math.isfinite(limit):
        raise ConditionError(
            f"--fail-on {part.strip()!r}: {match['limit']} is too large: give a smaller number."
        )
    if known.share and limit > 1:
        raise ConditionError(
            f"--fail-on {part.strip()!r}: {metric} is a share from 0 to 1, so its limit cannot be "
            f"{limit:g}."
        )
    return Condition(metric, match["sign"], limit)
