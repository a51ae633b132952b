"""Whether the requests of a trial meet their objectives, with what certainty, and if not, why.
Pure.

Percentiles are judged by counting: the nearest rank of 95 % is within a limit if at least ceil(95 n
/ 100) of n requests are. The n requests are the successes and those that were never answered
(rules/censoring.py), which are within no limit. An answer is *sure* if chance alone would produce
it in fewer than one of a hundred trials exactly at the objective. Requests of a queue are
correlated, so they count as their effective number of independent requests.
"""

from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from math import ceil, exp, floor, fsum, lgamma, log, log1p
from typing import Literal, NamedTuple, Protocol

from recording.outcome import ENDED_BY_US, Outcome
from rules.censoring import Ended, bears, enough, times
from rules.conditions import Condition
from rules.effective_size import design_effect
from rules.punctuality import LAG_SHARE, limit_s
from rules.slo import SHARES, Objectives, ranked
from rules.stream_timing import Timed, tokens_of, tpot_of

SURE = 0.01
PATIENCE = 3
Cause = Literal["", "429", "errors", "latency", "cost", "users", "generator", "few"]


class Row(Ended, Timed, Protocol):
    """The columns that are read: how a request ended, its times, and how it was sent."""

    @property
    def success(self) -> bool: ...
    @property
    def worker(self) -> str: ...
    @property
    def api_cost(self) -> float | None: ...
    @property
    def send_lag_s(self) -> float | None: ...
    @property
    def in_flight(self) -> int | None: ...
    @property
    def cancel_after(self) -> str | None: ...


@dataclass(frozen=True, slots=True)
class Attained:
    """Whether every objective is met; `missed` names the others by their keys in slo.toml.

    `cause` is the reason: the gateway refused (`429`), failed (`errors`), was slow (`latency`) or
    expensive (`cost`); or we could not send as planned: too few `users`, or a late `generator`; or
    there were too `few` requests for a percentile. `likely` is the probability that the level truly
    meets its objectives (None: chance plays no part in the verdict). `reliability` is that of the
    window, from 0 to 1.
    """

    met: bool
    sure: bool
    missed: tuple[str, ...] = ()
    cause: Cause = ""
    likely: float | None = field(default=None, compare=False)
    reliability: float = field(default=1.0, compare=False)


def judge(
    rows: Sequence[Row], planned: int, users: int, objectives: Objectives, halted: bool = False
) -> Attained:
    """Judge the rows of a phase that planned `planned` requests with at most `users` in flight.

    `halted`: the stop rule ended it, which always counts as missed. Requests drawn to be cancelled
    on purpose are left out: the others are a fair sample.
    """
    full = _all_users_busy(rows, users)
    awaited = [row for row in rows if row.cancel_after is None]
    planned -= len(rows) - len(awaited)
    rows = awaited
    by_key = _answers(rows, planned, objectives)
    missed = _missed(by_key)
    ours = any(row.outcome == Outcome.LOCAL_LIMIT for row in rows)
    late = (ours or _late(rows)) and not halted
    if late and (ours or not full):
        return Attained(False, True, missed, "generator")
    # The planned rate was never offered: requests that waited for a free user and were never sent
    # do not show that the gateway is slow.
    sent = [row for row in rows if row.outcome != Outcome.DROPPED]
    if late and not (missed and _missed(_answers(sent, planned, objectives))):
        return Attained(False, True, (), "users")
    few = tuple(key for key, answer in by_key.items() if answer.few)
    if few and not halted and few == missed:
        return Attained(False, True, few, "few")
    if halted or missed:
        missed = tuple(key for key in missed if key not in few)
        sure = halted or any(answer.sure for answer in by_key.values() if not answer.met)
        cause = _cause(rows, missed, full)
        if halted:
            return Attained(False, sure, missed, cause, 0.0)
        worst = _worst(by_key)
        return Attained(False, sure, missed, cause, worst.likely, worst.reliability)
    worst = _worst(by_key)
    sure = all(answer.sure for answer in by_key.values())
    return Attained(True, sure, likely=worst.likely, reliability=worst.reliability)


class _Answer(NamedTuple):
    """Whether a statement is met, whether that is sure, and the probability that the level meets
    it.

    `few`: nothing speaks against it, but there are too few requests to show it. `reliability`: as
    in `Attained`.
    """

    met: bool
    sure: bool
    likely: float
    few: bool = False
    reliability: float = 1.0


