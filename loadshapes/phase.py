"""A phase: one block of the plan, with one model, one kind of request and one schedule. Pure."""

import math
from collections.abc import Iterator, Mapping
from dataclasses import asdict, dataclass, fields
from itertools import count, groupby
from typing import Any, cast

from loadshapes.schedule import Schedule, schedule_of
from loadshapes.token_pacing import Pace
from recording.arms import arm
from recording.cancel import Cancel
from recording.manifest_content import Kind, PlannedPhase

ANY_NUMBER = 1_000_000  # users: more than any run has
_OF_SCHEDULES = {"duration_s": None, "poisson": "", "times_s": (), "at_most": None}
"""Values in a phase's dictionary for fields of other schedules."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Phase:
    """One block of the plan.

    `schedule` says when its requests are due (loadshapes/schedule.py). `request` names the builder
    in `tasks.builders` that makes each body; `scenario` is its name in rows. `typed` sends it
    through the SDK's typed surface. `climb` names the ladder the phase is a step of: when the stop
    rule ends a step, the later steps of the same climb are not sent. `skip` lists the indices that
    an earlier attempt at the run has sent. `watched`: its rows are passed to the program that
    planned it. `paced`: its prompts are sized by `pace`, once that is known, to reach `target`
    tokens per minute. `traffic` is the digest of the operator's own requests, where those are sent;
    a line's output budget goes before `max_tokens`. `ends_on` names an outcome: after `ends_after`
    of them, a generator sends no more of the phase. It begins no earlier than `not_before_unix_s`,
    on the wall clock of the node that commands. `pairs` is the seed by which each request goes to
    two routes, one after the other (recording/arms.py; empty: to one): then requests 2i and 2i + 1
    ask the same, and `schedule` is that of each route. `route` names the one that all of it takes
    (recording/arms.py; empty: the gateway's). Without `stop_rule`, no refusal or failure ends it,
    because they are wanted answers. `cancel`: which of its requests are cancelled on purpose, and
    when. `asks` numbers the questions of mode identity (identity/bank.py) that its requests ask in
    turn; every `probe_every`-th is a probe of identity (identity/mixed.py; 0: none).
    """

    name: str
    mode: str
    scenario: str
    model: str
    schedule: Schedule
    request: str
    users: int
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
    traffic: str = ""
    paced: bool = False
    pace: Pace | None = None
    ends_on: str = ""
    ends_after: int = 1
    not_before_unix_s: float | None = None
    pairs: str = ""
    route: str = ""
    stop_rule: bool = True
    cancel: Cancel | None = None
    asks: tuple[int, ...] = ()
    probe_every: int = 0

    @classmethod
    def of(cls, facts: Mapping[str, Any]) -> "Phase":
        """The inverse of `as_dict`, also for a message or a manifest.

        A manifest of an earlier version may lack fields, which keep their defaults, or have removed
        fields, which are ignored. Raises ValueError for an unknown schedule.
        """
        field_names = [item.name for item in fields(cls) if item.name != "schedule"]
        known = {name: facts[name] for name in field_names if name in facts}
        if known.get("pace") is not None:
            known["pace"] = Pace(**known["pace"])
        known["cancel"] = Cancel.of(known.get("cancel"))
        for name in ("skip", "asks"):
            known[name] = tuple(known.get(name, ()))
        return cls(schedule=schedule_of(facts), **known)

    def as_dict(self) -> PlannedPhase:
        """The phase for manifests and messages, together with its schedule's fields."""
        facts: dict[str, Any] = {item.name: getattr(self, item.name) for item in fields(self)}
        pace, cancel = (None if it is None else asdict(it) for it in (self.pace, self.cancel))
        del facts["schedule"]
        facts |= (
            {"pace": pace, "cancel": cancel, "kind": self.kind}
            | _OF_SCHEDULES
            | self.schedule.facts()
        )
        return cast(PlannedPhase, facts)

    @property
    def kind(self) -> Kind:
        """The name of its schedule."""
        return self.schedule.kind

    @property
    def count(self) -> int | None:
        """The number of planned requests; None: it runs until its time is over or a person ends
        it.
        """
        return None if self.schedule.count is None else self.schedule.count * self.routes

    @property
    def routes(self) -> int:
        """The number of its routes."""
        return 2 if self.pairs else 1

    @property
    def duration_s(self) -> float | None:
        """The length of its window, seconds; None: it has none."""
        return self.schedule.duration_s

    def indices(self, slot: int, slots: int) -> Iterator[int]:
        """The requests that generator `slot` of `slots` sends, in order; endless if uncounted."""
        skipped, most, routes = frozenset(self.skip), self.schedule.most, self.routes
        numbers = stripe(most, slot, slots) if most is not None else count(slot, slots)
        owned = (
            numbers if routes == 1 else (2 * one + second for one in numbers for second in (0, 1))
        )
        return (index for index in owned if index not in skipped)

    def handed_out(self, slot: int, slots: int) -> Iterator[tuple[int, ...]]:
        """The same requests grouped by user: each alone, or a pair one after the other.

        In a window, both requests of a pair have their own due times and users.
        """
        indices = self.indices(slot, slots)
        if not self.pairs or self.kind == "arrivals":
            return ((index,) for index in indices)
        return (tuple(pair) for _, pair in groupby(indices, lambda index: index // 2))

    def stripes(self, slot: int, slots: int) -> tuple[range, ...]:
        """The requests planned for generator `slot` of `slots`, by route."""
        planned, routes = self.schedule.count or 0, self.routes
        return tuple(
            range(routes * slot + route, routes * planned, routes * slots)
            for route in range(routes)
        )

    def number(self, index: int) -> int:
        """The number of request `index`; both requests of a pair have the same."""
        return index // self.routes

    def arm(self, index: int) -> str:
        """The route of request `index`; empty: there is only one."""
        return arm(self.pairs, index) if self.pairs else self.route

    def due_s(self, index: int) -> float | None:
        """When request `index` is due, seconds from the phase's start; None: when a user is free.

        The second of a pair is due halfway to the next pair: each route has the schedule's rate,
        and no two requests are due at the same moment. In a burst it is due when the first is
        answered.
        """
        number, second = divmod(index, self.routes)
        due_s = self.schedule.due_s(number)
        if not second or due_s is None:
            return due_s
        planned, window_s = self.schedule.count, self.duration_s
        if self.kind == "burst" or not planned or window_s is None:
            return None
        last = number + 1 >= planned
        next_s = due_s + window_s / planned if last else self.schedule.due_s(number + 1)
        return (due_s + (due_s if next_s is None else next_s)) / 2

    def dues_s(self) -> list[float]:
        """When each request is due, seconds from the phase's start; only for phases where all
        have due times.
        """
        return [self.due_s(index) or 0.0 for index in range(self.count or 0)]

    def task_id(self, index: int) -> str:
        """The request's name by the seed's rules: `...-req-0`, or `...-run-1` for a probe.

        Both requests of a pair have the same name, so their bodies are equal to the byte.
        """
        return f"{self.task_prefix}{self.first_number + self.number(index)}"

    def faults(self) -> list[str]:
        """Every reason why the phase cannot be run, one sentence each."""
        faults = [] if self.users > 0 else [f"needs at least one user, not {self.users}."]
        faults += self.schedule.faults(self.users)
        return [f"phase {self.name}: {fault}" for fault in faults]


def stripe(count: int, slot: int, slots: int) -> range:
    """The indices below `count` that belong to generator `slot` of `slots`: slot, slot + slots,
    ...
    """
    return range(slot, count, slots)


def rpm_count(target_rpm: int, duration_s: float) -> int:
    """The number of requests for a rate (the seed's `compute_plan`): floor(target * s / 60), at
    least 1.
    """
    return max(1, math.floor(target_rpm * duration_s / 60))


def tpm_count(target_tpm: int, duration_s: float, approx_prompt_tokens: int) -> int:
    """The number of requests for a token rate (the seed's `compute_plan`).

    ceil(target * s / 60 / approx_prompt_tokens), at least 1.
    """
    return max(1, math.ceil(target_tpm * duration_s / 60 / approx_prompt_tokens))
