"""Which cases of mode billing cost other than they should: the case, or the time? Pure.

The cases are asked in rounds, mixed in time. A price that changes during the run changes whatever
is asked then; a case that is charged otherwise is so in every round, while the others in between
cost what they should. So a case is named only if all of its requests cost more (or all less), no
request of any other case does, and one of those stands between them in time.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from itertools import pairwise
from math import inf

from analysis.numbers.agreement import CACHEABLE_TOKENS
from analysis.numbers.billing_rows import FEWEST, Row, cached_of, cost_of, known
from recording.exact_amount import exact_amount

_DUST = 1e-9  # binary dust of a cost, as a share


@dataclass(frozen=True, slots=True)
class Charge:
    """What one request cost, and what is due; `place` is its own in the order of sending.

    `hit`: it read from the cache, whose price is one of its own. Rounding leaves the cost `low` to
    `high` times what is due.
    """

    case: str
    hit: bool
    place: int
    cost: float
    due: float
    low: float
    high: float

    @property
    def off(self) -> int:
        """1: it costs more than is due, and -1: less, beyond rounding; 0: neither."""
        return (self.low > 1) - (self.high < 1)


@dataclass(frozen=True, slots=True)
class Unit:
    """The charges of a case that all cost more (or all less) than is due; of its hits, or the rest.

    `apart`: another case cost what it should meanwhile. Otherwise a price that changed for that
    time explains it as well.
    """

    case: str
    hit: bool
    charges: Sequence[Charge]
    apart: bool

    @property
    def amount(self) -> float:
        """Charged beyond what is due, money."""
        return beyond(self.charges)


@dataclass(frozen=True, slots=True)
class Apart:
    """The `units` that cost otherwise, and how many cost what they should; `strays`: charges that
    do not, though others of their unit do. `changed`: the price did, so that nothing can be said
    of the cases.
    """

    units: Sequence[Unit]
    right: int
    strays: Sequence[Charge]
    changed: bool


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
    charged = Charge(row["scenario"], bool(cached_of(row)), place, cost, base, low, high)
    may_be_cached = (
        not known(row["cached_tokens"]) and (row["prompt_tokens"] or 0) >= CACHEABLE_TOKENS
    )
    return None if may_be_cached and charged.off < 0 else charged


def apart(charges: Sequence[Charge]) -> Apart:
    """Judge charges in the order of sending."""
    by_unit: dict[tuple[str, bool], list[Charge]] = {}
    for charged in charges:
        by_unit.setdefault((charged.case, charged.hit), []).append(charged)
    otherwise = {unit for unit, group in by_unit.items() if _all_off(group)}
    otherwise |= {
        (case, hit)
        for (case, hit), group in by_unit.items()
        if (case, not hit) in otherwise and len(group) < FEWEST
        if {charged.off for charged in group} == {by_unit[case, not hit][0].off}
    }
    rest = [charged for charged in charges if (charged.case, charged.hit) not in otherwise]
    strays = [charged for charged in rest if charged.off]
    units = [
        Unit(*unit, by_unit[unit], _stood_apart(by_unit[unit], rest)) for unit in sorted(otherwise)
    ]
    right = len({(charged.case, charged.hit) for charged in rest})
    changed = bool(strays) and (bool(units) or _together(charges))
    return Apart(units, right, strays, changed)


def beyond(charges: Sequence[Charge]) -> float:
    """The sum of what charges exceed what is due, money: exact in decimals, as amounts are."""
    return float(sum(exact_amount(charged.cost) - exact_amount(charged.due) for charged in charges))


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
