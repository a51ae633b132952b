"""What breaks a comparison, with the evidence: each guard is a function of the pairs.

A finding forbids metrics: they are then "not comparable", whatever the numbers say. No guard
judges by a single pair, or by something that a healthy gateway does: a model name that a route
merely echoes, an id that all replies share, or a missing count is no evidence.
"""

from collections.abc import Callable
from typing import TYPE_CHECKING

import numpy as np

from analysis.numbers import streaming
from analysis.numbers.percentile import nearest_rank
from analysis.pairs.differences import alike, good
from analysis.pairs.findings import (
    Buffered,
    Cached,
    Finding,
    Late,
    NoSuccess,
    OtherModel,
    OtherPrompt,
    RateLimited,
    Replayed,
    SharedLimit,
    UnlikeLengths,
    Warmed,
)
from analysis.pairs.pairing import Pairs, floats, texts
from analysis.pairs.success import mcnemar
from recording.outcome import Outcome
from rules.punctuality import LAG_SHARE, limit_s

if TYPE_CHECKING:
    from numpy.typing import NDArray
    from pandas import DataFrame

    Bools = NDArray[np.bool_]
    Floats = NDArray[np.float64]

LEAST = 3
"""With fewer rows or pairs than this, no guard judges."""
_SURE = 0.01
_MANY = 10


def no_success(pairs: Pairs) -> Finding | None:
    """A route answered every request, and each with an error: there is nothing to compare."""
    for of_reference, (_, arm) in enumerate(pairs.arms()):
        status = floats(arm, "http_status")
        if len(arm) < LEAST or good(arm).any() or np.isnan(status).any():
            continue
        outcome = str(arm["outcome"].mode()[0])
        usual = int(np.median(status[texts(arm, "outcome") == outcome]))
        return NoSuccess(bool(of_reference), len(arm), outcome, usual)
    return None


def refused(pairs: Pairs) -> Finding | None:
    """Both arms were rate limited: each took from the other, or both measured the limit."""
    counts = [int((texts(arm, "outcome") == Outcome.RATE_LIMITED).sum()) for _, arm in pairs.arms()]
    if min(counts) < LEAST:
        return None
    return RateLimited(*counts)


def shared_limit(pairs: Pairs) -> Finding | None:
    """Both arms count down one limit: each request takes from what the other arm has left.

    From one row of an arm to its next, the remaining requests then fall by the number that both
    arms have sent in between, not by 1, and a refusal may have been caused by the other arm.
    """
    limits = {float(v) for _, arm in pairs.arms() for v in _known(arm, "ratelimit_limit_requests")}
    if len(limits) > 1:
        return None
    sent = [floats(arm, "sent_offset_s") for _, arm in pairs.arms()]
    everyone = np.sort(np.concatenate(sent))
    falls: list[float] = []
    for (_, arm), times in zip(pairs.arms(), sent, strict=True):
        remaining = floats(arm, "ratelimit_remaining_requests")
        known = ~np.isnan(remaining) & ~np.isnan(times)
        by_time = np.argsort(times[known], kind="stable")
        fall, own_times = -np.diff(remaining[known][by_time]), times[known][by_time]
        between = np.diff(np.searchsorted(everyone, own_times))
        usable = (fall > 0) & (between > 0)  # a bucket that was refilled in between is no evidence
        if int(usable.sum()) < _MANY:
            return None
        falls.append(float(np.median(fall[usable] / between[usable])))
    return SharedLimit(*falls) if all(0.9 <= fall <= 1.1 for fall in falls) else None


def cached(pairs: Pairs) -> Finding | None:
    """One arm had more of its prompts read from a cache."""
    means = _uneven(*(_cached_share(arm) for _, arm in pairs.arms()))
    return None if means is None else Cached(*means)


def warmed(pairs: Pairs) -> Finding | None:
    """The second request of a pair found the first one's prompt in a cache, whatever its arm."""
    a, b = (_cached_share(arm) for _, arm in pairs.arms())
    known = pairs.first != 0
    first, second = np.where(pairs.first == 1, a, b), np.where(pairs.first == 1, b, a)
    means = _uneven(second[known], first[known])
    return None if means is None or means[0] <= means[1] else Warmed(*means)


def replayed(pairs: Pairs) -> Finding | None:
    """Both arms got the same reply, generated once and stored.

    The id and the time of creation must be the same within a pair, and occur in no other pair.
    """
    ids = [texts(arm, "completion_id") for _, arm in pairs.arms()]
    created = [floats(arm, "completion_created") for _, arm in pairs.arms()]
    same = (ids[0] == ids[1]) & (ids[0] != "") & (created[0] == created[1])
    count = int((same & _singly(ids)).sum())
    return None if count < LEAST else Replayed(count, len(pairs))


def other_model(pairs: Pairs) -> Finding | None:
    """The arms name different models, and neither merely echoes the requested name."""
    named = [_models(arm) for _, arm in pairs.arms()]
    if not all(named) or any(_alike(one, other) for one in named[0] for other in named[1]):
        return None
    return OtherModel(*(tuple(sorted(names)) for names in named))


