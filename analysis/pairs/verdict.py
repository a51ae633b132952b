"""The verdict on each metric of each phase: one typed result, with its reasons.

A metric is judged only from pairs that are worth at least 20 independent ones
(estimates/blocks.py). "Adds" and "saves" need both an interval that excludes 0 and a p-value (arms
swapped within pairs) of at most 5 % after Holm's adjustment over every metric, model and phase of
the comparison. So at most 5 % of runs with two equal routes report any difference.
"""

from dataclasses import dataclass, replace
from enum import StrEnum
from statistics import NormalDist
from typing import TYPE_CHECKING

import numpy as np

from analysis.numbers.holm import holm
from analysis.pairs import guards, order, swapping
from analysis.pairs.costs import Costs, costs
from analysis.pairs.differences import COLUMNS, Differences, differences, good
from analysis.pairs.findings import Finding
from analysis.pairs.order import Order
from analysis.pairs.pairing import Missing, Pairs, paired, texts
from analysis.pairs.quantiles import PERCENTS, enough, quantiles
from analysis.pairs.ratio import Growth, growth, ratio
from analysis.pairs.stated_overhead import StatedOverhead, stated_overhead
from analysis.pairs.success import success
from estimates import blocks
from estimates.location import Location, half_width, location, signed_ranks
from recording.outcome import ENDED_BY_US

if TYPE_CHECKING:
    from pandas import DataFrame

NEEDED = (
    "arm", "phase", "request_index", "attempt", "model_requested", "model_returned", "stream",
    "success", "outcome", "http_status", "sent_offset_s", "send_lag_s", "ttft_s", "last_token_s",
    "elapsed_sec", "chunks", "arrivals", "prompt_tokens", "completion_tokens", "reasoning_tokens",
    "reasoning_content_present", "cached_tokens", "api_cost", "finish_reason", "completion_id",
    "completion_created", "ratelimit_limit_requests", "ratelimit_remaining_requests",
    "stated_overhead_s",
)  # fmt: skip
"""The columns that `judge_pairs` reads."""
LEVEL = 0.05
_FOUR_OF_FIVE = 0.84  # 80 % of normal errors are below this many standard deviations
_TAILED = ("ttft", "total")


class Conclusion(StrEnum):
    """What a verdict concludes about a metric."""

    ADDS = "adds"
    SAVES = "saves"
    NOT_SHOWN = "no difference shown"
    NOT_COMPARABLE = "not comparable"
    NOT_ENOUGH = "not enough"


@dataclass(frozen=True, slots=True)
class Verdict:
    """The difference gateway - reference of one metric of one phase, and what follows from it.

    Times are in seconds, costs in the run's currency, success as a share of requests.

    `metric` is `ttft`, `tpot`, `total` or `cost` (the typical difference of a pair), `ttft_p95` and
    the like (the difference of percentiles), or `success`. `least` and `most` bound the estimate;
    they differ only if some requests were never seen to end. `low` and `high` are its 95 %
    interval. `p` is the p-value, `adjusted` the same after Holm's adjustment. `visible` is the
    smallest difference that four of five such runs would have shown. `needed` is about how many
    pairs would have been enough. `first_only`: the order of sending matters, so only the first
    requests of the pairs were compared. `unlike` pairs were left out because their replies differ
    in length, `unanswered` requests were waited for in vain, by arm. `because` lists the findings
    that make the metric not comparable. None: unknown.
    """

    phase: str
    model: str
    metric: str
    conclusion: Conclusion
    pairs: int
    least: float | None = None
    most: float | None = None
    low: float | None = None
    high: float | None = None
    p: float | None = None
    adjusted: float | None = None
    visible: float | None = None
    needed: int | None = None
    ratio: Location | None = None
    growth: Growth | None = None
    order: Order | None = None
    first_only: bool = False
    unlike: int = 0
    unanswered: tuple[int, int] = (0, 0)
    because: tuple[Finding, ...] = ()

    @property
    def half(self) -> float | None:
        """Half the interval's width, in the metric's unit; None without a bounded interval."""
        return half_width(self.low, self.high)


@dataclass(frozen=True, slots=True)
class Comparison:
    """All verdicts on two routes.

    By phase: the pairs that could not be compared, the findings that break the comparison, the
    overhead that the gateway states, and the costs of both routes.
    """

    verdicts: list[Verdict]
    missing: dict[str, Missing]
    findings: dict[str, list[Finding]]
    stated_overheads: dict[str, StatedOverhead]
    costs: dict[str, Costs]


def judge_pairs(rows: "DataFrame", seed: int = 0) -> Comparison:
    """The verdicts on every metric of every phase.

    `rows` has the columns NEEDED, with `arm` "a" or "b" (analysis/pairs/recorded.py). The same seed
    gives the same result. Raises ValueError if there is no column `arm`.
    """
    verdicts, missing, findings = list[Verdict](), dict[str, Missing](), dict[str, list[Finding]]()
    overheads, bills = dict[str, StatedOverhead](), dict[str, Costs]()
    for pairs in paired(rows):
        if (overhead := stated_overhead(pairs)) is not None:
            overheads[pairs.phase] = overhead
        if (bill := costs(pairs)) is not None:
            bills[pairs.phase] = bill
        missing[pairs.phase] = pairs.missing
        findings[pairs.phase] = guards.findings(pairs)
        verdicts += _of_phase(pairs, findings[pairs.phase], seed)
    tested = [place for place, verdict in enumerate(verdicts) if verdict.p is not None]
    adjusted = holm([p for place in tested if (p := verdicts[place].p) is not None])
    for place, p in zip(tested, adjusted, strict=True):
        verdicts[place] = _decided(verdicts[place], p, len(tested))
    return Comparison(verdicts, missing, findings, overheads, bills)


