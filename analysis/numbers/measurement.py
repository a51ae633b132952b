"""The numbers of a set of rows. None is not zero: an unknown value stays None."""

from collections.abc import Sequence
from dataclasses import replace
from fractions import Fraction
from math import fsum
from typing import TYPE_CHECKING, Any

from analysis.numbers import goodput, streaming
from analysis.numbers.percentile import nearest_ranks
from analysis.numbers.phase_numbers import (
    Answers,
    Costs,
    Latency,
    Numbers,
    Output,
    Percentiles,
    Rates,
    Requests,
    Sending,
    StatedTimes,
    Streams,
    Tokens,
)
from analysis.numbers.stated_times import possible
from analysis.numbers.unanswered import waits_s
from analysis.reading.groups import known_sum, runs
from analysis.reading.subset import Chosen
from recording.exact_amount import money_sum
from recording.outcome import Outcome
from rules import percentiles
from rules.slo import Slo

if TYPE_CHECKING:
    from pandas import DataFrame, Series

MEASURED = [
    "attempt",
    "mode",
    "model_requested",
    "stream",
    "success",
    "outcome",
    "http_status",
    "check",
    "scheduled_offset_s",
    "sent_offset_s",
    "done_offset_s",
    "send_lag_s",
    "elapsed_sec",
    "elapsed_from_due_s",
    "ttft_s",
    "first_visible_s",
    "inter_chunk_p50_s",
    "inter_chunk_max_s",
    "chunks",
    "connection_reused",
    "prompt_tokens",
    "completion_tokens",
    "reasoning_tokens",
    "cached_tokens",
    "total_tokens",
    "api_cost",
    "cost_source",
    "marker_ok",
    "stated_overhead_s",
    "stated_upstream_s",
    "stated_times_from",
    "phase",
    "duration_s",
    "cancel_after",
]
"""The columns that `measure` and `of_groups` read, those to group by apart."""


def measure(
    rows: "DataFrame",
    planned: int,
    wall_s: float | None,
    slo: Slo | None = None,
    percents: Sequence[Fraction] = percentiles.USUAL,
) -> Numbers:
    """Every number of a group's rows.

    `planned` requests were to be sent; `wall_s` is the group's wall clock, seconds, None if not
    known; `slo` says which requests were good; `percents` are the percentiles.
    """
    uncancelled, awaited = awaited_of(rows)
    good, sent = good_and_sent(rows, uncancelled)
    parts = (
        _requests(rows, uncancelled, good, sent, planned, wall_s),
        _rates(rows, good, planned, wall_s),
        goodput.of(awaited, planned - len(rows) + len(awaited), wall_s, slo),
        _latency(awaited, good, percents),
        _streams(good, percents),
        _output(good, wall_s),
        _sending(sent, percents),
        _tokens(good),
        costs(sent, good),
        _answers(rows, good),
        _stated_times(good, percents),
    )
    return Numbers(**{name: value for part in parts for name, value in vars(part).items()})


def with_unsent(numbers: Numbers, more: int) -> Numbers:
    """The same with this many more requests that were not sent and have no row."""

    def counted(counts: dict[str, int], key: str) -> dict[str, int]:
        return counts | {key: counts.get(key, 0) + more}

    return replace(
        numbers,
        recorded=numbers.recorded + more,
        dropped=numbers.dropped + more,
        outcomes=counted(numbers.outcomes, Outcome.DROPPED.value),
        status_counts=counted(numbers.status_counts, "None"),
    )


def awaited_of(rows: "DataFrame") -> "tuple[Series[bool], DataFrame]":
    """Which rows were not drawn to be cancelled on purpose, and those rows: a fair sample of all,
    because the draw did not depend on the answers."""
    uncancelled: Series[bool] = rows["cancel_after"].isna()
    return uncancelled, rows if uncancelled.all() else rows[uncancelled.to_numpy(dtype=bool)]


def good_and_sent(rows: "DataFrame", uncancelled: "Series[bool]") -> tuple[Chosen, Chosen]:
    """The rows that succeeded and were not drawn to be cancelled, and those that were sent."""
    good = Chosen.of(rows, rows["success"]).where(uncancelled)
    return good, Chosen.of(rows, rows["outcome"] != Outcome.DROPPED)


def _requests(
    rows: "DataFrame",
    uncancelled: "Series[bool]",
    good: Chosen,
    sent: Chosen,
    planned: int,
    wall_s: float | None,
) -> Requests:
    drawn_count = int((~uncancelled).sum())
    awaited = planned - drawn_count
    return Requests(
        planned=planned,
        wall_s=wall_s,
        recorded=len(rows),
        sent=len(sent),
        success=len(good),
        failures=len(sent.where(uncancelled)) - len(good),
        dropped=len(rows) - len(sent),
        parts=_parts(sent),
        success_rate=len(good) / awaited if awaited > 0 else None,
        status_counts=_statuses(rows),
        outcomes=_counts(rows, "outcome"),
        drawn=drawn_count,
        abandoned=int((rows["outcome"] == Outcome.ABANDONED).sum()),
    )


