"""The budget: what may still be spent once the worst case of every request in flight is reserved.
Pure.

Before a request is sent, its worst case is reserved; when it has ended, its actual use replaces the
reservation. So concurrency cannot exceed the limit. Only a request that uses more than its worst
case can, and the excess is kept (`underestimate`).

The worst case comes from a price table (money). Without one, or once a request has cost more than
the table says, it comes from the most expensive request of the same kind so far:

    weight(r; prompt, cached, completion) = prompt - 0.9 * cached + r * completion
    dearest unit(r) = max over seen(used / weight(r))
    worst           = max over r(dearest unit(r) * weight(r; most prompt tokens, 0, max_tokens))

`r` is the price of output relative to input. List prices give 1 to 10, and the cost under linear
prices in between never exceeds the cost at both ends. For tokens `r` is 1, without a discount for
cached ones. For a kind that was never seen nothing is known: a request reserves all that is left
and is sent alone.
"""

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field

from recording.outcome import FREE, ON_PURPOSE
from recording.record import RequestRecord
from rules.prices import output_tokens, prompt_in_all

MONEY, TOKENS = "money", "tokens"
USAGE_UNKNOWN_AFTER = 5
"""After this many first answers of a kind without a stated use, none is expected to state it: if
9 in 10 did, 5 in a row would be missing once in 100,000.
"""
Kind = tuple[str, str]  # the model and the kind of request (`Phase.request`)


@dataclass(frozen=True, slots=True)
class Reservation:
    """The reservation of one request: its kind, its worst case (None: unknown), and the reserved
    amount.
    """

    kind: Kind
    worst: float | None
    reserved: float


@dataclass(slots=True)
class HighestUse:
    """The highest observed use of a kind so far.

    `flat` is the highest use of an answer without stated tokens; `unbounded_tokens` the longest
    answer that exceeded its output budget; `off_table`: a request cost more than the price table
    gives for its tokens.
    """

    units: list[float]  # by ratio
    flat: float = 0.0
    prompt_tokens: int = 0
    unbounded_tokens: int = 0
    off_table: bool = False


@dataclass(frozen=True, slots=True)
class Experience:
    """What one generator has observed of a kind of request, as sent to another: a HighestUse."""

    model: str
    request: str
    units: tuple[float, ...]
    flat: float
    prompt_tokens: int
    unbounded_tokens: int
    off_table: bool


@dataclass(frozen=True, slots=True)
class DealtBudget:
    """A generator's part of what is left, and what all generators have observed so far."""

    unit: str
    limit: float
    experience: tuple[Experience, ...]


@dataclass(frozen=True, slots=True)
class ReportedBudget:
    """The use of a generator's part; see Budget."""

    unit: str
    limit: float
    spent: float
    reserved: float
    largest_underestimate: float
    unstated: int
    experience: tuple[Experience, ...]


