"""The verdict on each metric of each phase: one typed result, with its reasons.

A metric is judged of at least 20 pairs that tell as much as 20 independent ones
(estimates/blocks.py). "Adds" and "saves" need both: an interval that excludes 0, and a p-value
(arms swapped within pairs) that stays at or below 5 % after Holm's adjustment over every metric,
model and phase of the comparison. So in a run of two equal routes anything at all is said in at
most 5 %.
"""

from dataclasses import dataclass, replace
from enum import StrEnum
from statistics import NormalDist
from typing import TYPE_CHECKING

import numpy as np

from analysis.numbers.holm import holm
from analysis.pairs import order, swapping
from analysis.pairs.costs import Costs, costs
from analysis.pairs.differences import COLUMNS, Differences, differences, good
from analysis.pairs.findings import Finding
from analysis.pairs.guards import findings
from analysis.pairs.order import Order
from analysis.pairs.pairing import Missing, Pairs, paired, texts
from analysis.pairs.quantiles import PERCENTS, enough, quantiles
from analysis.pairs.ratio import Growth, growth, ratio
from analysis.pairs.stated import Stated, stated
from analysis.pairs.success import success
from estimates import blocks
from estimates.location import Location, location, signed_ranks
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
"""The columns that `judged` reads."""
LEVEL = 0.05
_FOUR_OF_FIVE = 0.84  # 80 % of normal errors are below this many standard deviations
_TAILED = ("ttft", "total")


class Said(StrEnum):
    """What can be said of a metric."""

    ADDS = "adds"
    SAVES = "saves"
    NOT_SHOWN = "no difference shown"
    NOT_COMPARABLE = "not comparable"
    NOT_ENOUGH = "not enough"


@dataclass(frozen=True, slots=True)
class Verdict:
    """One metric of one phase: gateway - reference, seconds, money or a share of requests.

    `metric` is `ttft`, `tpot`, `total`, `cost` (typical difference of a pair), `ttft_p95` and the
    like (difference of percentiles) or `success`. `least` and `most` are the estimate, two numbers
    only where requests were not seen to end. `low` and `high` are its 95 % interval. `visible` is
    the smallest difference that four of five such runs would have shown. `needed`: about how many
    pairs would have been enough. `first_only`: order
    matters, so first requests alone were compared. None: not known.
    """

    phase: str
    model: str
    metric: str
    said: Said
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
        """Half the interval's width; None where it has none or is not bounded."""
        if self.low is None or self.high is None:
            return None
        half = (self.high - self.low) / 2
        return half if np.isfinite(half) else None


@dataclass(frozen=True, slots=True)
class Comparison:
    """All verdicts of two routes; what had no pair, was found, stated and paid, by phase."""

    verdicts: list[Verdict]
    missing: dict[str, Missing]
    found: dict[str, list[Finding]]
    stated: dict[str, Stated]
    costs: dict[str, Costs]


def judged(rows: "DataFrame", seed: int = 0) -> Comparison:
    """Every metric of every phase of rows with a column `arm`; reproducible by the seed."""
    verdicts, missing, found = list[Verdict](), dict[str, Missing](), dict[str, list[Finding]]()
    said, bills = dict[str, Stated](), dict[str, Costs]()
    for pairs in paired(rows):
        if (own := stated(pairs)) is not None:
            said[pairs.phase] = own
        if (bill := costs(pairs)) is not None:
            bills[pairs.phase] = bill
        missing[pairs.phase] = pairs.missing
        found[pairs.phase] = findings(pairs)
        verdicts += _of_phase(pairs, found[pairs.phase], seed)
    asked = [place for place, verdict in enumerate(verdicts) if verdict.p is not None]
    adjusted = holm([p for place in asked if (p := verdicts[place].p) is not None])
    for place, p in zip(asked, adjusted, strict=True):
        verdicts[place] = _decided(verdicts[place], p, len(asked))
    return Comparison(verdicts, missing, found, said, bills)


def _of_phase(pairs: Pairs, found: list[Finding], seed: int) -> list[Verdict]:
    verdicts = list[Verdict]()
    for metric in COLUMNS:
        told = differences(pairs, metric)
        because = tuple(f for f in found if metric in f.forbids)
        if len(told) or told.unlike or because:
            verdicts += _of_metric(pairs, told, because, seed)
    return [*verdicts, _of_success(pairs, found, seed)]