def _rates(rows: "DataFrame", good: Chosen, planned: int, wall_s: float | None) -> Rates:
    """Offered and achieved per minute: over the wall clock, and inside the window alone."""
    windows = rows.iloc[runs(rows, ["phase"])].drop_duplicates("phase")["duration_s"]
    window_s = float(windows.sum()) if len(windows) and windows.notna().all() else None
    open_loop = window_s is not None and bool(rows["scheduled_offset_s"].notna().any())
    inside = good.where(rows["done_offset_s"] <= rows["duration_s"])
    measured = bool(window_s) and bool(good["done_offset_s"].notna().any())
    return Rates(
        observed_rpm=_per_minute(len(good), wall_s),
        observed_tpm=_per_minute(_sum(good, "total_tokens"), wall_s),
        offered_rpm=_per_minute(planned, window_s) if open_loop else None,
        window_rpm=_per_minute(len(inside), window_s) if measured else None,
        window_tpm=_per_minute(_sum(inside, "total_tokens"), window_s) if measured else None,
    )


def _latency(rows: "DataFrame", good: Chosen, percents: Sequence[Fraction]) -> Latency:
    latency = good["elapsed_sec"]
    return Latency(
        latency=_percentiles(latency, percents),
        unanswered=len(waits_s(rows)),
        latency_mean_s=_mean(latency),
        latency_max_s=_extreme(latency, "max"),
        latency_from_due=_percentiles(good["elapsed_from_due_s"], percents),
    )


def _streams(good: Chosen, percents: Sequence[Fraction]) -> Streams:
    """Token timing of streams. An unknown TPOT counts as the longest: a percentile that would be
    one of them is unknown."""
    import numpy as np

    streams = streaming.of(good)
    judgeable, buffered = streaming.held_back(streams)
    unresolved = streaming.tpot_unknown(streams)
    tpot = _percentiles(streaming.tpot_s(streams).mask(unresolved, np.inf), percents).values
    return Streams(
        streams=len(streams),
        streams_judged=int(judgeable.sum()),
        streams_buffered=int(buffered.sum()),
        ttft=_percentiles(streams["ttft_s"], percents),
        first_visible=_percentiles(good["first_visible_s"], percents),
        tpot=Percentiles({p: None if time_s == np.inf else time_s for p, time_s in tpot.items()}),
        tpot_unknown_count=int(unresolved.sum()),
        tail=_percentiles(streams["elapsed_sec"] - streams["last_token_s"], percents),
        inter_chunk=_percentiles(good["inter_chunk_p50_s"], percents),
        inter_chunk_max_s=_extreme(good["inter_chunk_max_s"], "max"),
        stalls=_sum(streams, "stalls"),
        stalled_streams=int((streams["stalls"] > 0).sum()) if len(streams) else None,
        chunks=_sum(good, "chunks"),
        tokens_per_chunk=streaming.tokens_per_chunk(streams),
    )


def _output(good: Chosen, wall_s: float | None) -> Output:
    """Output tokens a second: all successes over the wall clock, and one by one over its latency.

    Of single requests: the median, and the rate that all but 5 % reach.
    """
    tokens = _sum(good, "completion_tokens")
    timed = good.where(good.rows["elapsed_sec"] > 0)
    rate = timed["completion_tokens"].astype("float64") / timed["elapsed_sec"]
    median, slow = nearest_ranks(rate.dropna().to_numpy(dtype="float64"), (50, 5))
    return Output(
        output_per_s=None if tokens is None or not wall_s else tokens / wall_s,
        request_output_p50_per_s=median,
        request_output_p5_per_s=slow,
    )


def _sending(sent: Chosen, percents: Sequence[Fraction]) -> Sending:
    """How punctual the generator was, and how far apart it sent the first and the last request."""
    offsets = sent["sent_offset_s"].dropna()
    attempts = offsets.groupby(_attempts(sent)[offsets.index])
    return Sending(
        send_lag=_percentiles(sent["send_lag_s"], percents),
        send_lag_max_s=_extreme(sent["send_lag_s"], "max"),
        release_skew_s=float((attempts.max() - attempts.min()).max()) if len(offsets) else None,
        connections_reused_rate=_share(sent, "connection_reused"),
    )


def _tokens(good: Chosen) -> Tokens:
    return Tokens(
        prompt_tokens=_sum(good, "prompt_tokens"),
        completion_tokens=_sum(good, "completion_tokens"),
        reasoning_tokens=_sum(good, "reasoning_tokens"),
        cached_tokens=_sum(good, "cached_tokens"),
        total_tokens=total_tokens(good),
    )


def total_tokens(good: Chosen) -> int | None:
    """The tokens of the successes; None: none states any."""
    return _sum(good, "total_tokens")


