"""What breaks a comparison, with the evidence: each guard is a function of the pairs.

A finding forbids metrics: they are then "not comparable", whatever the numbers say. No guard
judges by a single pair, or by what a healthy gateway does: names that a route merely echoes, ids
that all replies share, and counts that are not stated are no evidence.
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
"""With fewer rows or pairs no guard judges."""
_SURE = 0.01
_MANY = 10


def refused(pairs: Pairs) -> Finding | None:
    """Both arms were rate limited: each took from the other, or both measured the limit."""
    counts = [int((texts(arm, "outcome") == Outcome.RATE_LIMITED).sum()) for _, arm in pairs.arms()]
    if min(counts) < LEAST:
        return None
    return RateLimited(*counts)


def shared_limit(pairs: Pairs) -> Finding | None:
    """Both arms count down one limit: each request takes from what the other arm has left.

    In the order of sending, an arm's remaining requests fall by what both arms sent since, not by
    its own one. Refusals would then be the other arm's doing.
    """
    limits = {float(v) for _, arm in pairs.arms() for v in _known(arm, "ratelimit_limit_requests")}
    if len(limits) > 1:
        return None
    sent = [floats(arm, "sent_offset_s") for _, arm in pairs.arms()]
    everyone = np.sort(np.concatenate(sent))
    falls: list[float] = []
    for (_, arm), times in zip(pairs.arms(), sent, strict=True):
        left = floats(arm, "ratelimit_remaining_requests")
        kept = ~np.isnan(left) & ~np.isnan(times)
        order = np.argsort(times[kept], kind="stable")
        fall, own = -np.diff(left[kept][order]), times[kept][order]
        between = np.diff(np.searchsorted(everyone, own))
        told = (fall > 0) & (between > 0)  # a bucket that filled up is no evidence
        if int(told.sum()) < _MANY:
            return None
        falls.append(float(np.median(fall[told] / between[told])))
    return SharedLimit(*falls) if all(0.9 <= fall <= 1.1 for fall in falls) else None


def cached(pairs: Pairs) -> Finding | None:
    """One arm read more of its prompts from a cache."""
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
    """Both arms got the same reply: it was made once and stored.

    The id and its time must be the same in a pair, and belong to no other pair.
    """
    ids = [texts(arm, "completion_id") for _, arm in pairs.arms()]
    made = [floats(arm, "completion_created") for _, arm in pairs.arms()]
    same = (ids[0] == ids[1]) & (ids[0] != "") & (made[0] == made[1])
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
    """One arm holds its streams back and releases them in one clump, so its TTFT means nothing.

    The whole reply is still compared.
    """
    shares: list[float] = []
    for _, arm in pairs.arms():
        if not {"chunks", "ttft_s", "last_token_s"} <= set(arm.columns):
            return None
        judged, clump = (some.to_numpy(dtype=bool) for some in streaming.held_back(arm[good(arm)]))
        if int(judged.sum()) < LEAST:
            return None
        shares.append(float(clump.sum() / judged.sum()))
    held = [share >= 0.5 for share in shares]
    return Buffered(*shares) if held[0] != held[1] else None


def late(pairs: Pairs) -> Finding | None:
    """The generator sent an arm's requests too late for what it measured."""
    late: list[float] = []
    for _, arm in pairs.arms():
        lags, took = _known(arm, "send_lag_s"), _known(arm, "elapsed_sec")
        lag, limit = nearest_rank(lags, 99), limit_s(LAG_SHARE, nearest_rank(took, 50))
        if lag is not None and limit is not None and len(lags) >= LEAST and lag > limit:
            late.append(lag)
    return Late(max(late)) if late else None


def unlike_lengths(pairs: Pairs) -> Finding | None:
    """Most pairs' replies are not as long as each other, so whole times are not compared."""
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
    """All that was found, in the order of GUARDS."""
    return [found for guard in GUARDS if (found := guard(pairs)) is not None]


def _known(rows: "DataFrame", column: str) -> "Floats":
    """The known values of a column, ascending."""
    values = floats(rows, column)
    return np.sort(values[~np.isnan(values)])


def _cached_share(rows: "DataFrame") -> "Floats":
    """Of each request, the share of its prompt that came from a cache; NaN: not stated."""
    prompt = floats(rows, "prompt_tokens")
    return floats(rows, "cached_tokens") / np.where(prompt > 0, prompt, np.nan)


def _uneven(one: "Floats", other: "Floats") -> tuple[float, float] | None:
    """Both means, where one share is larger in more pairs than by chance, and by 1 %."""
    known = ~np.isnan(one) & ~np.isnan(other)
    one, other = one[known], other[known]
    more, less = int((one > other).sum()), int((one < other).sum())
    if more + less < LEAST or mcnemar(more, less) > _SURE:
        return None
    means = float(one.mean()), float(other.mean())
    return None if abs(means[0] - means[1]) < 0.01 else means


def _singly(ids: "list[NDArray[np.object_]]") -> "Bools":
    """Which pairs' ids belong to no other pair."""
    seen: dict[str, int] = {}
    for one, other in zip(*ids, strict=True):
        for name in {one, other}:
            seen[name] = seen.get(name, 0) + 1
    return np.array([seen[one] == 1 for one in ids[0]], dtype=bool)


def _models(rows: "DataFrame") -> set[str]:
    """The models that replies name in at least LEAST rows, other than by saying what was asked."""
    named, asked = texts(rows, "model_returned"), texts(rows, "model_requested")
    told = named[(named != "") & (named != asked)]
    names, counts = np.unique(told.astype(str), return_counts=True)
    return {str(name) for name, count in zip(names, counts, strict=True) if count >= LEAST}


def _alike(one: str, other: str) -> bool:
    """Whether two names may be of one model: a provider before, a date behind."""
    short = [name.rsplit("/", 1)[-1].lower() for name in (one, other)]
    return short[0].startswith(short[1]) or short[1].startswith(short[0])
