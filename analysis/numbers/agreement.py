"""Whether one prompt is answered, counted and charged alike, plain and streamed. Pure.

Modes smoke and reasoning send one prompt both ways. Compared are successes alone, and only what
must not depend on `stream`:

usage_stream_differs   prompt tokens differ by more than SLACK_TOKENS: the prompt is the same
cost_stream_differs    no price per token explains both costs. Whatever the prices, the same prompt
                       costs the same, so the costs of two replies differ at most as their output
                       tokens do; a factor of FACTOR and two units of the last decimal stated are
                       left for rounding. Tokens read from a cache may have been free, those
                       written to one may have cost twice as much. Up to a factor of GRAVE it may
                       be another provider's price (a router may ask one for each), so it is a note.
                       Both are notes, whatever the size, where the two replies are of different
                       providers, or of a router that does not say of which.
reply_stream_differs   one reply is text and the other a tool call; or finish reasons differ that
                       free text cannot explain: a reply may be longer the second time, and so end
                       with `length` instead of `stop`, if it used its budget

Not judged: what one side does not state (other flags report that), another model's answer, costs
from our own price table, and a stream's cost that a header states too low, because a header leaves
before the tokens are known.
"""

from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

from analysis.numbers.phase_numbers import PhaseNumbers
from analysis.numbers.pricing import STATED, last_decimal
from analysis.numbers.providers import comparable

Row = Mapping[str, Any]

MODES = ("smoke", "reasoning")
"""The modes that send one prompt both ways, once each for a model."""
FLAGS = ("usage_stream_differs", "cost_stream_differs", "reply_stream_differs")
SLACK_TOKENS = 1
FACTOR, GRAVE = 1.1, 3.0
CACHEABLE_TOKENS = 1024  # the shortest prompt that a known gateway caches
_SPARE_TOKENS = (
    2  # a reply may be cut this many tokens short of its budget: `length` is then still true
)


@dataclass(frozen=True, slots=True)
class Difference:
    """One flag of a stream, and the values on both sides; `plain` and `streamed` are rows.

    `grave`: a healthy gateway would not do so. `elsewhere`: different providers may have answered
    the two.
    """

    flag: str
    plain: Row
    streamed: Row
    was: Any
    now: Any
    grave: bool = True
    elsewhere: bool = False


def differences(rows: Iterable[Row], *, routed: bool = False) -> list[Difference]:
    """What differs between the streams and the plain reply of the same mode and model.

    `routed`: the gateway may send a model's requests to several providers.
    """
    plain: dict[tuple[str, str], Row] = {}
    streams: list[Row] = []
    for row in rows:
        if row["mode"] not in MODES or not row["success"]:
            continue
        if row["stream"]:
            streams.append(row)
        else:
            plain.setdefault(_key(row), row)
    return [
        difference
        for row in streams
        if (other := plain.get(_key(row))) is not None
        for difference in _compare(other, row, routed)
    ]


def flagged(
    phases: Sequence[PhaseNumbers], differences: Sequence[Difference]
) -> list[PhaseNumbers]:
    """The phases, with the flags of their streams among their `checks`."""

    def checks(phase: PhaseNumbers) -> dict[str, int]:
        flags = [
            difference.flag
            for difference in differences
            if difference.streamed["phase"] == phase.phase
        ]
        return phase.checks | {
            flag: phase.checks.get(flag, 0) + count for flag, count in Counter(flags).items()
        }

    return [replace(phase, checks=checks(phase)) for phase in phases]


def _key(row: Row) -> tuple[str, str]:
    return row["mode"], row["model_requested"]


