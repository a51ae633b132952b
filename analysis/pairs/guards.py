"""What breaks a comparison, with the evidence: each guard is one function of the pairs.

A finding forbids metrics: they are then "not comparable", whatever the numbers say. No guard
speaks of one pair, nor of what a sound gateway does: names that a route merely echoes, ids that all
replies share, counts that are not stated are no evidence.
"""

from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from analysis.numbers import streaming
from analysis.numbers.percentile import nearest_rank
from analysis.pairs.differences import alike, good
from analysis.pairs.pairing import Pairs, floats, texts
from analysis.pairs.success import mcnemar
from recording.outcome import Outcome
from rules.punctuality import LAG_SHARE, limit_s

if TYPE_CHECKING:
    from numpy.typing import NDArray
    from pandas import DataFrame

    Bools = NDArray[np.bool_]
    Floats = NDArray[np.float64]

ALL = frozenset({"ttft", "tpot", "total", "cost", "success"})
_TIMES = frozenset({"ttft", "tpot", "total"})
LEAST = 3
"""Of fewer rows or pairs nothing is said."""
_SURE = 0.01
_MANY = 10


@dataclass(frozen=True, slots=True)
class Finding:
    """What was found, which metrics it forbids, and the numbers that show it, by their names."""

    name: str
    forbids: frozenset[str]
    evidence: dict[str, Any]


def refused(pairs: Pairs) -> Finding | None:
    """Both arms were rate limited: each took from the other, or both measured the limit."""
    counts = [int((texts(arm, "outcome") == Outcome.RATE_LIMITED).sum()) for _, arm in pairs.arms()]
    if min(counts) < LEAST:
        return None
    return Finding("rate_limited", ALL, {"a": counts[0], "b": counts[1], "pairs": len(pairs)})


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
    falls = dict[str, float]()
    for (name, arm), times in zip(pairs.arms(), sent, strict=True):
        left = floats(arm, "ratelimit_remaining_requests")
        kept = ~np.isnan(left) & ~np.isnan(times)
        order = np.argsort(times[kept], kind="stable")
        fall, own = -np.diff(left[kept][order]), times[kept][order]
        between = np.diff(np.searchsorted(everyone, own))
        told = (fall > 0) & (between > 0)  # a bucket that filled up says nothing
        if int(told.sum()) < _MANY:
            return None
        falls[name] = float(np.median(fall[told] / between[told]))
    shared = all(0.9 <= fall <= 1.1 for fall in falls.values())
    return Finding("shared_limit", frozenset({"success"}), falls) if shared else None


def cached(pairs: Pairs) -> Finding | None:
    """One arm read more of its prompts from a cache."""
    shares = [_cached_share(arm) for _, arm in pairs.arms()]
    return _uneven("cached", shares, _TIMES | {"cost"}, ("a", "b"))


def warmed(pairs: Pairs) -> Finding | None:
    """The second request of a pair found the first one's prompt in a cache, whichever arm it was.

    Forbids nothing: where it moves a time, the order check says so.
    """
    a, b = (_cached_share(arm) for _, arm in pairs.arms())
    known = pairs.first != 0
    first, second = np.where(pairs.first == 1, a, b), np.where(pairs.first == 1, b, a)
    return _uneven("warmed", [second[known], first[known]], frozenset(), ("second", "first"))


def replayed(pairs: Pairs) -> Finding | None:
    """Both arms got one and the same reply: it was made once and kept.

    The id and its time must be the same in a pair, and belong to no other pair.
    """
    ids = [texts(arm, "completion_id") for _, arm in pairs.arms()]
    made = [floats(arm, "completion_created") for _, arm in pairs.arms()]
    same = (ids[0] == ids[1]) & (ids[0] != "") & (made[0] == made[1])
    unlike = (ids[0] != ids[1]) & (ids[0] != "") & (ids[1] != "")
    once = _singly(ids)
    count = int((same & once).sum())
    if count < LEAST:
        return None
    evidence = {"replayed": count, "unlike": int(unlike.sum()), "pairs": len(pairs)}
    return Finding("replayed", ALL - {"success"}, evidence)


