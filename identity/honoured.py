"""Whether a gateway honours the settings of a request, by what its replies show. Pure.

What an honest gateway cannot show, twice, is no chance. Temperature and seed are best effort:
answers that should repeat may come otherwise in one of five, and more than that is tested exactly.
"""

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum
from math import floor
from typing import Any, NamedTuple

from identity import alpha, setting
from identity.looks import LEAST_ANSWERED, Asked, Verdict
from identity.reference import Seeded
from identity.setting import ALIKE, Setting
from identity.tail import POWER, at_least, critical, fisher, smallest_rate
from identity.word import FILTERED

TOLERATED = 0.2
"""Of the answers that temperature 0 should make alike: batches and hardware change some."""
PROOF = 2
"""What no honest gateway shows must be seen so often: one reply alone accuses nobody."""
SLACK_TOKENS, CHARS_PER_TOKEN = 2, 20
LEAST_CHARS = 2
"""Of an English story, to a token and more: with fewer, the stated tokens are not those of the text
alone (reasoning that is counted and neither shown nor stated, say)."""
_CLOCK_S = 3  # servers' clocks may be apart


class Why(StrEnum):
    """Why nothing is said."""

    UNANSWERED = "too few replies to judge"
    REFUSED = "the gateway refuses the setting"
    ONCE = "seen once, which proves nothing"
    ALIKE = "the answers are alike in any case"
    UNASKED = "the reference has nothing to compare with"
    UNREAD = "more tokens are stated than the text has"


@dataclass(frozen=True, slots=True)
class Honoured:
    """`seen` of `of` replies are as they would not be where the setting is honoured; `before` of
    `whole` were so at the reference. `p` where chance is in it. `smallest`: the smallest share of
    requests without the setting that this would have shown with 90 % (None: not even all)."""

    setting: Setting
    verdict: Verdict
    seen: int
    of: int
    why: Why | None = None
    p: float | None = None
    smallest: float | None = None
    before: int | None = None
    whole: int | None = None


class Reply(NamedTuple):
    """One request: its number within its phase, what its reply showed (identity.setting.fact; None:
    it has none), and what the reply states of itself. `refused`: for a field of its body."""

    number: int
    fact: Mapping[str, Any] | None
    refused: bool = False
    name: str | None = None
    created: int | None = None
    completion_tokens: int | None = None
    reasoning_tokens: int | None = None
    cap: int | None = None


def cache(replies: Sequence[Reply]) -> Honoured:
    """Whether a request is answered with the reply to another."""
    alike = [one for one in replies if one.fact is not None and one.number in ALIKE]
    marked = [one for one in replies if one.fact is not None and one.number not in ALIKE]
    again = sum(_replayed(one, alike, marked) for one in alike)
    crossed = sum(bool(set(_marks(one)) - {one.number}) for one in (*alike, *marked))
    deviating, of = again + crossed, max(0, len(alike) - 1) + len(marked)
    deviating = min(deviating, of)
    kinds = {(one.fact or {}).get("digest") for one in alike}
    enough = len(alike) >= len(ALIKE) - 1 and len(marked) >= 3
    return _exact(
        Setting.CACHE, replies, deviating, of, enough, Why.ALIKE if len(kinds) == 1 else None
    )


def stop(replies: Sequence[Reply]) -> Honoured:
    """Whether replies go on after a stop text."""
    kinds = Counter((one.fact or {}).get("stop") for one in replies if one.fact is not None)
    stopped = kinds["kept"] + kinds["left"]
    return _exact(Setting.STOP, replies, kinds["past"], kinds["past"] + stopped, stopped >= PROOF)


def cap(replies: Sequence[Reply]) -> Honoured:
    """Whether replies are longer than their budget, by their stated tokens or by their text."""
    judgeable = [one for one in replies if one.fact is not None and one.cap]
    too_long = sum(map(_over, judgeable))
    unread = sum(_states_more(one) and not _over(one) for one in judgeable)
    why = Why.UNREAD if unread else None
    return _exact(Setting.CAP, replies, too_long, len(judgeable), len(judgeable) >= PROOF, why)