def _answers(rows: Sequence[Row], planned: int, objectives: Objectives) -> dict[str, _Answer]:
    """Every statement, judged."""
    good = [row for row in rows if row.success]
    return {
        condition.metric: _judge(condition, rows, good, planned, objectives)
        for condition in objectives.statements
    }


def _missed(by_key: dict[str, _Answer]) -> tuple[str, ...]:
    return tuple(key for key, answer in by_key.items() if not answer.met)


def _worst(by_key: dict[str, _Answer]) -> _Answer:
    """The statement that is least likely met: it bounds the probability of the level."""
    return min(by_key.values(), key=lambda answer: answer.likely, default=_certain(True))


def _certain(met: bool) -> _Answer:
    return _Answer(met, True, float(met))


def answers(trials: Iterable[tuple[int, Attained]]) -> Iterator[bool]:
    """Whether each trial counts as an answer. A trial with a late generator says nothing.

    Such a level is tried again; after PATIENCE late trials the answer is that we cannot send that
    much.
    """
    late: Counter[int] = Counter()
    for level, attained in trials:
        late[level] += attained.cause == "generator"
        yield attained.cause != "generator" or late[level] >= PATIENCE


def good_enough(row: Row, objectives: Objectives) -> bool:
    """Whether a request succeeded within every limit (see rules/slo.py)."""
    if not row.success:
        return False
    for time, limit in objectives.limits.items():
        if time != "e2e" and not row.stream:
            continue
        if time == "tpot" and (tokens := tokens_of(row)) is not None and tokens < 2:
            continue
        took_s = TAKEN[time](row)
        if took_s is None or round(took_s, 12) > round(limit.seconds, 12):
            return False
    return True


TAKEN: dict[str, Callable[[Row], float | None]] = {
    "e2e": lambda row: row.elapsed_sec,
    "ttft": lambda row: row.ttft_s if row.stream else None,
    "tpot": tpot_of,
}
"""The times of a request, seconds; None: unknown, or it has none."""