def other_prompt(pairs: Pairs) -> Finding | None:
    """Identical bodies were counted as prompts of different length: another tokenizer or prompt."""
    a, b = (floats(arm, "prompt_tokens") for _, arm in pairs.arms())
    known = ~np.isnan(a) & ~np.isnan(b)
    unlike = known & (a != b)
    if int(unlike.sum()) < LEAST or int(unlike.sum()) * 10 < int(known.sum()):
        return None
    medians = (float(np.median(tokens[known])) for tokens in (a, b))
    return OtherPrompt(int(unlike.sum()), int(known.sum()), *medians)


def buffered(pairs: Pairs) -> Finding | None:
    """One arm holds its streams back and releases them all at once, so its TTFT means nothing.

    The time to the whole reply is still compared.
    """
    shares: list[float] = []
    for _, arm in pairs.arms():
        if not {"chunks", "ttft_s", "last_token_s"} <= set(arm.columns):
            return None
        judgeable, clump = (
            some.to_numpy(dtype=bool) for some in streaming.held_back(arm[good(arm)])
        )
        if int(judgeable.sum()) < LEAST:
            return None
        shares.append(float(clump.sum() / judgeable.sum()))
    holds_back = [share >= 0.5 for share in shares]
    return Buffered(*shares) if holds_back[0] != holds_back[1] else None


def late(pairs: Pairs) -> Finding | None:
    """The generator sent an arm's requests too late to measure times as short as these."""
    too_late_s: list[float] = []
    for _, arm in pairs.arms():
        lags_s, elapsed_s = _known(arm, "send_lag_s"), _known(arm, "elapsed_sec")
        lag, limit = nearest_rank(lags_s, 99), limit_s(LAG_SHARE, nearest_rank(elapsed_s, 50))
        if lag is not None and limit is not None and len(lags_s) >= LEAST and lag > limit:
            too_late_s.append(lag)
    return Late(max(too_late_s)) if too_late_s else None


def unlike_lengths(pairs: Pairs) -> Finding | None:
    """In most pairs the replies differ in length, so total times are not compared."""
    tokens = [floats(arm, "completion_tokens") for _, arm in pairs.arms()]
    known = ~np.isnan(tokens[0]) & ~np.isnan(tokens[1])
    same = known & alike(pairs)
    count = int(known.sum())
    if count < LEAST or int(same.sum()) * 2 >= count:
        return None
    return UnlikeLengths(int(same.sum()), count)


GUARDS: tuple[Callable[[Pairs], Finding | None], ...] = (
    refused, shared_limit, cached, warmed, replayed, other_model, other_prompt, buffered, late,
    unlike_lengths,
)  # fmt: skip


def findings(pairs: Pairs) -> list[Finding]:
    """What the guards find, in the order of GUARDS; of errors alone they judge nothing else."""
    if (silent := no_success(pairs)) is not None:
        return [silent]
    return [finding for guard in GUARDS if (finding := guard(pairs)) is not None]


def _known(rows: "DataFrame", column: str) -> "Floats":
    """The known values of a column, ascending."""
    values = floats(rows, column)
    return np.sort(values[~np.isnan(values)])


def _cached_share(rows: "DataFrame") -> "Floats":
    """The share of each request's prompt that came from a cache; NaN: not stated."""
    prompt = floats(rows, "prompt_tokens")
    return floats(rows, "cached_tokens") / np.where(prompt > 0, prompt, np.nan)


def _uneven(one: "Floats", other: "Floats") -> tuple[float, float] | None:
    """Both means, if one share is larger in more pairs than by chance, and by 1 % on average."""
    known = ~np.isnan(one) & ~np.isnan(other)
    one, other = one[known], other[known]
    more, less = int((one > other).sum()), int((one < other).sum())
    if more + less < LEAST or mcnemar(more, less) > _SURE:
        return None
    means = float(one.mean()), float(other.mean())
    return None if abs(means[0] - means[1]) < 0.01 else means


def _singly(ids: "list[NDArray[np.object_]]") -> "Bools":
    """Which pairs have ids that occur in no other pair."""
    uses: dict[str, int] = {}
    for one, other in zip(*ids, strict=True):
        for name in {one, other}:
            uses[name] = uses.get(name, 0) + 1
    return np.array([uses[one] == 1 for one in ids[0]], dtype=bool)


def _models(rows: "DataFrame") -> set[str]:
    """The models that at least LEAST replies name, apart from echoes of the requested name."""
    named, requested = texts(rows, "model_returned"), texts(rows, "model_requested")
    own_names = named[(named != "") & (named != requested)]
    names, counts = np.unique(own_names.astype(str), return_counts=True)
    return {str(name) for name, count in zip(names, counts, strict=True) if count >= LEAST}


def _alike(one: str, other: str) -> bool:
    """Whether two names may be of one model: a provider may precede it, a date may follow."""
    short = [name.rsplit("/", 1)[-1].lower() for name in (one, other)]
    return short[0].startswith(short[1]) or short[1].startswith(short[0])