def _of_phase(pairs: Pairs, findings: list[Finding], seed: int) -> list[Verdict]:
    verdicts = list[Verdict]()
    for metric in COLUMNS:
        by_pair = differences(pairs, metric)
        because = tuple(f for f in findings if metric in f.forbids)
        if len(by_pair) or by_pair.unlike or because:
            verdicts += _of_metric(pairs, by_pair, because, seed)
    return [*verdicts, _of_success(pairs, findings, seed)]


def _of_metric(
    pairs: Pairs, by_pair: Differences, because: tuple[Finding, ...], seed: int
) -> list[Verdict]:
    """The typical difference of a metric, and those of its percentiles."""
    template = Verdict(
        pairs.phase, pairs.model, by_pair.metric, Conclusion.NOT_ENOUGH, len(by_pair),
        unlike=by_pair.unlike, unanswered=by_pair.unanswered, because=because,
    )  # fmt: skip
    estimate = location(by_pair.low, by_pair.high)
    if because:
        return [replace(template, conclusion=Conclusion.NOT_COMPARABLE)]
    if estimate is None or estimate.low is None or blocks.few(estimate.count, estimate.memory):
        return [
            template
            if estimate is None
            else replace(template, needed=blocks.needed(estimate.memory))
        ]
    checked = order.order(by_pair, seed)
    first_only = checked is not None and checked.matters
    if first_only:
        shift, p = order.first_only(by_pair), order.first_p(by_pair, seed)
        estimate = shift or estimate
    else:
        units = blocks.for_swaps(estimate.count, estimate.memory)
        p = swapping.p_value(signed_ranks(by_pair.low, by_pair.high), units, seed)
    exact = by_pair.low == by_pair.high
    typical = replace(
        template,
        least=estimate.least, most=estimate.most, low=estimate.low, high=estimate.high, p=p,
        ratio=None if first_only else ratio(*by_pair.bounds),
        growth=growth(by_pair.low[exact], by_pair.tokens[exact], seed),
        order=checked, first_only=first_only,
    )  # fmt: skip
    return [typical, *([] if first_only else _tails(template, by_pair, estimate.memory, seed))]


def _tails(template: Verdict, by_pair: Differences, memory: float, seed: int) -> list[Verdict]:
    """The verdicts on those percentiles for which there are enough pairs."""
    verdicts = list[Verdict]()
    for percent in PERCENTS if template.metric in _TAILED else ():
        if len(by_pair) < enough(percent):
            continue
        tail = quantiles(*by_pair.bounds, percent, memory, seed)
        if tail is not None:
            verdicts.append(replace(
                template, metric=f"{template.metric}_p{percent}", least=tail.difference,
                most=tail.difference, low=tail.low, high=tail.high, p=tail.p,
            ))  # fmt: skip
    return verdicts


def _of_success(pairs: Pairs, findings: list[Finding], seed: int) -> Verdict:
    ended_by_us = [np.isin(texts(arm, "outcome"), list(ENDED_BY_US)) for _, arm in pairs.arms()]
    ended_by_itself = (
        ~ended_by_us[0] & ~ended_by_us[1]
    )  # what we ended ourselves is no failure of a route
    a, b = good(pairs.a)[ended_by_itself], good(pairs.b)[ended_by_itself]
    because = tuple(f for f in findings if "success" in f.forbids)
    verdict = Verdict(
        pairs.phase, pairs.model, "success", Conclusion.NOT_ENOUGH, len(a), because=because
    )
    if because:
        return replace(verdict, conclusion=Conclusion.NOT_COMPARABLE)
    rates = success(a, b)
    if rates is None or blocks.few(rates.count, rates.memory):
        return verdict if rates is None else replace(verdict, needed=blocks.needed(rates.memory))
    apart = a.astype("float64") - b.astype("float64")
    p = swapping.p_value(apart, blocks.for_swaps(len(a), rates.memory), seed)
    return replace(
        verdict, least=rates.difference, most=rates.difference, low=rates.low, high=rates.high, p=p
    )


def _decided(verdict: Verdict, adjusted: float, tests: int) -> Verdict:
    """The verdict with its conclusion, from its interval and its p-value, one of `tests`."""
    low, high = verdict.low, verdict.high
    if low is None or high is None:
        return replace(verdict, adjusted=adjusted)
    conclusion = Conclusion.NOT_SHOWN
    if adjusted <= LEVEL and low > 0:
        conclusion = Conclusion.ADDS
    elif adjusted <= LEVEL and high < 0:
        conclusion = Conclusion.SAVES
    return replace(
        verdict, conclusion=conclusion, adjusted=adjusted, visible=_visible(verdict.half, tests)
    )


def _visible(half: float | None, tests: int) -> float | None:
    """The smallest difference that four of five such runs would show, among so many tests."""
    if half is None:
        return None
    normal = NormalDist()
    needed = normal.inv_cdf(1 - LEVEL / (2 * max(1, tests))) + _FOUR_OF_FIVE
    return half / normal.inv_cdf(1 - LEVEL / 2) * needed
