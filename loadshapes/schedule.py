"""When the requests of a phase are due: one class per kind of schedule. Pure arithmetic, no clock.

Open loop (the clock starts requests, whatever the gateway does):

- `Even`: request i is due at i * duration_s / count.
- `Poisson`: at the i-th smallest of `count` uniform times, which is a Poisson process conditioned
  on its number of arrivals.
- `At`: at the i-th of `times_s`.
- `Burst`: all are due at once.

Closed loop (a request is due when a user is free for it):

- `Closed`: until `count` are sent or `duration_s` is over.
- `Manual`: a person adds and removes the users while it runs, and ends it.
"""

from collections.abc import Iterator, Mapping
from dataclasses import asdict, dataclass
from typing import Any, ClassVar, Protocol

from recording.manifest_content import Kind
from rules.due_times import uniform_times
from settings.options import Options


class Schedule(Protocol):
    """The interface of a schedule."""

    kind: ClassVar[Kind]
    open_loop: ClassVar[bool]

    @property
    def count(self) -> int | None:
        """The number of planned requests; None: it runs until the time is over or a person ends
        it.
        """
        ...

    @property
    def duration_s(self) -> float | None:
        """The length of its window, seconds; None: it has none."""
        ...

    @property
    def most(self) -> int | None:
        """The largest possible number of requests; None: no limit."""
        ...

    def due_s(self, index: int) -> float | None:
        """When request `index` is due, seconds from the phase's start; None: when a user is
        free.
        """
        ...

    def faults(self, users: int) -> Iterator[str]:
        """Why it cannot be run with this many users, one clause each."""
        ...

    def facts(self) -> dict[str, Any]:
        """Its fields for manifests."""
        ...


def _counted(count: int | None) -> Iterator[str]:
    if count is not None and count < 1:
        yield f"plans {count} requests; it must be at least 1."


def _lasting(duration_s: float | None) -> Iterator[str]:
    if duration_s is not None and not duration_s > 0:
        yield f"a duration of {duration_s} s is not above 0; give more."


@dataclass(frozen=True, slots=True)
class Even:
    """`count` requests evenly over `duration_s`."""

    kind: ClassVar[Kind] = "arrivals"
    open_loop: ClassVar[bool] = True
    count: int
    duration_s: float

    @property
    def most(self) -> int:
        """All of them."""
        return self.count

    def due_s(self, index: int) -> float:
        """i * duration_s / count."""
        return index * (self.duration_s / self.count)

    def faults(self, users: int) -> Iterator[str]:
        """Requests and time must be above 0."""
        yield from _counted(self.count)
        yield from _lasting(self.duration_s)

    def facts(self) -> dict[str, Any]:
        """Its fields."""
        return asdict(self)


@dataclass(frozen=True, slots=True)
class Poisson(Even):
    """`count` requests at random over `duration_s`, by a seed."""

    poisson: str = ""

    def due_s(self, index: int) -> float:
        """The index-th smallest of `count` uniform times."""
        return uniform_times(self.poisson, self.count)[index] * self.duration_s


@dataclass(frozen=True, slots=True)
class At(Even):
    """A request at each of `times_s`, seconds from the start, in order."""

    times_s: tuple[float, ...] = ()

    def due_s(self, index: int) -> float:
        """The index-th time."""
        return self.times_s[index]

    def faults(self, users: int) -> Iterator[str]:
        """Also if there is not one time per request, or the times are not in order."""
        yield from Even.faults(self, users)
        if len(self.times_s) != self.count or list(self.times_s) != sorted(self.times_s):
            yield "it needs one arrival time per request, in order."


@dataclass(frozen=True, slots=True)
class Burst:
    """`count` requests at the same instant."""

    kind: ClassVar[Kind] = "burst"
    open_loop: ClassVar[bool] = True
    count: int
    duration_s: float | None = None

    @property
    def most(self) -> int:
        """All of them."""
        return self.count

    def due_s(self, index: int) -> float:
        """At once."""
        return 0.0

    def faults(self, users: int) -> Iterator[str]:
        """It needs a user for each request."""
        yield from _counted(self.count)
        if users < self.count:
            yield f"a burst of {self.count} needs as many users, not {users}."
        yield from _lasting(self.duration_s)

    def facts(self) -> dict[str, Any]:
        """Its fields."""
        return asdict(self)


@dataclass(frozen=True, slots=True)
class Closed:
    """Each user sends again when it has been answered, until a count or a time is reached.

    Without a `count` at most `at_most` requests are sent (None: any number).
    """

    kind: ClassVar[Kind] = "steady"
    open_loop: ClassVar[bool] = False
    count: int | None
    duration_s: float | None = None
    at_most: int | None = None

    @property
    def most(self) -> int | None:
        """The count, otherwise the most it may send."""
        return self.at_most if self.count is None else self.count

    def due_s(self, index: int) -> None:
        """When a user is free."""

    def faults(self, users: int) -> Iterator[str]:
        """It must end."""
        yield from _counted(self.count)
        if self.count is None and self.duration_s is None:
            yield "it would never end; give a count or a duration."
        yield from _lasting(self.duration_s)

    def facts(self) -> dict[str, Any]:
        """Its fields."""
        return asdict(self)


@dataclass(frozen=True, slots=True)
class Manual:
    """A person adds and removes users, and ends it; at most `at_most` requests are sent."""

    kind: ClassVar[Kind] = "manual"
    open_loop: ClassVar[bool] = False
    count: None = None
    duration_s: None = None
    at_most: int | None = None

    @property
    def most(self) -> int | None:
        """The most it may send."""
        return self.at_most

    def due_s(self, index: int) -> None:
        """When a user is free."""

    def faults(self, users: int) -> Iterator[str]:
        """There is nothing planned that could be wrong."""
        yield from ()

    def facts(self) -> dict[str, Any]:
        """Its fields."""
        return asdict(self)


def arrivals(options: Options, count: int, name: str) -> Even:
    """A window of `--duration` with this many requests, evenly or at random by `--arrivals`."""
    if options.arrivals == "poisson":
        return Poisson(count, options.duration, f"{options.seed}/{name}")
    return Even(count, options.duration)


def schedule_of(facts: Mapping[str, Any]) -> Schedule:
    """The schedule of a phase in a manifest or message. Raises ValueError if it is unknown."""
    count, duration_s = facts.get("count"), facts.get("duration_s")
    times_s, poisson = tuple(facts.get("times_s") or ()), facts.get("poisson") or ""
    match facts.get("kind"):
        case "arrivals":
            if count is None or duration_s is None:
                raise ValueError("arrivals need a count and a duration")
            if times_s:
                return At(count, duration_s, times_s)
            return Poisson(count, duration_s, poisson) if poisson else Even(count, duration_s)
        case "burst":
            if count is None:
                raise ValueError("a burst needs a count")
            return Burst(count, duration_s)
        case "steady":
            return Closed(count, duration_s, facts.get("at_most"))
        case "manual":
            return Manual(at_most=facts.get("at_most"))
    raise ValueError(f"{facts.get('kind')!r} is not a kind of schedule")
