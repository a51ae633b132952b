"""Every number of a phase: its name, its unit (the end of the name), and what it means. Pure.

summary.json holds them as `PhaseNumbers.as_dict` names them; its schema and the table of numbers
in the docs are made from these fields. None is not zero: what is not known stays None.

Each part is what one question asks of the rows. A class's fields come in the reverse order of its
bases (`dataclasses.fields`), so the bases are written from the last part to the first.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, fields
from fractions import Fraction
from typing import Annotated, Any, NamedTuple

from recording.arms import SUFFIX
from rules import percentiles


class Range(NamedTuple):
    """The values that a number can have; `most` None: without bound."""

    least: float
    most: float | None = None


@dataclass(frozen=True, slots=True)
class Percentiles:
    """Percentiles of one time, seconds, by nearest rank; None: nothing was measured."""

    values: Mapping[Fraction, float | None]

    def at(self, percent: Fraction | int) -> float | None:
        """One of them; None also if it was not asked for."""
        return self.values.get(Fraction(percent))

    @property
    def p50_s(self) -> float | None:
        """The median."""
        return self.at(50)

    @property
    def p95_s(self) -> float | None:
        """The 95th."""
        return self.at(95)

    @property
    def p99_s(self) -> float | None:
        """The 99th."""
        return self.at(99)


Count = Annotated[int, Range(0)]
MaybeCount = Annotated[int | None, Range(0)]
Seconds = Annotated[float | None, Range(0)]
Share = Annotated[float | None, Range(0, 1)]
Amount = float | None
Times = Annotated[Percentiles, Range(0)]
Counts = dict[str, int]


@dataclass(frozen=True, kw_only=True)
class Named:
    """Numbers that have names."""

    def as_dict(self) -> dict[str, Any]:
        """Each number by its name in summary.json; a percentile is `latency_p99_9_s`."""
        return dict(self._items())

    def number(self, name: str) -> Any:
        """The number of that name in summary.json; None: not known. KeyError: there is none."""
        return self.as_dict()[name]

    def _items(self) -> Iterator[tuple[str, Any]]:
        for item in fields(self):
            value = getattr(self, item.name)
            if isinstance(value, Percentiles):
                yield from (
                    (f"{item.name}_{percentiles.label(percent)}_s", time_s)
                    for percent, time_s in value.values.items()
                )
            else:
                yield item.name, value


@dataclass(frozen=True, kw_only=True)
class Identity(Named):
    """The identity of the phase."""

    phase: Annotated[str, "its name"]
    mode: Annotated[str, "the mode that planned it"]
    scenario: Annotated[str, "which part of the mode"]
    model_requested: Annotated[str, "the model that was asked for"]
    target: Annotated[int | None, "what it aimed at: RPM, TPM, concurrency or output budget"]
    duration_s: Annotated[Seconds, "its window; null if it has none"]


@dataclass(frozen=True, kw_only=True)
class Requests(Named):
    """What became of the requests."""

    planned: Annotated[Count, "requests that were to be sent"]
    wall_s: Annotated[Seconds, "its wall clock, to the last completion"]
    recorded: Annotated[Count, "known requests, including those not sent"]
    sent: Annotated[Count, "requests that were sent"]
    success: Annotated[Count, "requests that succeeded"]
    failures: Annotated[Count, "requests that were sent and did not succeed"]
    dropped: Annotated[Count, "requests that were planned and not sent"]
    parts: Annotated[
        list[int] | None, "requests that each attempt at the run sent; null if one attempt sent all"
    ]
    success_rate: Annotated[Share, "success / (planned - drawn)"]
    status_counts: Annotated[
        Counts, "requests by HTTP status; under `None` those without an HTTP answer"
    ]
    outcomes: Annotated[Counts, "requests by outcome"]
    drawn: Annotated[
        Count,
        "requests selected for cancellation (`--cancel-after`): in no rate, time or token sum",
    ] = 0
    abandoned: Annotated[Count, "those of them that were cancelled"] = 0

    @property
    def awaited(self) -> int:
        """Requests whose answer was to be waited for."""
        return max(0, self.planned - self.drawn)


@dataclass(frozen=True, kw_only=True)
class Rates(Named):
    """Per minute, over the wall clock and inside the window."""

    observed_rpm: Annotated[Amount, "successes / wall clock"]
    observed_tpm: Annotated[Amount, "total tokens of the successes / wall clock"]
    offered_rpm: Annotated[Amount, "planned / window; only of an open loop"]
    window_rpm: Annotated[Amount, "successes completed inside the window / window"]
    window_tpm: Annotated[Amount, "their total tokens / window"]


@dataclass(frozen=True, kw_only=True)
class Goodput(Named):
    """How many requests were good enough for their users; null without an objective (`--slo`)."""

    good: Annotated[MaybeCount, "successes within every time limit of the objectives"]
    goodput_rps: Annotated[Amount, "good / wall clock, per second"]
    attainment: Annotated[Share, "good / (planned - drawn)"]


@dataclass(frozen=True, kw_only=True)
class Latency(Named):
    """How long successes took."""

    latency: Annotated[Times, "from send to the last byte"]
    unanswered: Annotated[Count, "requests whose answer did not come while they were waited for"]
    latency_mean_s: Annotated[Seconds, "mean of the latency"]
    latency_max_s: Annotated[Seconds, "longest latency"]
    latency_from_due: Annotated[Times, "from the due time to the last byte"]


@dataclass(frozen=True, kw_only=True)
class Streams(Named):
    """Token timing of streams."""

    streams: Annotated[Count, "successful streams that brought a token"]
    streams_judged: Annotated[Count, "those of them that show whether they were held back"]
    streams_buffered: Annotated[Count, "those of them that came in one clump"]
    ttft: Annotated[Times, "from send to the first token, reasoning or visible"]
    first_visible: Annotated[Times, "from send to the first visible text"]
    tpot: Annotated[Times, "time per output token after the first; unknown ones count as slowest"]
    tpot_unknown_count: Annotated[Count, "streams whose chunks do not show when tokens came"]
    tail: Annotated[Percentiles, "from the last token to the last byte"]
    inter_chunk: Annotated[
        Times, "median gap between chunks of a request: percentiles over the requests"
    ]
    inter_chunk_max_s: Annotated[Seconds, "longest gap between two chunks with text"]
    stalls: Annotated[MaybeCount, "gaps longer than `--stall-limit`"]
    stalled_streams: Annotated[MaybeCount, "streams with such a gap"]
    chunks: Annotated[MaybeCount, "chunks that carry text"]
    tokens_per_chunk: Annotated[Amount, "streamed tokens / chunks"]


@dataclass(frozen=True, kw_only=True)
class Output(Named):
    """Output tokens per second."""

    output_per_s: Annotated[Amount, "completion tokens of the successes / wall clock"]
    request_output_p50_per_s: Annotated[
        Amount, "completion tokens / latency of single requests: the median"
    ]
    request_output_p5_per_s: Annotated[Amount, "the same: what all but 5 % of the requests reach"]


@dataclass(frozen=True, kw_only=True)
class Sending(Named):
    """How punctual the generator was."""

    send_lag: Annotated[
        Percentiles, "sent - due; a clock's resolution can make it slightly negative"
    ]
    send_lag_max_s: Annotated[Amount, "send lag of the latest send"]
    release_skew_s: Annotated[Seconds, "last send - first send, of one attempt"]
    connections_reused_rate: Annotated[Share, "requests that used an open connection"]


@dataclass(frozen=True, kw_only=True)
class Tokens(Named):
    """Tokens as the API states them, summed over the successes."""

    prompt_tokens: Annotated[MaybeCount, "input"]
    completion_tokens: Annotated[MaybeCount, "output"]
    reasoning_tokens: Annotated[MaybeCount, "output that was reasoning"]
    cached_tokens: Annotated[MaybeCount, "input that came from a prompt cache"]
    total_tokens: Annotated[MaybeCount, "input and output"]


@dataclass(frozen=True, kw_only=True)
class Costs(Named):
    """Money, in the run's currency. A sum covers known costs; unknown ones are counted apart."""

    cost_sum: Annotated[Amount, "sum of the known costs"]
    cost_known_count: Annotated[Count, "requests sent whose cost is known"]
    cost_unknown_count: Annotated[Count, "requests sent whose cost is not known"]
    cost_unknown_success_count: Annotated[Count, "successes whose cost is not known"]
    cost_per_request: Annotated[Amount, "cost_sum / cost_known_count"]
    cost_per_success: Annotated[
        Amount,
        "cost / successes, without requests selected for cancellation; null if the cost of a "
        "success is not known",
    ]
    cost_per_1k_tokens: Annotated[
        Amount, "cost per 1,000 tokens, of requests for which both are known"
    ]
    cost_unknown_share: Annotated[Share, "cost_unknown_count / sent"]
    cost_on_failures: Annotated[Amount, "what failed requests cost"]
    cost_sources: Annotated[Counts, "requests sent, by the source of their cost"]


