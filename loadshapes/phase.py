"""A phase: one block of the plan, and when each of its requests is due. Pure arithmetic.

A phase is one block of the plan. Four kinds, and they stay apart:

- `arrivals` is open-loop: the clock starts requests, whatever the gateway does. Request i is due
  at `i * duration_s / count`; with `poisson`, at the i-th smallest of `count` uniform times (what a
  Poisson process is, given how many arrivals it has); with `times_s`, at the i-th of these.
- `burst` releases its `count` requests at the same instant.
- `steady` is closed-loop: `users` requests are kept in flight until `count` are sent or
  `duration_s` is over; a request is due when a user is free for it.
- `manual` is closed-loop too, but a person adds and removes the users while it runs, and ends it:
  it has neither count nor duration, and its users are as many as Locust has (`ANY_NUMBER`).
"""

import math
from collections.abc import Iterator, Mapping
from dataclasses import asdict, dataclass
from itertools import count
from typing import Any, Literal

from loadshapes.token_pacing import Pace
from rules.due_times import uniform_times

Kind = Literal["arrivals", "burst", "steady", "manual"]
ANY_NUMBER = 1_000_000  # of users: more than one run has


@dataclass(frozen=True, slots=True, kw_only=True)
class Phase:
    """One block of the plan; see the module for the kinds.

    `count` None means: until `duration_s` is over (steady), or until stopped (manual). `request`
    names the builder in `tasks.prompts` that makes each body; `scenario` is what the row calls it.
    `typed` sends it through the SDK's typed surface. `climb` names the staircase the phase is a
    step of: when the stop rule ends one step, the steps after it in the same climb are not sent.
    `skip` lists the indices that an earlier attempt at the run has sent. `watched`: its rows are
    handed to the program that planned it. `paced`: its prompts are sized by `pace`, once that is
    known, so that `target` tokens a minute are reached. `traffic` is the digest of the operator's
    own lines, where those are sent; a line's output budget goes before `max_tokens`. `ends_on`
    names an outcome, of which a generator meets `ends_after` before it sends no more of the phase.
    An uncounted phase sends `at_most` so many requests. It begins no sooner than
    `not_before_unix_s`, on the wall clock of the node that commands.
    """

    name: str
    mode: str
    scenario: str
    model: str
    kind: Kind
    request: str
    users: int
    count: int | None
    duration_s: float | None = None
    target: int | None = None
    max_tokens: int | None = None
    stream: bool = False
    typed: bool = False
    task_prefix: str = ""
    first_number: int = 0
    climb: str | None = None
    pause_after_s: float = 0.0
    skip: tuple[int, ...] = ()
    watched: bool = False
    poisson: str = ""  # the seed of its arrival times; empty: they are evenly spaced
    times_s: tuple[float, ...] = ()
    traffic: str = ""
    paced: bool = False
    pace: Pace | None = None
    ends_on: str = ""
    ends_after: int = 1
    at_most: int | None = None
    not_before_unix_s: float | None = None

    @classmethod
    def of(cls, made: Mapping[str, Any]) -> "Phase":
        """The phase that `as_dict` made a dictionary of, or a message or a manifest brought.

        A manifest of an earlier version may lack fields, which keep their defaults, or have some
        that are gone, which say nothing any more.
        """
        known = {name: made[name] for name in cls.__dataclass_fields__ if name in made}
        if known.get("pace") is not None:
            known["pace"] = Pace(**known["pace"])
        for name in ("skip", "times_s"):
            known[name] = tuple(known.get(name, ()))
        return cls(**known)

    def as_dict(self) -> dict[str, Any]:
        """The phase as a plain dictionary."""
        return asdict(self)

    def indices(self, slot: int, slots: int) -> Iterator[int]:
        """The requests that generator `slot` of `slots` sends, in order; endless if uncounted."""
        done, most = frozenset(self.skip), self.at_most if self.count is None else self.count
        owned = stripe(most, slot, slots) if most is not None else count(slot, slots)
        return (index for index in owned if index not in done)

    def due_s(self, index: int) -> float | None:
        """Seconds from the phase's start to request `index`; None: when a user is free."""
        if self.kind == "burst":
            return 0.0
        if self.kind in ("steady", "manual"):
            return None
        if self.times_s:
            return self.times_s[index]
        assert self.count is not None and self.duration_s is not None
        if self.poisson:
            return uniform_times(self.poisson, self.count)[index] * self.duration_s
        return index * (self.duration_s / self.count)

    def dues_s(self) -> list[float]:
        """When each request is due, seconds from the phase's start; only where all have one."""
        return [self.due_s(index) or 0.0 for index in range(self.count or 0)]

    def task_id(self, index: int) -> str:
        """The request's own name, by the seed's rules: `...-req-0`, or of a probe `...-run-1`."""
        return f"{self.task_prefix}{self.first_number + index}"

    def faults(self) -> list[str]:
        """Every reason why the phase cannot be run, a sentence each."""
        found = []
        if self.users < 1:
            found.append(f"phase {self.name}: needs at least one user, not {self.users}.")
        if self.count is not None and self.count < 1:
            found.append(f"phase {self.name}: plans {self.count} requests; it must be at least 1.")
        if self.kind == "burst" and self.count is not None and self.users < self.count:
            found.append(
                f"phase {self.name}: a burst of {self.count} needs as many users, not {self.users}."
            )
        if self.kind == "arrivals" and (self.count is None or self.duration_s is None):
            found.append(f"phase {self.name}: arrivals need a count and a duration.")
        if self.times_s and (
            len(self.times_s) != self.count or list(self.times_s) != sorted(self.times_s)
        ):
            found.append(f"phase {self.name}: it needs one arrival time a request, in order.")
        if self.kind == "steady" and self.count is None and self.duration_s is None:
            found.append(f"phase {self.name}: it would never end; give a count or a duration.")
        if self.kind == "manual" and (self.count, self.duration_s) != (None, None):
            found.append(f"phase {self.name}: a person ends it; give neither count nor duration.")
        if self.duration_s is not None and not self.duration_s > 0:
            found.append(
                f"phase {self.name}: a duration of {self.duration_s} s is not above 0; give more."
            )
        return found


def stripe(count: int, slot: int, slots: int) -> range:
    """The indices below `count` that generator `slot` of `slots` owns: slot, slot + slots, ..."""
    return range(slot, count, slots)


def rpm_count(target_rpm: int, duration_s: float) -> int:
    """Requests of a rate (the seed's `compute_plan`): floor(target * s / 60), at least 1."""
    return max(1, math.floor(target_rpm * duration_s / 60))


def tpm_count(target_tpm: int, duration_s: float, approx_prompt_tokens: int) -> int:
    """Requests planned for a token rate (the seed's `compute_plan`).

    ceil(target * s / 60 / approx_prompt_tokens), at least 1.
    """
    return max(1, math.ceil(target_tpm * duration_s / 60 / approx_prompt_tokens))