def _compare(plain: Row, streamed: Row, routed: bool) -> Iterator[Difference]:
    same_provider = comparable(plain, streamed, routed=routed)
    names = {row["model_returned"] for row in (plain, streamed)} - {None}
    if len(names) <= 1:  # each of two models counts and charges in its own way
        was, now = plain["prompt_tokens"], streamed["prompt_tokens"]
        if was is not None and now is not None and abs(was - now) > SLACK_TOKENS:
            yield Difference(FLAGS[0], plain, streamed, was, now, same_provider, not same_provider)
        if _unexplained(plain, streamed, FACTOR):
            costs = plain["api_cost"], streamed["api_cost"]
            grave = same_provider and _unexplained(plain, streamed, GRAVE)
            yield Difference(FLAGS[1], plain, streamed, *costs, grave, not same_provider)
    if (kinds := (_kind(plain), _kind(streamed)))[0] != kinds[1] and None not in kinds:
        yield Difference(FLAGS[2], plain, streamed, *kinds)
    elif _reasons_differ(plain, streamed):
        reasons = plain["finish_reason"], streamed["finish_reason"]
        yield Difference(FLAGS[2], plain, streamed, *reasons)


def _unexplained(plain: Row, streamed: Row, factor: float) -> bool:
    """Whether no price per token of 0 or more explains both costs by their tokens."""
    both = (plain, streamed)
    sources, costs = [r["cost_source"] for r in both], [r["api_cost"] for r in both]
    if None in costs or not set(sources) <= set(STATED):
        return False
    ratios = _ratios(plain, streamed)
    if ratios is None:
        return False
    low, high = ratios
    slack = 2 * last_decimal(costs)
    was, now = costs
    if now > (was + slack) * high * factor + slack:
        return True
    early = sources[1] == "header"
    return not early and now + slack < (was - slack) * low / factor


def _ratios(plain: Row, streamed: Row) -> tuple[float, float] | None:
    """The lowest and highest possible ratio of streamed to plain cost; None: not known.

    A sum of parts grows by no less than its slowest part, and by no more than its fastest.
    """
    outputs = _output(plain), _output(streamed)
    if None in outputs:
        return None
    was, now = (max(1, tokens or 0) for tokens in outputs)
    before, after = _prompt_price(plain), _prompt_price(streamed)
    highest = after[1] / before[0] if before[0] else float("inf")
    lowest = after[0] / before[1]
    return min(lowest, now / was), max(highest, now / was)


def _output(row: Row) -> int | None:
    """Output tokens, with reasoning that is counted into the total alone."""
    completion, total, prompt = (
        row[name] for name in ("completion_tokens", "total_tokens", "prompt_tokens")
    )
    beside = None if total is None or prompt is None else total - prompt
    known: list[int] = [tokens for tokens in (completion, beside) if tokens is not None]
    return max(known, default=None)


def _prompt_price(row: Row) -> tuple[float, float]:
    """The lowest and highest possible prompt cost, as a share of its cost without a cache."""
    prompt, cached = row["prompt_tokens"], row["cached_tokens"]
    if not prompt or prompt < 0:
        return 1.0, 1.0
    if cached is None and prompt >= CACHEABLE_TOKENS:
        return 0.0, 1.0
    free = (cached + SLACK_TOKENS) / prompt if cached else 0.0  # how exactly a prompt is counted
    return max(0.0, 1 - free), 2.0 if row["cache_write_tokens"] else 1.0


def _kind(row: Row) -> str | None:
    if row["tool_calls"] is None:
        return None
    return "tool_calls" if row["tool_calls"] else "text"


def _reasons_differ(plain: Row, streamed: Row) -> bool:
    was, now = plain["finish_reason"], streamed["finish_reason"]
    if was == now or was is None or now is None:
        return False  # a missing reason has a flag of its own
    if {was, now} != {"stop", "length"}:
        return True
    cut, ended = (plain, streamed) if was == "length" else (streamed, plain)
    used, budget = _output(cut), cut["max_tokens"]
    if used is not None and budget is not None and used < budget - _SPARE_TOKENS:
        return True
    return bool(cut["content"]) and cut["content"] == ended["content"]
