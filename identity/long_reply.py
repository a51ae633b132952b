"""Whether long replies are cut before their budget is spent, by a limit that is not stated. Pure.

Two lists are asked for that are longer than any budget, and each with two budgets. A reply that was
cut by its own budget grows with it, however its tokens are counted; one that was cut elsewhere does
not. A model that ends a list by itself does so by its lines, and the lines of the two lists have
different numbers of tokens.
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from enum import StrEnum
from typing import Any, NamedTuple

from compat.check import Setting as Nonces
from identity.looks import Verdict
from identity.tail import smallest_rate

PREFIX = "output-"
LISTS = 2
ROUNDS = {1.0: 4, 0.75: 2}
"""By share of the budget that is asked about: how many requests."""
LEAST, MOST = 400, 200_000
SPENT = 0.95
"""Of a budget: a reply of so much of it has spent it."""
PROOF = 2
ALIKE, ALIKE_TOKENS, LEAST_TOKENS = 3, 2, 100
"""So many replies that say they are finished, of both lists and budgets, no more than so many
tokens apart and not shorter than that: they did not end by themselves. As many that say they were
cut must have one length."""
NEAR = 0.01
"""Of a length: lengths so much apart are one."""
_FIRST, _FIRSTS = 1000, 4000


class Why(StrEnum):
    """Why nothing is said."""

    UNANSWERED = "too few replies, or their tokens are not stated"
    REFUSED = "the gateway refuses so large a budget"
    ENDED = "the model ends long replies by itself"
    UNEVEN = "long replies are cut at several lengths"
    BESIDE = "the second route cuts them, too"


class Reply(NamedTuple):
    """A reply: its number within its phase, its budget, its stated tokens (those of its reasoning
    included), whether it says that it was cut, how many lines of its list it holds, and whether it
    holds nothing else. None: there is no reply, or it does not state it."""

    number: int
    budget: int
    tokens: int | None
    cut: bool
    lines: int | None
    pure: bool = False
    refused: bool = False

    @property
    def spent(self) -> bool:
        """Whether it is as long as its budget allows."""
        return (self.tokens or 0) >= SPENT * self.budget


@dataclass(frozen=True, slots=True)
class LongReply:
    """`seen` of `of` replies with a budget of `size` tokens were cut before, at `tokens` or less;
    `stated`: they say so. `smallest`: the share of replies cut that would have shown with 90 %."""

    size: int
    verdict: Verdict
    seen: int
    of: int
    why: Why | None = None
    tokens: int | None = None
    stated: bool = False
    smallest: float | None = None


def budgets(size: int) -> list[tuple[int, int]]:
    """The budgets of the phases, and their requests."""
    return [(round(size * share), count) for share, count in ROUNDS.items()]


def prompt(size: int, index: int, run: str, model: str) -> str:
    """What request `index` with that budget says."""
    first, line = _list(size, index, run, model)
    named = "" if line == "{}" else f" the line `{line.format('N')}` for"
    return (
        f"Write{named} each whole number N from {first} to {first + size}, every one on a line of "
        "its own, without leaving any out. Nothing else."
    )


def fact(size: int, index: int, run: str, model: str, text: str) -> dict[str, Any]:
    """How many lines of its list a reply holds, and whether it holds nothing but these and what may
    be the beginning of the next."""
    first, line = _list(size, index, run, model)
    reply_lines = text.strip().split("\n")
    lines = 0
    while lines < len(reply_lines) and reply_lines[lines].strip() == line.format(first + lines):
        lines += 1
    pure = line.format(first + lines).startswith("\n".join(reply_lines[lines:]))
    return {"lines": lines, "pure": pure and lines <= size}


def _list(size: int, index: int, run: str, model: str) -> tuple[int, str]:
    """The first number of a list, and its line, where a number belongs."""
    nonce = Nonces(model, seed=run).word("identity-output", size, index)
    name, number = nonce.split("-")
    return _FIRST + int(number) % _FIRSTS, f"{name} has {{}} carts" if index % LISTS else "{}"


def judge(size: int, replies: Sequence[Reply], beside: Sequence[Reply] = ()) -> LongReply:
    """Whether replies are cut; `beside`: those of the second route, where it was asked as well."""
    result = _verdict_of(size, replies)
    if result.verdict is Verdict.DIFFERS and beside:
        other = _verdict_of(size, beside)
        if other.tokens is not None and (result.tokens or 0) >= SPENT * other.tokens:
            return replace(result, verdict=Verdict.NOT_ENOUGH, why=Why.BESIDE)
    return result


def _verdict_of(size: int, replies: Sequence[Reply]) -> LongReply:
    judgeable = [one for one in replies if one.lines is not None and one.tokens]
    full_budget = [one for one in judgeable if one.budget == size]
    early = [one for one in full_budget if one.cut and not one.spent]
    reached = [one for one in full_budget if one.spent or (one in early and _grows(one, judgeable))]
    cut = _one_limit([one for one in early if _grows(one, judgeable) is False])
    alike = _alike(judgeable)
    stopped = [one for one in full_budget if one in alike]
    deviating, of = cut or stopped, len(full_budget)
    one = LongReply(size, Verdict.NOT_ENOUGH, len(deviating), of)

    def unsaid(why: Why) -> LongReply:
        return replace(one, why=why)

    if len(deviating) >= (ALIKE if cut else PROOF):
        most = max(reply.tokens or 0 for reply in deviating)
        return replace(one, verdict=Verdict.DIFFERS, tokens=most, stated=bool(cut))
    if 2 * sum(reply.refused for reply in replies) > len(replies):
        return unsaid(Why.REFUSED)
    if len(full_budget) < PROOF:
        return unsaid(Why.UNANSWERED)
    if len(reached) < PROOF:
        return unsaid(Why.UNEVEN if early else Why.ENDED)
    return replace(one, verdict=Verdict.NOT_SHOWN, smallest=smallest_rate(ALIKE, of))


def _one_limit(early: Sequence[Reply]) -> Sequence[Reply]:
    """Replies that were cut early, where all were at one length; else none: reasoning that is
    neither shown nor counted leaves less of a budget, each time another rest."""
    lengths = [one.tokens or 0 for one in early]
    near = max(lengths, default=0) - min(lengths, default=0)
    return early if near <= max(ALIKE_TOKENS, NEAR * max(lengths, default=0)) else []


def _grows(long: Reply, others: Sequence[Reply]) -> bool | None:
    """Whether a reply that was cut is longer than with the smaller budget as the budgets are: then
    its budget cut it, however its tokens are counted. None: nothing was cut with the smaller one.
    """
    smaller = [
        reply.tokens or 0
        for reply in others
        if reply.budget < long.budget and reply.cut and reply.number % LISTS == long.number % LISTS
    ]
    return (long.tokens or 0) >= SPENT * max(smaller) / min(ROUNDS) if smaller else None


def _alike(judgeable: Sequence[Reply]) -> list[Reply]:
    """Replies that say that they are finished in the midst of their lists, and all with as many
    tokens, whichever list and budget they have; none where these are too few."""
    midst = sorted(
        (
            one
            for one in judgeable
            if one.pure and not one.cut and not one.spent and (one.tokens or 0) >= LEAST_TOKENS
        ),
        key=lambda one: one.tokens or 0,
    )
    for begin, shortest in enumerate(midst):
        least = shortest.tokens or 0
        near = [one for one in midst[begin:] if (one.tokens or 0) - least <= ALIKE_TOKENS]
        lists = {one.number % LISTS for one in near}
        if len(near) >= ALIKE and len(lists) == LISTS and len({one.budget for one in near}) > 1:
            return near
    return []