def costs(sent: Chosen, good: Chosen) -> Costs:
    """The costs of some requests that were sent, of which `good` succeeded."""
    total, count = _money(sent), int(sent["api_cost"].notna().sum())
    unknown = int(good["api_cost"].isna().sum())
    awaited = sent.where(sent.rows["cancel_after"].isna())
    of_awaited = _money(awaited)
    every = of_awaited is not None and not unknown and len(good) > 0
    return Costs(
        cost_sum=total,
        cost_known_count=count,
        cost_unknown_count=len(sent) - count,
        cost_unknown_success_count=unknown,
        cost_per_request=None if total is None else total / count,
        cost_per_success=of_awaited / len(good) if of_awaited is not None and every else None,
        cost_per_1k_tokens=_per_1k_tokens(sent),
        cost_unknown_share=(len(sent) - count) / len(sent) if len(sent) else None,
        cost_on_failures=_money(awaited.where(~sent.rows["success"])),
        cost_sources=_counts(sent, "cost_source"),
    )


def _per_1k_tokens(sent: Chosen) -> float | None:
    """Money per 1,000 tokens, over the requests of which both are known."""
    both = sent.where(sent.rows["api_cost"].notna() & sent.rows["total_tokens"].notna())
    money, tokens = _money(both), _sum(both, "total_tokens")
    return money / tokens * 1000 if money is not None and tokens else None


def _answers(rows: "DataFrame", good: Chosen) -> Answers:
    """Checks and flags. A flag is no judgement: `checks_failed` is None if no probe judged."""
    words = check_words(rows["check"])
    verdicts = words[words.isin(["pass", "fail"])]
    return Answers(
        marker_rate=_share(good, "marker_ok"),
        checks=_counted(words),
        checks_failed=int((verdicts == "fail").sum()) if len(verdicts) else None,
    )


def _stated_times(good: Chosen, percents: Sequence[Fraction]) -> StatedTimes:
    elapsed_s = good["elapsed_sec"]
    overhead_s = possible(good["stated_overhead_s"], elapsed_s)
    upstream_s = possible(good["stated_upstream_s"], elapsed_s)
    return StatedTimes(
        stated_overhead_count=int(overhead_s.notna().sum()),
        stated_overhead=_percentiles(overhead_s, percents),
        stated_upstream_count=int(upstream_s.notna().sum()),
        stated_upstream=_percentiles(upstream_s, percents),
        stated_times_from=_counts(good, "stated_times_from"),
    )


def _attempts(rows: "DataFrame | Chosen") -> "Series[int]":
    """Each row's attempt at the run; the first if the row does not say."""
    attempts: Series[int] = rows["attempt"].fillna(1)
    return attempts


def wall_s_of(rows: "DataFrame") -> float:
    """How long a phase took: the sum of its attempts, each up to its last completion."""
    done = rows["done_offset_s"].dropna()
    return fsum(done.groupby(_attempts(rows)[done.index]).max())


def _parts(sent: Chosen) -> list[int] | None:
    """How many requests each attempt at the run sent; None: one sent all."""
    counts = _attempts(sent).value_counts().sort_index()
    return [int(count) for count in counts] if len(counts) > 1 else None


def _percentiles(values: Any, percents: Sequence[Fraction]) -> Percentiles:
    ranks = nearest_ranks(values.dropna().to_numpy(dtype="float64"), percents)
    return Percentiles(dict(zip(percents, ranks, strict=True)))


def _mean(values: Any) -> float | None:
    known = values.dropna()
    return known_sum(known) / len(known) if len(known) else None


def _extreme(values: Any, which: str) -> float | None:
    return float(getattr(values, which)()) if values.notna().any() else None


def _sum(rows: "DataFrame | Chosen", name: str) -> int | None:
    known = rows[name].dropna()
    return int(known.sum()) if len(known) else None


def _money(rows: Chosen) -> float | None:
    known = rows["api_cost"].dropna()
    return money_sum([known_sum(known)]) if len(known) else None


def _share(rows: Chosen, name: str) -> float | None:
    """The share of true among the rows that say true or false."""
    known = rows[name].dropna()
    return float(known.mean()) if len(known) else None


def check_words(checks: "Series[str]") -> "Series[str]":
    """The single words of a `check` column, verdicts and flags, each under its row's label."""
    words: Series[str] = checks.dropna().str.split().explode()
    return words


def _counts(rows: "DataFrame | Chosen", name: str) -> dict[str, int]:
    """How often each value occurs, the commonest first."""
    return _counted(rows[name])


def _counted(values: "Series[str]") -> dict[str, int]:
    return {str(k): int(v) for k, v in values.value_counts().items()}


def _statuses(rows: "DataFrame") -> dict[str, int]:
    """How often each HTTP status occurs, None last: `{"200": 599, "None": 1}`."""
    counts = {str(k): int(v) for k, v in rows["http_status"].value_counts().sort_index().items()}
    none = int(rows["http_status"].isna().sum())
    return counts | ({"None": none} if none else {})


def _per_minute(amount: int | None, seconds: float | None) -> float | None:
    return None if amount is None or not seconds else amount / seconds * 60