def other_model(pairs: Pairs) -> Finding | None:
    """The arms name different models, of which neither is what was asked for said again."""
    named = [_models(arm) for _, arm in pairs.arms()]
    if not all(named) or any(_alike(one, other) for one in named[0] for other in named[1]):
        return None
    return Finding("other_model", ALL - {"success"}, {"a": sorted(named[0]), "b": sorted(named[1])})


def other_prompt(pairs: Pairs) -> Finding | None:
    """Identical bodies were counted as prompts of different length: another tokenizer or prompt."""
    a, b = (floats(arm, "prompt_tokens") for _, arm in pairs.arms())
    known = ~np.isnan(a) & ~np.isnan(b)
    unlike = known & (a != b)
    if int(unlike.sum()) < LEAST or int(unlike.sum()) * 10 < int(known.sum()):
        return None
    middle = {name: float(np.median(v[known])) for name, v in (("a", a), ("b", b))}
    counts = {"unlike": int(unlike.sum()), "pairs": int(known.sum())}
    return Finding("other_prompt", ALL - {"success"}, middle | counts)


def buffered(pairs: Pairs) -> Finding | None:
    """One arm holds its streams back and lets them go in one clump: its first token says nothing.

    The whole reply is compared all the same.
    """
    shares = dict[str, float]()
    for name, arm in pairs.arms():
        if not {"chunks", "ttft_s", "last_token_s"} <= set(arm.columns):
            return None
        judged, clump = (some.to_numpy(dtype=bool) for some in streaming.held_back(arm[good(arm)]))
        if int(judged.sum()) < LEAST:
            return None
        shares[name] = float(clump.sum() / judged.sum())
    if (shares["a"] >= 0.5) == (shares["b"] >= 0.5):
        return None
    return Finding("buffered", frozenset({"ttft", "tpot"}), shares)


def late(pairs: Pairs) -> Finding | None:
    """The generator sent an arm's requests too late for what it measured."""
    evidence = dict[str, Any]()
    for name, arm in pairs.arms():
        lags, took = _known(arm, "send_lag_s"), _known(arm, "elapsed_sec")
        lag, limit = nearest_rank(lags, 99), limit_s(LAG_SHARE, nearest_rank(took, 50))
        if lag is not None and limit is not None and len(lags) >= LEAST and lag > limit:
            evidence |= {name: lag, f"limit_{name}": limit}
    return Finding("late", _TIMES, evidence) if evidence else None


def unlike_lengths(pairs: Pairs) -> Finding | None:
    """Most pairs' replies are not as long as each other, so whole times are not compared."""
    tokens = [floats(arm, "completion_tokens") for _, arm in pairs.arms()]
    known = ~np.isnan(tokens[0]) & ~np.isnan(tokens[1])
    same = known & alike(pairs)
    count = int(known.sum())
    if count < LEAST or int(same.sum()) * 2 >= count:
        return None
    middle = {n: float(np.median(t[known])) for n, t in zip("ab", tokens, strict=True)}
    counts = {"alike": int(same.sum()), "pairs": count}
    return Finding("unlike_lengths", frozenset({"total"}), middle | counts)


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


def _uneven(
    name: str, shares: "list[Floats]", forbids: frozenset[str], names: tuple[str, str]
) -> Finding | None:
    """Where one side's share is larger in more pairs than by chance, and by 1 % of the prompts."""
    known = ~np.isnan(shares[0]) & ~np.isnan(shares[1])
    one, other = (share[known] for share in shares)
    more, less = int((one > other).sum()), int((one < other).sum())
    if more + less < LEAST or mcnemar(more, less) > _SURE:
        return None
    means = float(one.mean()), float(other.mean())
    directed = name == "warmed" and means[0] <= means[1]
    if directed or abs(means[0] - means[1]) < 0.01:
        return None
    counts = {"more": more, "less": less, "pairs": int(known.sum())}
    return Finding(name, forbids, dict(zip(names, means, strict=True)) | counts)


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