def _judge(
    condition: Condition,
    rows: Sequence[Row],
    good: Sequence[Row],
    planned: int,
    objectives: Objectives,
) -> _Answer:
    """One statement, judged."""
    key, limit = condition.metric, condition.limit
    if key == "cost_per_success":
        costs = [row.api_cost for row in rows if row.api_cost is not None]
        known = good and all(row.api_cost is not None for row in good)
        return _certain(bool(known) and not condition.met(fsum(costs) / len(good)))
    if key == "success_rate":
        return _share([row.success for row in ordered(rows)], planned, limit)
    if key == "attainment":
        return _share([good_enough(row, objectives) for row in ordered(rows)], planned, limit)
    named = ranked(key)
    assert named is not None, key  # the only statement that is left
    time, percent = named
    known_s, running_s = times(rows, time, TAKEN[time])
    count = len(known_s) + len(running_s)
    if not count:
        return _certain(False)
    within = sum(round(t, 12) <= round(limit, 12) for t in known_s)
    beyond = len(known_s) - within + sum(round(t, 12) >= round(limit, 12) for t in running_s)
    met = within >= max(1, ceil(percent * count / 100))
    if met and not bears(percent, count):
        return _Answer(False, False, 0.5, few=True)
    share = float(1 - percent / 100)
    took = [t for row in ordered(rows) if row.success and (t := TAKEN[time](row)) is not None]
    tail = sorted(took)[ceil(percent * len(took) / 100) - 1] if took else limit
    middle = sorted(took)[len(took) // 2] if took else limit
    waves = [design_effect([t > edge for t in took]) for edge in (limit, tail, middle)]
    effect = max(by for by, _ in waves), min(reliability for _, reliability in waves)
    return _answer_for(met, count - within if met else beyond, count, share, effect)


def ordered(rows: Sequence[Row]) -> list[Row]:
    """The rows in the order in which they were due, or sent."""

    def begun_s(row: Row) -> float:
        due = row.scheduled_offset_s
        offset_s = row.sent_offset_s if due is None else due
        return 0.0 if offset_s is None else offset_s

    return sorted(rows, key=begun_s)


def _share(good: Sequence[bool], planned: int, limit: float) -> _Answer:
    met = planned > 0 and round(sum(good) / planned, 12) >= round(limit, 12)
    return _answer_for(met, max(0, planned - sum(good)), planned, 1 - limit, design_effect(good))


def _answer_for(
    met: bool, bad: int, count: int, share: float, effect: tuple[float, float]
) -> _Answer:
    """Judge by the effective number of independent requests: `share` of them may be bad."""
    by, reliability = effect
    worth, some = count / by, bad / by
    sure = _surely(ceil(some) if met else floor(some), max(1, floor(worth)), share, met)
    if not 0 < share < 1 or not count:
        return _Answer(met, sure, 0.9 if met else 0.0)
    tries, low = max(1, round(worth)), floor(some)
    likely = [_likely(min(k, tries), tries, share) for k in (low, low + 1)]
    by_chance = likely[0] + (some - low) * (likely[1] - likely[0])
    return _Answer(met, sure, 0.5 + reliability * (by_chance - 0.5), reliability=reliability)


def _likely(bad: int, count: int, share: float) -> float:
    """The probability that at most `share` of all are bad, given `bad` of `count` (mid-p)."""
    return (
        binomial(count, share, range(bad + 1, count + 1))
        + binomial(count, share, range(bad, bad + 1)) / 2
    )


def fewest(condition: Condition) -> int:
    """With fewer requests, a single bad one misses the objective; 0 if it tolerates none, or
    all.
    """
    key = condition.metric
    if key in SHARES:
        share = 1 - condition.limit
        return ceil(round(1 / share, 9)) if share > 0 else 0
    named = ranked(key)
    return enough(named[1]) if named is not None else 0


def _surely(bad: int, count: int, share: float, met: bool) -> bool:
    """Whether chance is unlikely to give so few (or many) bad ones if `share` of all are bad."""
    if met:
        return binomial(count, share, range(bad + 1)) < SURE
    return binomial(count, share, range(bad, count + 1)) < SURE


def binomial(count: int, share: float, hits: Iterable[int]) -> float:
    """The probability of any of these numbers of hits in `count` tries."""
    if not 0 < share < 1:
        return float((0 if share <= 0 else count) in hits)
    return fsum(
        exp(
            lgamma(count + 1)
            - lgamma(k + 1)
            - lgamma(count - k + 1)
            + k * log(share)
            + (count - k) * log1p(-share)
        )
        for k in hits
    )


def _late(rows: Sequence[Row]) -> bool:
    """Whether more than 1 % of the sends were later than the report's rule allows."""
    lags = [row.send_lag_s for row in rows if row.send_lag_s is not None]
    times = sorted(row.elapsed_sec for row in rows if row.success and row.elapsed_sec is not None)
    if not lags or not times:
        return False
    bearable_s = limit_s(LAG_SHARE, times[(len(times) - 1) // 2]) or 0.0
    return sum(lag > bearable_s for lag in lags) > len(lags) - ceil(99 * len(lags) / 100)


def _all_users_busy(rows: Sequence[Row], users: int) -> bool:
    """Whether every user was busy at some time, so that requests waited for one."""
    most: dict[str, int] = {}
    for row in rows:
        if row.in_flight is not None:
            most[row.worker] = max(most.get(row.worker, 0), row.in_flight)
    return sum(most.values()) >= users


def _cause(rows: Sequence[Row], missed: Sequence[str], full: bool) -> Cause:
    """The most frequent cause of failure; if none failed, the cause that the objectives name."""
    ends = Counter(row.outcome for row in rows if not row.success)
    refused = ends[Outcome.RATE_LIMITED]
    dropped = sum(ends[name] for name in ENDED_BY_US)
    failed = ends.total() - refused - dropped
    times_missed = any(key.startswith(("e2e", "ttft", "tpot")) for key in missed)
    shares_missed = any(key in ("success_rate", "attainment") for key in missed)
    none_good = not any(row.success for row in rows)
    if refused + failed and (shares_missed or none_good or not missed):
        return "429" if refused >= failed else "errors"
    if (times_missed and not none_good) or (shares_missed and not dropped and rows):
        return "latency"
    if dropped and full:
        return "users"
    return "cost" if "cost_per_success" in missed else "errors"