@dataclass(frozen=True, kw_only=True)
class Answers(Named):
    """What the answers held."""

    marker_rate: Annotated[Share, "share of the successes whose reply is the marker asked for"]
    checks: Annotated[Counts, "answers by the verdict of a probe, and by flag"]
    checks_failed: Annotated[MaybeCount, "answers that a probe judged wrong"]


@dataclass(frozen=True, kw_only=True)
class StatedTimes(Named):
    """The gateway's own time as headers of successes state it: it cannot be checked."""

    stated_overhead_count: Annotated[Count, "successes that state the time that the gateway added"]
    stated_overhead: Annotated[Times, "the time that the gateway added, as stated"]
    stated_upstream_count: Annotated[Count, "successes that state the time of the upstream"]
    stated_upstream: Annotated[Times, "the time of the upstream, as stated"]
    stated_times_from: Annotated[Counts, "successes by the headers that state these times"]


@dataclass(frozen=True, kw_only=True)
class Numbers(
    StatedTimes, Answers, Costs, Tokens, Sending, Output, Streams, Latency, Goodput, Rates, Requests
):
    """The numbers of any group of requests: of a phase, a model, a task prefix."""


@dataclass(frozen=True, kw_only=True)
class Punctuality(Named):
    """Whether the generator itself was the limit (analysis/numbers/punctuality.py)."""

    loop_lag_p99_s: Annotated[Seconds, "P99 lag of the event loop of the worst generator"]
    loop_lag_max_s: Annotated[Seconds, "its longest lag"]
    send_lag_limit_s: Annotated[Seconds, "P99 send lag above which the phase is generator-limited"]
    loop_lag_limit_s: Annotated[Seconds, "the same for the event loop"]
    chunk_lag_limit_s: Annotated[Seconds, "the same for the event loop, from the gaps of streams"]
    local_limits: Annotated[Count, "requests that a limit of our own machine stopped"]
    generator_limited: Annotated[
        bool | None, "whether the phase measured the generator, not the gateway; null if unknown"
    ]


@dataclass(frozen=True, kw_only=True)
class WarmupLeft(Named):
    """What `--warmup` left out of the phase's numbers."""

    warmup_requests: Annotated[Count, "requests left out"] = 0
    warmup_cost: Annotated[Amount, "what they cost"] = None
    warmup_cost_unknown_success_count: Annotated[
        Count, "successes left out whose cost is not known"
    ] = 0


@dataclass(frozen=True, kw_only=True)
class Gaps(Named):
    """All gaps between chunks of the phase's streams together, to 2.4 %."""

    itl: Annotated[Times, "inter-token latency: gaps between chunks with text"]


@dataclass(frozen=True, kw_only=True)
class PhaseNumbers(Gaps, WarmupLeft, Punctuality, Numbers, Identity):
    """Every number of one phase."""

    @property
    def target_awaited(self) -> float | None:
        """The part of `target` that falls to requests not drawn to be cancelled."""
        if self.target is None or not self.planned:
            return self.target
        return self.target * self.awaited / self.planned

    @property
    def model_and_route(self) -> str:
        """The model, and whether the reference of `--against` answered for it."""
        return self.model_requested + (SUFFIX if self.phase.endswith(SUFFIX) else "")
