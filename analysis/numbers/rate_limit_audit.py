"""The rate limits of each model, inferred from the rows of `--mode limits`."""

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from types import SimpleNamespace
from typing import Any, Literal

from analysis.numbers.short_windows import ShortWindow, best
from recording.outcome import Outcome
from rules.rate_limit import (
    SELDOM,
    WINDOW_S,
    Attempt,
    ConcurrencyLimit,
    Fit,
    Truth,
    Until,
    concurrency_limit,
    credible,
    fits,
    refused_until,
    truth_of_wait,
)

Row = dict[str, Any]
Unit = Literal["requests", "tokens", "concurrency"]
By = Literal["headers", "words", "headers and words", "long prompts"]
"""What tells the unit. Long prompts tell requests from the tokens of prompts, not from those of
replies: every request asks for the same output budget."""
COUNTED = ("look", "fill", "wait", "half", "again", "last", "soon", "later")
"""The steps with short requests: together they tell the kind of the limit."""

_NEAR = 1.2  # token sums within this factor of each other may be the same limit
_AT_ONCE_S = 1.0  # in so short a time a window seldom turns
_SEVERAL = 3  # fewer long prompts are no evidence: one in each of two windows may exceed the limit
_WORDS: Mapping[Unit, re.Pattern[str]] = {
    "concurrency": re.compile(
        r"concurren|simultaneous|parallel|in[- ]?flight|at the same time|并发|同时", re.I
    ),
    "tokens": re.compile(
        r"tokens?[ _-]+(?:per|rate|limit|quota)|\b[io]?tpm|每(?:分钟|日|天).{0,6}token", re.I
    ),
    "requests": re.compile(
        r"(?<!concurrent )(?<!parallel )requests?[ _-]+(?:per|/)|\brp[ms]\b|\brpm_|\bqps\b"
        r"|每(?:秒|分钟).{0,6}请求",
        re.I,
    ),
}
"""What refusals call that which ran out."""


@dataclass(frozen=True, slots=True)
class Step:
    """One step: how many were sent, let through and refused, in how many seconds; their tokens."""

    name: str
    begun_unix_s: float
    sent: int
    admitted: int
    refused: int
    lasted_s: float
    tokens: int | None


@dataclass(frozen=True, slots=True)
class Wait:
    """A stated wait, and the requests around its end: how far from it, seconds; let through?"""

    until: Until
    before_s: float | None
    before: bool | None
    after_s: float | None
    after: bool | None

    @property
    def truth(self) -> Truth:
        """Whether the wait was true."""
        return truth_of_wait(self.before, self.after)


@dataclass(frozen=True, slots=True)
class Audit:
    """All of one model. `fits` are those of each kind, the best first; None: not known.

    `short`: a window of seconds that explains the decisions about as well as any limit per minute,
    so no limit is named; None: there is no such window.
    `at_once`: how many requests go through at once, where that is what is limited: by concurrency,
    or (with no `unit`) by a window of seconds. None: it is not.
    `by` says what told the unit. `token_low`, `token_high`: between which token sums a minute the
    limit lies (no `high`: it was not reached).
    """

    model: str
    steps: Mapping[str, Step]
    advertised_requests: int | None
    advertised_tokens: int | None
    fits: Sequence[Fit]
    short: ShortWindow | None
    at_once: int | None
    wait: Wait | None
    unit: Unit | None
    by: By | None
    token_low: int | None
    token_high: int | None

    @property
    def fit(self) -> Fit | None:
        """The kind and the size of the limit, if they can be determined.

        Short requests are replayed as one unit each: of tokens they are not, since gateways reserve
        some and give them back.
        """
        return credible(self.fits) if self.unit == "requests" and self.short is None else None

    @property
    def refused(self) -> int:
        """How many requests were refused in all."""
        return sum(step.refused for step in self.steps.values())


