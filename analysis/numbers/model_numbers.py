"""The numbers of a model beside its phases in summary.json: capacity, limits, caches. Pure.

Its schema is made from these fields, as that of the phases is from phase_numbers.py.
"""

from dataclasses import dataclass
from typing import Annotated

from analysis.numbers.phase_numbers import Amount, Count, MaybeCount, Range, Seconds, Share


@dataclass(frozen=True, kw_only=True)
class CapacityNumbers:
    """The bracket that a capacity search found."""

    model_requested: Annotated[str, "the model"]
    unit: Annotated[str, "what a level is: `rpm` or `concurrency`"]
    met: Annotated[int | None, "highest level that met the objectives"]
    missed: Annotated[int | None, "lowest level that missed them"]
    confidence: Annotated[Share, "chance that the bracket holds the boundary; null: not stated"]
    windows: Annotated[Count, "windows tried"]
    answered: Annotated[Count, "windows that give an answer"]
    causes: Annotated[list[str], "why the upper end missed"]
    missed_objectives: Annotated[list[str], "which objectives it missed"]
    limited_by_us: Annotated[bool, "whether the load generator was the limit"]


@dataclass(frozen=True, kw_only=True)
class LimitFit:
    """How well one kind of limit explains what a gateway decided."""

    kind: Annotated[str, "`bucket`, `fixed` or `sliding`"]
    low: Annotated[Count, "smallest size that fits best, a minute"]
    high: Annotated[Count, "largest such size"]
    wrong: Annotated[Count, "decisions that it would have made differently"]
    of: Annotated[Count, "decisions"]


@dataclass(frozen=True, kw_only=True)
class LimitNumbers:
    """What `--mode limits` found of one model's rate limit."""

    model: Annotated[str, "the model"]
    advertised_rpm: Annotated[MaybeCount, "requests a minute, as headers state"]
    advertised_tpm: Annotated[MaybeCount, "tokens a minute, as headers state"]
    kind: Annotated[str | None, "the kind of limit, where one explains it"]
    at_once: Annotated[MaybeCount, "requests let through at once"]
    enforced_low: Annotated[MaybeCount, "size of the limit, from"]
    enforced_high: Annotated[MaybeCount, "size of the limit, to"]
    unit: Annotated[str | None, "what runs out: `requests`, `tokens` or `concurrency`"]
    unit_by: Annotated[str | None, "how the unit was determined"]
    short_window_s: Annotated[Seconds, "a window of seconds that explains it as well"]
    tokens_low: Annotated[MaybeCount, "tokens a minute, from"]
    tokens_high: Annotated[MaybeCount, "tokens a minute, to"]
    retry_after_s: Annotated[Seconds, "the wait that a refusal states"]
    retry_after: Annotated[str | None, "whether that wait is true"]
    fits: Annotated[list[LimitFit], "every kind, the best first"]


@dataclass(frozen=True, kw_only=True)
class MeanInterval:
    """A mean with its interval; null bounds: too few."""

    mean: float
    low: float | None
    high: float | None
    n: Annotated[int, Range(0)]


@dataclass(frozen=True, kw_only=True)
class CachePairNumbers:
    """What a prompt cache is worth, by cold and warm pairs of one model."""

    model: Annotated[str, "the model"]
    pairs: Annotated[Count, "pairs that count"]
    excluded: Annotated[Count, "pairs that do not"]
    hit_rate: Annotated[Share, "warm requests that hit / those that state cached tokens"]
    token_hit_rate: Annotated[Share, "share of their prompt tokens that came from the cache"]
    cost_cold: Annotated[Amount, "mean cost of the cold ones"]
    cost_warm: Annotated[Amount, "mean cost of the warm ones"]
    saving_per_request: Annotated[MeanInterval | None, "cold - warm"]
    saving_share: Annotated[Amount, "saving / cold"]
    write_premium: Annotated[MeanInterval | None, "what writing the cache costs more"]
    write_premium_by: Annotated[str | None, "what tells it: `plain` requests or the `table`"]
    hits_to_pay: Annotated[MaybeCount, "warm requests that pay it back"]
    ttft_cold_s: Annotated[Seconds, "mean TTFT of the cold ones"]
    ttft_warm_s: Annotated[Seconds, "mean TTFT of the warm ones"]
    ttft_gain_s: Annotated[MeanInterval | None, "cold - warm"]