def _of_metric(
    pairs: Pairs, told: Differences, because: tuple[Finding, ...], seed: int
) -> list[Verdict]:
    """The typical difference of a metric, and those of its percentiles."""
    whole = Verdict(
        pairs.phase, pairs.model, told.metric, Said.NOT_ENOUGH, len(told),
        unlike=told.unlike, unanswered=told.unanswered, because=because,
    )  # fmt: skip
    place = location(told.low, told.high)
    if because:
        return [replace(whole, said=Said.NOT_COMPARABLE)]
    if place is None or place.low is None or blocks.few(place.count, place.memory):
        return [whole if place is None else replace(whole, needed=blocks.needed(place.memory))]
    checked = order.order(told, seed)
    first_only = checked is not None and checked.matters
    if first_only:
        found, p = order.first_only(told), order.first_p(told, seed)
        place = found or place
    else:
        units = blocks.for_swaps(place.count, place.memory)
        p = swapping.p_value(signed_ranks(told.low, told.high), units, seed)
    exact = told.low == told.high
    typical = replace(
        whole,
        least=place.least, most=place.most, low=place.low, high=place.high, p=p,
        ratio=None if first_only else ratio(told.a_low, told.a_high, told.b_low, told.b_high),
        growth=growth(told.low[exact], told.tokens[exact], seed),
        order=checked, first_only=first_only,
    )  # fmt: skip
    return [typical, *([] if first_only else _tails(whole, told, place.memory, seed))]


def _tails(whole: Verdict, told: Differences, memory: float, seed: int) -> list[Verdict]:
    """The percentiles that there are enough pairs for."""
    verdicts = list[Verdict]()
    for percent in PERCENTS if whole.metric in _TAILED else ():
        if len(told) < enough(percent):
            continue
        bounds = told.a_low, told.a_high, told.b_low, told.b_high
        found = quantiles(*bounds, percent, memory, seed)
        if found is not None:
            verdicts.append(replace(
                whole, metric=f"{whole.metric}_p{percent}", least=found.difference,
                most=found.difference, low=found.low, high=found.high, p=found.p,
            ))  # fmt: skip
    return verdicts


def _of_success(pairs: Pairs, found: list[Finding], seed: int) -> Verdict:
    stopped = [np.isin(texts(arm, "outcome"), list(ENDED_BY_US)) for _, arm in pairs.arms()]
    kept = ~stopped[0] & ~stopped[1]  # that we gave up is no failure of theirs
    a, b = good(pairs.a)[kept], good(pairs.b)[kept]
    because = tuple(f for f in found if "success" in f.forbids)
    verdict = Verdict(pairs.phase, pairs.model, "success", Said.NOT_ENOUGH, len(a), because=because)
    if because:
        return replace(verdict, said=Said.NOT_COMPARABLE)
    rates = success(a, b)
    if rates is None or blocks.few(rates.count, rates.memory):
        return verdict if rates is None else replace(verdict, needed=blocks.needed(rates.memory))
    apart = a.astype("float64") - b.astype("float64")
    p = swapping.p_value(apart, blocks.for_swaps(len(a), rates.memory), seed)
    return replace(
        verdict, least=rates.difference, most=rates.difference, low=rates.low, high=rates.high, p=p
    )


def _decided(verdict: Verdict, adjusted: float, asked: int) -> Verdict:
    """The verdict by its interval and its p-value among all that were asked."""
    low, high = verdict.low, verdict.high
    if low is None or high is None:
        return replace(verdict, adjusted=adjusted)
    said = Said.NOT_SHOWN
    if adjusted <= LEVEL and low > 0:
        said = Said.ADDS
    elif adjusted <= LEVEL and high < 0:
        said = Said.SAVES
    return replace(verdict, said=said, adjusted=adjusted, visible=_visible(verdict.half, asked))


def _visible(half: float | None, asked: int) -> float | None:
    """The smallest difference that four of five such runs would show among this many numbers."""
    if half is None:
        return None
    normal = NormalDist()
    needed = normal.inv_cdf(1 - LEVEL / (2 * max(1, asked))) + _FOUR_OF_FIVE
    return half / normal.inv_cdf(1 - LEVEL / 2) * needed
