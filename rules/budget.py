"""The budget: what may still be spent, the worst case of all in flight being set aside. Pure.

Before a request leaves, its worst case is reserved; when it has ended, the reservation is replaced
by what it really used. So concurrency cannot overshoot the limit: only a request that uses more
than its worst case can, and by how much is kept (`underestimate`).

The worst case comes from a price table (money) or, without one or once a request has cost more than
it says, from the dearest request of the same kind so far:

    weight(r; prompt, cached, completion) = prompt - 0.9 * cached + r * completion
    dearest unit(r) = max over seen(used / weight(r))
    worst           = max over r(dearest unit(r) * weight(r; most prompt tokens, 0, max_tokens))

`r` is how many times as dear as input output is. At list prices that is from 1 to 10, and linear
prices between the two are never dearer than at one of them. For tokens it is 1, and nothing is off
for cached ones. Of a kind that was never seen nothing is known: it reserves all that is left, and
goes alone.
"""

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field

from recording.outcome import FREE, ON_PURPOSE
from recording.record import RequestRecord
from rules.prices import output_tokens, prompt_in_all

MONEY, TOKENS = "money", "tokens"
USAGE_UNKNOWN_AFTER = 5
"""So many first answers of a kind that do not say what they used are enough to know that none will:
where 9 in 10 do, 5 in a row are missing once in 100,000."""
Kind = tuple[str, str]  # model, and what is asked of it (`Phase.request`)


@dataclass(frozen=True, slots=True)
class Reservation:
    """One request's reservation: its kind, its worst case (None: unknown), what was set aside."""

    kind: Kind
    worst: float | None
    held: float


@dataclass(slots=True)
class Seen:
    """The highest observed use of a kind so far.

    `flat` is the most that an answer used whose tokens nobody stated; `unbounded_tokens` the
    longest answer that its output budget did not hold; `off_table`: something cost more than the
    price table makes of its tokens.
    """

    units: list[float]  # by ratio
    flat: float = 0.0
    prompt_tokens: int = 0
    unbounded_tokens: int = 0
    off_table: bool = False


@dataclass(frozen=True, slots=True)
class Experience:
    """What a generator has seen of a kind of request, for another one: the fields of Seen."""

    model: str
    request: str
    units: tuple[float, ...]
    flat: float
    prompt_tokens: int
    unbounded_tokens: int
    off_table: bool


@dataclass(frozen=True, slots=True)
class DealtBudget:
    """A generator's part of what is left of a unit, and what all have seen so far."""

    unit: str
    limit: float
    seen: tuple[Experience, ...]


@dataclass(frozen=True, slots=True)
class ReportedBudget:
    """What became of a generator's part; see Budget."""

    unit: str
    limit: float
    spent: float
    reserved: float
    largest_underestimate: float
    unstated: int
    seen: tuple[Experience, ...]