@dataclass(frozen=True, kw_only=True)
class CacheRest:
    """One request after a pause."""

    planned_s: Annotated[Count, "the planned pause"]
    rested_s: Annotated[Seconds, "the actual pause"]
    hit: Annotated[bool | None, "whether the entry was still there"]


@dataclass(frozen=True, kw_only=True)
class CacheLifeNumbers:
    """How long a cached prefix of one model lives without use."""

    model: Annotated[str, "the model"]
    hit_after_s: Annotated[Seconds, "longest pause after which it was there"]
    miss_after_s: Annotated[Seconds, "shortest pause after which it was gone"]
    rests: Annotated[list[CacheRest], "every pause"]


@dataclass(frozen=True, kw_only=True)
class RouteNumbers:
    """One metric of two routes in one phase, gateway - reference; times in seconds."""

    phase: str
    model: str
    metric: Annotated[str, "ttft, tpot, total, their percentiles, cost or success"]
    said: Annotated[str, "adds, saves, no difference shown, not comparable, not enough"]
    pairs: Annotated[int, "that were compared"]
    low: Annotated[float | None, "of the 95 % interval; null: not known, or not bounded"]
    high: Annotated[float | None, "likewise"]
    p_adjusted: Annotated[float | None, "by Holm, over all that was compared"]
    visible: Annotated[float | None, "what four of five such runs would have shown"]


@dataclass(frozen=True, kw_only=True)
class BillingFinding:
    """One finding of mode billing."""

    kind: Annotated[str, "what was found: analysis/numbers/billing.py has the closed set"]
    case: Annotated[str | None, "in which case; null: in all"]
    grave: Annotated[bool, "whether it costs the customer, and a healthy gateway has none"]
    amount: Annotated[float | None, "by how much; null: it has no amount"]
    unit: Annotated[str | None, "of the amount: `money`, `tokens` or `times`"]
    worth: Annotated[Amount, "what an amount of tokens costs by the price table; null: not known"]
    requests: Annotated[Count, "of how many requests; 0: of all"]


@dataclass(frozen=True, kw_only=True)
class BillingCase:
    """One case of mode billing: sums over its requests; null: not known."""

    case: Annotated[str, "its name in the rows' `scenario`"]
    sent: Annotated[Count, "requests that were sent"]
    answered: Annotated[Count, "requests that succeeded"]
    own_prompt_tokens: Annotated[MaybeCount, "what the line through repeated texts says"]
    reference_prompt_tokens: Annotated[
        MaybeCount, "what the reference of `--against` states of the same prompts"
    ]
    prompt_tokens: Annotated[int | None, "as stated"]
    completion_tokens: Annotated[int | None, "as stated"]
    cached_tokens: Annotated[int | None, "as stated"]
    price_x_stated: Annotated[Amount, "what the price table makes of the stated tokens"]
    charged: Annotated[Amount, "costs that the replies state"]
    difference: Annotated[Amount, "charged - price_x_stated"]


@dataclass(frozen=True, kw_only=True)
class BillingNumbers:
    """What `--mode billing` found of one model."""

    model: Annotated[str, "the model"]
    tokenizer: Annotated[str | None, "of the model of that name, where its counts are known"]
    inflation_low: Annotated[Amount, "the least factor by which stated counts exceed them"]
    inflation_high: Annotated[Amount, "the greatest; null: not known, or no one factor fits"]
    hidden_prompt_tokens: Annotated[MaybeCount, "at least so many in every prompt were not sent"]
    reference_alike: Annotated[
        bool | None, "whether the reference counts repeated texts alike; null: it was not asked"
    ]
    priced: Annotated[bool, "whether a price was known"]
    cost_stated: Annotated[bool, "whether the gateway states costs"]
    overcharge: Annotated[Amount, "money charged beyond price x stated, or plain of one usage"]
    findings: list[BillingFinding]
    cases: list[BillingCase]