def audit(model: str, rows: Sequence[Row], begun: Mapping[str, float]) -> Audit:
    """The audit of a model's rows (of all steps); `begun` says when each phase began, unix s."""
    by_step: dict[str, list[Row]] = {}
    for row in rows:
        if row["phase"] in begun and row["sent_offset_s"] is not None:
            by_step.setdefault(row["scenario"], []).append(row)
    steps = {name: _step(name, of_step, begun) for name, of_step in by_step.items()}
    short = [row for name in COUNTED for row in by_step.get(name, [])]
    decided = [_attempt(row, begun) for row in short if _answered(row)]
    limits = fits(decided)
    seconds = _short(decided, limits)
    fill = by_step.get("fill", [])
    unit, most = _unit(fill, steps), None
    claimed, in_flight = _claimed(fill), _at_once(short, begun, limits)
    if unit == "concurrency":
        unit, most = ("concurrency", in_flight.size) if in_flight else (None, None)
    elif len(claimed) != 1 and in_flight is not None:
        least = min(fit.wrong for fit in limits)
        long = _at_once(by_step.get("tokens", []), begun, limits)
        # Long prompts that are refused at the same number in flight are not short of tokens. A
        # window of seconds looks alike, so concurrency itself is told by the gateway's words alone.
        if least > 2 * in_flight.wrong + 1 and long is not None and long.size == in_flight.size:
            unit, most = None, in_flight.size
        elif least >= in_flight.wrong:  # a limit per minute explains no more: neither is reported
            unit, limits = None, []
    low, high = _token_bounds(steps, None if seconds else credible(limits))
    if unit == "tokens":
        low, high = _bounds_of_short(by_step["fill"], steps["fill"])
    return Audit(
        model=model,
        steps=steps,
        advertised_requests=_stated_limit(rows, "requests"),
        advertised_tokens=_stated_limit(rows, "tokens"),
        fits=limits,
        short=seconds,
        at_once=most,
        wait=_wait(by_step, begun),
        unit=unit,
        by=_by(fill) if unit else None,
        token_low=low,
        token_high=high,
    )


def _short(decided: Sequence[Attempt], limits: Sequence[Fit]) -> ShortWindow | None:
    """The window of seconds, if no limit per minute explains clearly more."""
    window = best(decided)
    if window is None or not limits or window.wrong > SELDOM * len(decided):
        return None
    least = limits[0].wrong
    return window if window.wrong <= max(2 * least, least + (2 if least else 1)) else None


def _answered(row: Row) -> bool:
    """Whether the gateway decided: only then was it let through or refused."""
    return row["http_status"] is not None


def _let(row: Row) -> bool:
    return bool(row["outcome"] != Outcome.RATE_LIMITED)


def _at_once(
    rows: Sequence[Row], begun: Mapping[str, float], limits: Sequence[Fit]
) -> ConcurrencyLimit | None:
    """The limit of requests in flight, where it explains what was let through."""
    decided = [
        (begun[row["phase"]] + row["sent_offset_s"], begun[row["phase"]] + row["done_offset_s"],
         _let(row))
        for row in rows
        if _answered(row) and row["done_offset_s"] is not None
    ]  # fmt: skip
    limit = concurrency_limit(decided)
    if limit is None or not limits or limit.wrong > SELDOM * limit.attempts:
        return None
    return limit


def _attempt(row: Row, begun: Mapping[str, float]) -> Attempt:
    return Attempt(begun[row["phase"]] + row["sent_offset_s"], 1.0, _let(row))


def _step(name: str, rows: Sequence[Row], begun: Mapping[str, float]) -> Step:
    answered = [row for row in rows if _answered(row)]
    tokens = [row["total_tokens"] for row in answered if row["total_tokens"] is not None]
    sent = [row["sent_offset_s"] for row in rows]
    return Step(
        name,
        begun[rows[0]["phase"]] + min(sent),
        len(rows),
        sum(_let(row) for row in answered),
        sum(not _let(row) for row in answered),
        max(sent) - min(sent),
        sum(tokens) if tokens else None,
    )


def _stated_limit(rows: Sequence[Row], unit: str) -> int | None:
    known = [row[name] for row in rows if row[name := f"ratelimit_limit_{unit}"] is not None]
    return known[-1] if known else None


def _wait(by_step: Mapping[str, Sequence[Row]], begun: Mapping[str, float]) -> Wait | None:
    """The stated wait of the fill's last refusal, and what the two requests met."""
    fill = by_step.get("fill", [])
    if not fill:
        return None
    until = refused_until([SimpleNamespace(**row) for row in fill], begun[fill[0]["phase"]])
    if until is None:
        return None
    sides: dict[bool, tuple[float, bool]] = {}
    for row in by_step.get("wait", []):
        if _answered(row):
            off_s = begun[row["phase"]] + row["sent_offset_s"] - until.at_unix_s
            sides[off_s > 0] = (off_s, _let(row))
    before, after = sides.get(False), sides.get(True)
    return Wait(
        until,
        before[0] if before else None,
        before[1] if before else None,
        after[0] if after else None,
        after[1] if after else None,
    )