def restless(cold: Sequence[Asked]) -> bool:
    """Whether answers at temperature 0 vary so much that as many again are asked for."""
    strays, of = _strays(_words(cold))
    return strays > TOLERATED * of


def temperature(
    cold: Sequence[Sequence[Asked]],
    free: Mapping[int, Sequence[str]],
    *,
    refused: bool,
    models: int = 1,
) -> Honoured:
    """Whether answers at temperature 0 vary as they do at 1.

    `cold`: phase by phase, a second one where the first is `restless`: both together are tested, so
    that the first alone accuses nobody. `free`: answers at 1, by question, the gateway's own or the
    reference's.
    """
    parts = [_strays(_words(part)) for part in cold]
    varying, of = sum(n for n, _ in parts), sum(n for _, n in parts)
    result = Honoured(Setting.TEMPERATURE, Verdict.NOT_ENOUGH, varying, of)
    if refused:
        return _unjudged(result, Why.REFUSED)
    if not cold:
        return _unjudged(result, Why.ALIKE)
    more = restless(cold[0])
    requests = sum(map(len, cold))
    if of < LEAST_ANSWERED * requests or not of or len(cold) < 1 + more:
        return _unjudged(result, Why.UNANSWERED)
    answers_in_all = of if more else 2 * of
    share = alpha.of_each(alpha.TEMPERATURE, models)
    needed = critical(lambda k: at_least(k, answers_in_all, TOLERATED), answers_in_all, share)
    if more and needed is not None and varying >= needed:
        return _with_verdict(result, Verdict.DIFFERS, at_least(varying, of, TOLERATED))
    strays, answers = _strays(free)
    rate = strays / answers if answers else 0.0
    smallest = None if needed is None else _share(needed, answers_in_all, parts[0][1], rate)
    if smallest is None:
        return _unjudged(result, Why.ALIKE)
    return _with_verdict(result, Verdict.NOT_SHOWN, None, smallest)


def seed(
    answers: Sequence[Asked], reference: Seeded | None, *, refused: bool, models: int = 1
) -> Honoured:
    """Whether answers with one seed vary more than at the reference. A seed is best effort:
    without a reference nothing is said."""
    strays, of = _strays(_words(answers))
    result = Honoured(Setting.SEED, Verdict.NOT_ENOUGH, strays, of)
    if refused:
        return _unjudged(result, Why.REFUSED)
    if reference is None or not reference.answers:
        return _unjudged(result, Why.UNASKED)
    _, before, reference_answers = reference
    result = Honoured(
        Setting.SEED, result.verdict, strays, of, before=before, whole=reference_answers
    )
    if of < LEAST_ANSWERED * len(answers) or not of:
        return _unjudged(result, Why.UNANSWERED)
    if before > TOLERATED * reference_answers:  # the trusted route does not honour it
        return _unjudged(result, Why.ALIKE)

    def p_of(k: int) -> float:
        return max(at_least(k, of, TOLERATED), fisher(before, reference_answers, k, of))

    p, share = p_of(strays), alpha.of_each(alpha.SEED, models)
    if p <= share:
        return _with_verdict(result, Verdict.DIFFERS, p)
    smallest = smallest_rate(critical(p_of, of, share), of)
    if smallest is None:
        return _unjudged(result, Why.ALIKE)
    return _with_verdict(result, Verdict.NOT_SHOWN, p, smallest)


def seeded(answers: Sequence[Asked]) -> Seeded | None:
    """What a reference keeps of the answers with one seed."""
    words = _words(answers)
    return Seeded(tuple(words), *_strays(words)) if words else None


def _strays(words: Mapping[int, Sequence[str]]) -> tuple[int, int]:
    """The usual answer is the commonest here, so that no more stray than from the true one."""
    counts = [Counter(of_question) for of_question in words.values() if of_question]
    total = sum(sum(of_question.values()) for of_question in counts)
    return total - sum(max(of_question.values()) for of_question in counts), total


