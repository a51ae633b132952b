"""Which cases of mode billing cost other than they should: the case, or the time? Pure.

The cases are asked in rounds, mixed in time. A price that changes during the run changes whatever
is asked then; a case that is charged otherwise is so in every round, while the others in between
cost what they should. So a case is named only if all of its requests cost more (or all less), no
request of any other case does, and one of those stands between them in time. Where only some
requests of a case do, they may share its prompt, or what was sent right before them.
"""

from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from itertools import pairwise
from math import inf
from typing import Any

from analysis.numbers.agreement import CACHEABLE_TOKENS
from analysis.numbers.billing_rows import FEWEST, Row, cached_of, cost_of, known
from recording.exact_amount import exact_amount
from rules.billing_cases import repeats

_DUST = 1e-9  # binary dust of a cost, as a share
SHARING = 3
"""So many charges must share what no other has: two may do so by chance."""


@dataclass(frozen=True, slots=True)
class Charge:
    """What one request cost, and what is due; `place` is its own in the order of sending.

    `hit`: it read from the cache, whose price is one of its own. `prompt`: the text and repeats of
    its prompt, where it has them. Rounding leaves the cost `low` to `high` times what is due.
    `at_most`: no more than that is due, and less may be.
    """

    case: str
    hit: bool
    prompt: tuple[int, int] | None
    place: int
    cost: float
    due: float
    low: float
    high: float
    at_most: bool = False

    @property
    def off(self) -> int:
        """1: it costs more than is due, and -1: less, beyond rounding; 0: neither."""
        return (self.low > 1) - (self.high < 1)


@dataclass(frozen=True, slots=True)
class Unit:
    """The charges of a case that all cost more (or all less) than is due; of its hits, or the rest.

    `apart`: another case cost what it should meanwhile. Otherwise a price that changed for that
    time explains it as well. `whole`: these are all such charges of the case; otherwise those of
    one of its prompts.
    """

    case: str
    hit: bool
    charges: Sequence[Charge]
    apart: bool
    whole: bool = True

    @property
    def amount(self) -> float:
        """Charged beyond what is due, money."""
        return beyond(self.charges)


@dataclass(frozen=True, slots=True)
class Apart:
    """The `units` that cost otherwise, and how many cases cost what they should; `strays`: charges
    that do not, though others of their unit do. Those were all sent right `after` the same case
    (empty: they were not), or all read from the cache `again`, and no other charge was. `changed`:
    the price did, so that nothing can be said of the cases. `off` are all that are not what is due.
    """

    units: Sequence[Unit]
    right: int
    strays: Sequence[Charge]
    after: str
    again: bool
    changed: bool
    off: Sequence[Charge]


def charge(row: Row, place: int, due: Callable[[Row], float | None], slack: float) -> Charge | None:
    """What a row cost; None: that, or what is due, is not known. Costs may be off by `slack`.

    A long prompt that costs less may have been read from a cache that is not stated.
    """
    cost = cost_of(row)
    if not row["success"] or cost is None or (base := due(row)) is None:
        return None
    off = slack + _DUST * abs(cost)
    if base > 0:
        low, high = (cost - off) / base, (cost + off) / base
    else:
        low, high = (inf, inf) if cost > base + off else (0.0, inf)
    prompt = repeats(row["scenario"], row["request_index"])
    at_most = bool(row.get("at_most"))
    charged = Charge(
        row["scenario"], bool(cached_of(row)), prompt, place, cost, base, low, high, at_most
    )  # fmt: skip
    may_be_cached = (
        not known(row["cached_tokens"]) and (row["prompt_tokens"] or 0) >= CACHEABLE_TOKENS
    )
    return None if (may_be_cached or at_most) and charged.off < 0 else charged