def _unit(fill: Sequence[Row], steps: Mapping[str, Step]) -> Unit | None:
    """What the refusals of short requests counted; None: no evidence.

    The headers and the words of the refusals say what was used up, unless they contradict each
    other; else long prompts tell: if far more tokens went through in their minute than short ones
    can have reserved, it was not tokens that ran out.
    """
    if not fill:
        return None
    refusals, claimed = [row for row in fill if not _let(row)], _claimed(fill)
    if claimed:
        return claimed.pop() if len(claimed) == 1 else None
    first, long, short = (steps.get(name) for name in ("long", "tokens", "fill"))
    if not refusals or short is None or long is None or not short.tokens or not long.tokens:
        return None
    let = [row for row in fill if _answered(row) and _let(row)]
    reserved = sum(max(r["total_tokens"] or 0, _reserved(r)) for r in let)
    tokens, admitted = long.tokens, long.admitted
    if first is not None and long.begun_unix_s + long.lasted_s < first.begun_unix_s + WINDOW_S:
        tokens, admitted = tokens + (first.tokens or 0), admitted + first.admitted
    far_more = tokens > _NEAR * reserved and admitted >= _SEVERAL
    return "requests" if far_more else None


def _claimed(fill: Sequence[Row]) -> set[Unit]:
    """What ran out by the headers and the words of the refusals."""
    return _used_up(fill) | _named(fill)


def _by(fill: Sequence[Row]) -> By:
    """What told the unit."""
    if _used_up(fill):
        return "headers and words" if _named(fill) else "headers"
    return "words" if _named(fill) else "long prompts"


def _named(fill: Sequence[Row]) -> set[Unit]:
    """The units that the words of the refusals name; none where one names several."""
    units: set[Unit] = set()
    for row in fill:
        if not _let(row):
            words = f"{row.get('error_type') or ''} {row.get('error_message') or ''}"
            units |= {unit for unit, pattern in _WORDS.items() if pattern.search(words)}
    return units if len(units) == 1 else set()


def _reserved(row: Row) -> int:
    """The tokens that a gateway may reserve for a request: its prompt and its output budget."""
    return int(row["prompt_tokens"] or row["total_tokens"] or 0) + int(row["max_tokens"] or 0)


def _used_up(fill: Sequence[Row]) -> set[Unit]:
    """What the headers of the refusals say was used up."""
    if not fill:
        return set()
    refusals, admitted = ([r for r in fill if _let(r) is let] for let in (False, True))
    each = max((r["total_tokens"] or 0) + (r["max_tokens"] or 0) for r in admitted or fill)
    units: tuple[tuple[Unit, int], ...] = (("requests", 1), ("tokens", each))
    return {
        unit
        for unit, needed in units
        for row in refusals
        if row[name := f"ratelimit_remaining_{unit}"] is not None and row[name] < needed
    }


def _token_bounds(steps: Mapping[str, Step], fit: Fit | None) -> tuple[int | None, int | None]:
    """Between which token sums a minute the limit lies; without a refusal there is no upper one.

    Refusals after about as many requests as the request limit allows are no evidence on tokens.
    While long prompts are sent, a bucket gains what is not its size.
    """
    long, step, short = (steps.get(name) for name in ("long", "tokens", "fill"))
    if long is None or step is None or not long.tokens or not step.tokens:
        return None, None
    sum_, each = long.tokens + step.tokens, step.tokens / step.admitted
    lasted_s = step.begun_unix_s + step.lasted_s - long.begun_unix_s
    size = 1 + lasted_s / WINDOW_S if fit is not None and fit.kind == "bucket" else 1.0
    by_requests = short is not None and short.refused and step.admitted >= 0.8 * short.admitted
    high = round((sum_ + each) / size) if step.refused and not by_requests else None
    return round(sum_ / size), high


def _bounds_of_short(fill: Sequence[Row], step: Step) -> tuple[int | None, int | None]:
    """Between which token sums a minute the limit lies that short requests ran into.

    They used at least what they were billed, less what a bucket gained meanwhile (or half of it: a
    fixed window may have turned), and with the one that was refused at most their prompts and whole
    output budgets, which a gateway may reserve.
    """
    let = [row for row in fill if _answered(row) and _let(row)]
    each = [(r["prompt_tokens"] or r["total_tokens"] or 0) + (r["max_tokens"] or 0) for r in let]
    if not step.tokens or not step.refused:
        return None, None
    windows = 1 + step.lasted_s / WINDOW_S if step.lasted_s < _AT_ONCE_S else 2
    return round(step.tokens / windows), sum(each) + 2 * max(each)