@dataclass(slots=True)
class Budget:
    """What one generator may spend of a unit: `money` (the gateway's currency) or `tokens`.

    `priced` is the worst case by a price table: (model, prompt tokens, max tokens) -> amount, or
    None where it does not know.
    """

    unit: str
    limit: float
    ratios: tuple[float, ...]
    cached_discount: float
    priced: Callable[[str, int, int], float | None] = lambda model, prompt, output: None
    spent: float = 0.0
    reserved: float = 0.0
    underestimate: float = 0.0  # the most by which one request exceeded its worst case
    unstated: int = 0  # requests counted at their worst case, for want of a stated one
    untold: dict[Kind, int] = field(default_factory=dict)  # of them, those of unknown worst case
    usage_unknown: bool = False  # requests were answered, and nobody knows what one of them used
    seen: dict[Kind, Seen] = field(default_factory=dict)

    @classmethod
    def of(cls, unit: str, limit: float) -> "Budget":
        """A budget of `money` or of `tokens`."""
        return (
            cls(unit, limit, (1.0, 10.0), 0.9) if unit == MONEY else cls(unit, limit, (1.0,), 0.0)
        )

    def used_by(self, record: RequestRecord) -> float | None:
        """What a request used, as its row states it; None: it does not (below 0 is none)."""
        used = record.api_cost if self.unit == MONEY else record.total_tokens
        return None if used is None or used < 0 else used

    @property
    def left(self) -> float:
        """What is neither spent nor set aside."""
        return self.limit - self.spent - self.reserved

    def worst(self, kind: Kind, max_tokens: int | None, prompt_tokens: float = 0.0) -> float | None:
        """The most that a request of a kind may use; None: nothing is known of the kind.

        `prompt_tokens` is what its prompt is expected to count, where that is known.
        """
        seen = self.seen.get(kind)
        prompt = max(prompt_tokens, seen.prompt_tokens if seen else 0)
        output = max(max_tokens or 0, seen.unbounded_tokens if seen else 0)
        table = self.priced(kind[0], round(prompt), output) if prompt else None
        if seen is None or (table is not None and not seen.off_table and table >= seen.flat):
            return table
        units = zip(seen.units, self.ratios, strict=True)
        by_seen = (unit * (prompt + ratio * output) for unit, ratio in units)
        return max(table or 0.0, seen.flat, *by_seen)

    def reserve(
        self, kind: Kind, max_tokens: int | None, prompt_tokens: float = 0.0
    ) -> Reservation | None:
        """Set the worst case aside; None: it does not fit (now: what is in flight may free some).

        An unknown worst case fits only when nothing is in flight and something is left.
        """
        worst = self.worst(kind, max_tokens, prompt_tokens)
        if worst is None:
            if self.reserved > 0 or self.left <= 0:
                return None
            reservation = Reservation(kind, None, self.left)
        elif worst > self.left or self.left <= 0:
            return None
        else:
            reservation = Reservation(kind, worst, worst)
        self.reserved += reservation.held
        return reservation

    def settle(self, reservation: Reservation, record: RequestRecord) -> None:
        """The request has ended: what it used takes the place of what was set aside."""
        self.reserved = max(0.0, self.reserved - reservation.held)
        used = self.used_by(record)
        if record.outcome in ON_PURPOSE:  # what it states is not all of it: it may cost its worst
            worst = reservation.worst
            used = used if used is not None and worst is not None and used > worst else None
        if used is None:
            if record.outcome in FREE and not (record.chunks or record.completion_tokens):
                return  # an error after tokens is none that costs nothing
            self.unstated += 1
            self.spent += reservation.worst or 0.0
            answered = record.success or record.outcome in ON_PURPOSE
            if reservation.worst is None and answered:
                self.untold[reservation.kind] = self.untold.get(reservation.kind, 0) + 1
                self.usage_unknown |= self.untold[reservation.kind] >= USAGE_UNKNOWN_AFTER
            return
        self.spent += used
        if reservation.worst is not None:
            self.underestimate = max(self.underestimate, used - reservation.worst)
        self.learn(reservation.kind, record, used)
        if reservation.kind in self.untold and (
            worst := self.worst(reservation.kind, record.max_tokens)
        ):
            self.spent += worst * self.untold.pop(reservation.kind)  # now they have a worst case

    def learn(self, kind: Kind, record: RequestRecord, used: float) -> None:
        """Take in what a request of a kind used."""
        prompt, completion = record.prompt_tokens or 0, record.completion_tokens or 0
        written = record.cache_write_tokens or 0
        prompt = prompt_in_all(prompt, record.cached_tokens or 0, written, record.tokens_beside)
        completion = output_tokens(prompt, completion, record.reasoning_tokens, record.total_tokens)
        cached = self.cached_discount * min(record.cached_tokens or 0, prompt)
        if completion < 0 or prompt < 0 or prompt - cached <= 0 < prompt:
            return
        if not prompt and not record.success:  # a refusal's fee says nothing of an answer's
            return
        seen = self.seen.setdefault(kind, Seen([0.0] * len(self.ratios)))
        if not prompt:
            seen.flat = max(seen.flat, used)
            return
        weights = (prompt - cached + ratio * completion for ratio in self.ratios)
        pairs = zip(seen.units, weights, strict=True)
        seen.units = [max(unit, used / weight) for unit, weight in pairs]
        seen.prompt_tokens = max(seen.prompt_tokens, prompt)
        if completion > (record.max_tokens or 0):
            seen.unbounded_tokens = max(seen.unbounded_tokens, completion)
        table = self.priced(kind[0], prompt, completion)
        seen.off_table |= table is not None and used > table * (1 + 1e-9)

    # ---- a budget for each generator, in messages

    def experience(self) -> tuple[Experience, ...]:
        """What was seen, for another budget."""
        return tuple(
            Experience(
                *kind,
                tuple(seen.units),
                seen.flat,
                seen.prompt_tokens,
                seen.unbounded_tokens,
                seen.off_table,
            )
            for kind, seen in self.seen.items()
        )

    def learn_from(self, experience: Iterable[Experience]) -> None:
        """Take over what another budget has seen."""
        for other in experience:
            kind = (other.model, other.request)
            seen = self.seen.setdefault(kind, Seen([0.0] * len(self.ratios)))
            pairs = zip(seen.units, other.units, strict=True)
            seen.units = [max(unit, theirs) for unit, theirs in pairs]
            seen.flat = max(seen.flat, other.flat)
            seen.prompt_tokens = max(seen.prompt_tokens, other.prompt_tokens)
            seen.unbounded_tokens = max(seen.unbounded_tokens, other.unbounded_tokens)
            seen.off_table |= other.off_table

    def as_dict(self) -> Mapping[str, float]:
        """What the event log says of it."""
        return {
            "limit": round(self.limit, 9),
            "spent": round(self.spent, 9),
            "reserved": round(self.reserved, 9),
            "largest_underestimate": round(self.underestimate, 9),
            "unstated": self.unstated,
        }

    def report(self) -> ReportedBudget:
        """What a generator says of it when its phase is over."""
        return ReportedBudget(
            self.unit,
            round(self.limit, 9),
            round(self.spent, 9),
            round(self.reserved, 9),
            round(self.underestimate, 9),
            self.unstated,
            self.experience(),
        )