def apart(charges: Sequence[Charge], cases: Sequence[str]) -> Apart:
    """Judge charges; they and the `cases` of all requests are in the order of sending."""
    by_unit = _grouped(charges, lambda each: (each.case, each.hit))
    otherwise = {unit for unit, group in by_unit.items() if _all_off(group)}
    otherwise |= {
        (case, hit)
        for (case, hit), group in by_unit.items()
        if (case, not hit) in otherwise and len(group) < FEWEST
        if {charged.off for charged in group} == {by_unit[case, not hit][0].off}
    }
    mixed = [each for each in charges if (each.case, each.hit) not in otherwise]
    by_prompt = {
        unit: group
        for unit, group in _grouped(mixed, lambda each: (each.case, each.hit, each.prompt)).items()
        if len(group) < len(by_unit[unit[:2]]) and _all_off(group)
    }
    sizes = Counter(unit[:2] for unit, group in by_prompt.items() for _ in group)
    by_prompt = {u: group for u, group in by_prompt.items() if sizes[u[:2]] >= SHARING}
    rest = [each for each in mixed if (each.case, each.hit, each.prompt) not in by_prompt]
    strays = [charged for charged in rest if charged.off]
    units = [
        Unit(case, hit, by_unit[case, hit], _stood_apart(by_unit[case, hit], rest))
        for case, hit in sorted(otherwise)
    ]
    units += [
        Unit(case, hit, group, _stood_apart(group, rest), whole=False)
        for (case, hit, _), group in by_prompt.items()
    ]
    after, again = _sent_after(strays, rest, cases), _read_again(strays, rest)
    explained = len(strays) >= SHARING and (after or again)
    return Apart(
        units=units,
        right=len({charged.case for charged in rest} - {unit.case for unit in units}),
        strays=strays,
        after=after,
        again=again,
        changed=bool(strays) and not explained and (bool(units) or _together(charges)),
        off=[charged for charged in charges if charged.off],
    )


def times(charges: Sequence[Charge]) -> int:
    """The whole number by which what is due was multiplied in all of them; 0: there is none."""
    low, high = max(each.low for each in charges), min(each.high for each in charges)
    factor = round((low + high) / 2) if high < inf else 0
    return factor if factor > 1 and low <= factor <= high else 0


def beyond(charges: Sequence[Charge]) -> float:
    """The sum of what charges exceed what is due, money: exact in decimals, as amounts are."""
    more = (exact_amount(charged.cost) - exact_amount(charged.due) for charged in charges)
    return float(sum(more))


def _all_off(charges: Sequence[Charge]) -> bool:
    """Whether FEWEST or more charges of a unit cost more (or less), and none contradicts them.

    A small charge may be rounded so coarsely that it agrees both with what is due and with them.
    """
    off = [each for each in charges if each.off]
    if len(off) < FEWEST or len({each.off for each in off}) > 1:
        return False
    return not any(_contradicts(each, off) for each in charges if not each.off)


def _contradicts(single: Charge, off: Sequence[Charge]) -> bool:
    """Whether a charge was surely not raised (or lowered) by as much as any of those."""
    if off[0].off > 0:
        return single.high < min(other.low for other in off)
    return single.low > max(other.high for other in off)


def _stood_apart(charges: Sequence[Charge], rest: Sequence[Charge]) -> bool:
    """Whether another unit cost what it should between the first and the last of these."""
    off = [other for other in charges if other.off]
    first, last = off[0].place, off[-1].place
    return any(
        first < other.place < last and _contradicts(other, off) for other in rest if not other.off
    )


def _together(charges: Sequence[Charge]) -> bool:
    """Whether neighbours of different cases are off: what they share is the time."""
    return any(a.off and a.off == b.off and a.case != b.case for a, b in pairwise(charges))


def _sent_after(strays: Sequence[Charge], rest: Sequence[Charge], cases: Sequence[str]) -> str:
    """The case that was sent right before each of the strays, and before no other charge.

    Empty: there is none.
    """
    before = {cases[each.place - 1] for each in strays if each.place}
    if len(strays) < FEWEST or len(before) != 1:
        return ""
    (case,) = before
    after = {each.place for each in rest if each.place and cases[each.place - 1] == case}
    return case if after == {each.place for each in strays} else ""


def _read_again(strays: Sequence[Charge], rest: Sequence[Charge]) -> bool:
    """Whether the strays are all that read from the cache what was read from it before."""
    read, again = set[str](), set[int]()
    for each in rest:
        if each.hit and each.case in read:
            again.add(each.place)
        if each.hit:
            read.add(each.case)
    return len(strays) >= FEWEST and again == {each.place for each in strays}


def _grouped(charges: Sequence[Charge], key: Callable[[Charge], Any]) -> dict[Any, list[Charge]]:
    groups: dict[Any, list[Charge]] = {}
    for charged in charges:
        groups.setdefault(key(charged), []).append(charged)
    return groups