def _words(answers: Sequence[Asked]) -> dict[int, list[str]]:
    words: dict[int, list[str]] = {}
    for one in answers:
        if one.word and one.word != FILTERED:
            words.setdefault(one.question, []).append(one.word)
    return words


def _share(needed: int, of: int, first: int, rate: float) -> float | None:
    """The smallest share of requests at temperature 1, where so many stray, that both phases show
    with 90 %; None: not even all."""
    least = floor(TOLERATED * first) + 1
    for percent in range(1, 101):
        strays = percent / 100 * rate
        if at_least(least, first, strays) + at_least(needed, of, strays) - 1 >= POWER:
            return percent / 100
    return None


def _replayed(one: Reply, alike: Sequence[Reply], others: Sequence[Reply]) -> bool:
    """Whether an earlier reply to the same request came again, by its id or by its time.

    Ids and times that other requests' replies have as well name no reply.
    """
    for before in alike:
        if before.number >= one.number or before.fact != one.fact:
            continue
        if one.name and before.name == one.name and one.name not in {o.name for o in others}:
            return True
        between = [o.created or 0 for o in others if before.number < o.number < one.number]
        came_again = bool(one.created) and before.created == one.created
        if came_again and max(between, default=0) - (one.created or 0) >= _CLOCK_S:
            return True
    return False


def _marks(one: Reply) -> Sequence[int]:
    marks = (one.fact or {}).get("marks")
    return [n for n in marks if isinstance(n, int)] if isinstance(marks, list) else []


def _over(one: Reply) -> bool:
    """By its text; by its stated tokens where the text may have as many."""
    assert one.cap is not None
    chars = (one.fact or {}).get("chars")
    if isinstance(chars, int) and chars > one.cap * CHARS_PER_TOKEN:
        return True
    text = isinstance(chars, int) and chars >= LEAST_CHARS * _visible(one)
    return _states_more(one) and text


def _states_more(one: Reply) -> bool:
    return one.cap is not None and _visible(one) > one.cap + SLACK_TOKENS


def _visible(one: Reply) -> int:
    return (one.completion_tokens or 0) - (one.reasoning_tokens or 0)


def _exact(
    which: Setting,
    replies: Sequence[Reply],
    deviating: int,
    of: int,
    enough: bool,
    why: Why | None = None,
) -> Honoured:
    """The verdict on what no honest gateway shows."""
    result = Honoured(which, Verdict.NOT_ENOUGH, deviating, of)
    if deviating >= PROOF:
        return _with_verdict(result, Verdict.DIFFERS)
    if 2 * sum(reply.refused for reply in replies) > len(replies):
        return _unjudged(result, Why.REFUSED)
    if deviating:
        return _unjudged(result, Why.ONCE)
    if not enough:
        return _unjudged(result, Why.UNANSWERED)
    if why is not None:
        return _unjudged(result, why)
    return _with_verdict(result, Verdict.NOT_SHOWN, None, smallest_rate(PROOF, of))


def _with_verdict(
    result: Honoured, verdict: Verdict, p: float | None = None, smallest: float | None = None
) -> Honoured:
    return Honoured(
        result.setting,
        verdict,
        result.seen,
        result.of,
        None,
        p,
        smallest,
        result.before,
        result.whole,
    )


def _unjudged(result: Honoured, why: Why) -> Honoured:
    return Honoured(
        result.setting,
        result.verdict,
        result.seen,
        result.of,
        why,
        None,
        None,
        result.before,
        result.whole,
    )


SCENARIOS: Mapping[Setting, tuple[str, ...]] = {
    Setting.CACHE: (setting.CACHE,),
    Setting.STOP: (setting.STOP,),
    Setting.CAP: (setting.CAP,),
    Setting.TEMPERATURE: (setting.WARM, setting.COLD, setting.COLD_MORE, setting.FREE),
    Setting.SEED: (setting.SEED,),
}
"""Whose requests show each."""