@dataclass(slots=True)
class Budget:
    """What one generator may spend, in `money` (the gateway's currency) or `tokens`.

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
    unstated: int = 0  # requests counted at their worst case because no use was stated
    unbounded: dict[Kind, int] = field(
        default_factory=dict
    )  # of these, requests with an unknown worst case
    usage_unknown: bool = False  # requests were answered, and none of them stated its use
    highest_use: dict[Kind, HighestUse] = field(default_factory=dict)

    @classmethod
    def of(cls, unit: str, limit: float) -> "Budget":
        """A budget of `money` or of `tokens`."""
        return (
            cls(unit, limit, (1.0, 10.0), 0.9) if unit == MONEY else cls(unit, limit, (1.0,), 0.0)
        )

    def used_by(self, record: RequestRecord) -> float | None:
        """The use that a request's row states; None: it states none (a negative value counts as
        none).
        """
        used = record.api_cost if self.unit == MONEY else record.total_tokens
        return None if used is None or used < 0 else used

    @property
    def remaining(self) -> float:
        """What is neither spent nor reserved."""
        return self.limit - self.spent - self.reserved

    def worst(self, kind: Kind, max_tokens: int | None, prompt_tokens: float = 0.0) -> float | None:
        """The most that a request of a kind may use; None: the kind is unknown.

        `prompt_tokens` is the expected size of its prompt, if known.
        """
        highest = self.highest_use.get(kind)
        prompt = max(prompt_tokens, highest.prompt_tokens if highest else 0)
        output = max(max_tokens or 0, highest.unbounded_tokens if highest else 0)
        table = self.priced(kind[0], round(prompt), output) if prompt else None
        if highest is None or (
            table is not None and not highest.off_table and table >= highest.flat
        ):
            return table
        units = zip(highest.units, self.ratios, strict=True)
        by_seen = (unit * (prompt + ratio * output) for unit, ratio in units)
        return max(table or 0.0, highest.flat, *by_seen)

    def reserve(
        self, kind: Kind, max_tokens: int | None, prompt_tokens: float = 0.0
    ) -> Reservation | None:
        """Reserve the worst case; None: it does not fit now (requests in flight may release some).

        An unknown worst case fits only if nothing is in flight and something is left.
        """
        worst = self.worst(kind, max_tokens, prompt_tokens)
        if worst is None:
            if self.reserved > 0 or self.remaining <= 0:
                return None
            reservation = Reservation(kind, None, self.remaining)
        elif worst > self.remaining or self.remaining <= 0:
            return None
        else:
            reservation = Reservation(kind, worst, worst)
        self.reserved += reservation.reserved
        return reservation

    def settle(self, reservation: Reservation, record: RequestRecord) -> None:
        """The request has ended: replace its reservation with its actual use."""
        self.reserved = max(0.0, self.reserved - reservation.reserved)
        used = self.used_by(record)
        if (
            record.outcome in ON_PURPOSE
        ):  # the stated use is incomplete: the request may cost its worst case
            worst = reservation.worst
            used = used if used is not None and worst is not None and used > worst else None
        if used is None:
            if record.outcome in FREE and not (record.chunks or record.completion_tokens):
                return  # an error after tokens is not free
            self.unstated += 1
            self.spent += reservation.worst or 0.0
            answered = record.success or record.outcome in ON_PURPOSE
            if reservation.worst is None and answered:
                self.unbounded[reservation.kind] = self.unbounded.get(reservation.kind, 0) + 1
                self.usage_unknown |= self.unbounded[reservation.kind] >= USAGE_UNKNOWN_AFTER
            return
        self.spent += used
        if reservation.worst is not None:
            self.underestimate = max(self.underestimate, used - reservation.worst)
        self.learn(reservation.kind, record, used)
        if reservation.kind in self.unbounded and (
            worst := self.worst(reservation.kind, record.max_tokens)
        ):
            self.spent += worst * self.unbounded.pop(reservation.kind)  # now they have a worst case

    def learn(self, kind: Kind, record: RequestRecord, used: float) -> None:
        """Learn from the use of a request."""
        prompt, completion = record.prompt_tokens or 0, record.completion_tokens or 0
        written = record.cache_write_tokens or 0
        prompt = prompt_in_all(prompt, record.cached_tokens or 0, written, record.tokens_beside)
        completion = output_tokens(prompt, completion, record.reasoning_tokens, record.total_tokens)
        cached = self.cached_discount * min(record.cached_tokens or 0, prompt)
        if completion < 0 or prompt < 0 or prompt - cached <= 0 < prompt:
            return
        if not prompt and not record.success:  # the fee of a refusal says nothing about an answer
            return
        highest = self.highest_use.setdefault(kind, HighestUse([0.0] * len(self.ratios)))
        if not prompt:
            highest.flat = max(highest.flat, used)
            return
        weights = (prompt - cached + ratio * completion for ratio in self.ratios)
        pairs = zip(highest.units, weights, strict=True)
        highest.units = [max(unit, used / weight) for unit, weight in pairs]
        highest.prompt_tokens = max(highest.prompt_tokens, prompt)
        if completion > (record.max_tokens or 0):
            highest.unbounded_tokens = max(highest.unbounded_tokens, completion)
        table = self.priced(kind[0], prompt, completion)
        highest.off_table |= table is not None and used > table * (1 + 1e-9)

    # ---- a budget for each generator, as messages

    def experience(self) -> tuple[Experience, ...]:
        """The observations, for another budget."""
        return tuple(
            Experience(
                *kind,
                tuple(highest.units),
                highest.flat,
                highest.prompt_tokens,
                highest.unbounded_tokens,
                highest.off_table,
            )
            for kind, highest in self.highest_use.items()
        )

    def learn_from(self, experience: Iterable[Experience]) -> None:
        """Adopt the observations of another budget."""
        for other in experience:
            kind = (other.model, other.request)
            highest = self.highest_use.setdefault(kind, HighestUse([0.0] * len(self.ratios)))
            pairs = zip(highest.units, other.units, strict=True)
            highest.units = [max(unit, theirs) for unit, theirs in pairs]
            highest.flat = max(highest.flat, other.flat)
            highest.prompt_tokens = max(highest.prompt_tokens, other.prompt_tokens)
            highest.unbounded_tokens = max(highest.unbounded_tokens, other.unbounded_tokens)
            highest.off_table |= other.off_table

    def as_dict(self) -> Mapping[str, float]:
        """The fields for the event log."""
        return {
            "limit": round(self.limit, 9),
            "spent": round(self.spent, 9),
            "reserved": round(self.reserved, 9),
            "largest_underestimate": round(self.underestimate, 9),
            "unstated": self.unstated,
        }

    def report(self) -> ReportedBudget:
        """The report of a generator at the end of its phase."""
        return ReportedBudget(
            self.unit,
            round(self.limit, 9),
            round(self.spent, 9),
            round(self.reserved, 9),
            round(self.underestimate, 9),
            self.unstated,
            self.experience(),
        )
