"""State of one generator process: its run, and its share of the current phase."""

from collections import deque
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from itertools import count

from gevent.event import Event
from gevent.lock import Semaphore

from engine.loop_lag import LoopLag
from engine.messages import Done
from loadshapes.own_traffic.traffic import Traffic
from loadshapes.phase import Phase, stripe
from loadshapes.token_pacing import Pacer
from recording.in_flight_file import InFlight
from recording.not_sent import Unsent
from rules.budget import Budget, Kind, Reservation
from rules.stop_rule import Opening, Silence
from settings.options import Options
from tasks.job import Origin
from tasks.negotiation import Negotiation


@dataclass(slots=True)
class Run:
    """What this process knows of the run it takes part in; `phases` by their numbers.

    `traffic` holds the operator's own lines; `deal` gives the numbers of those this process begins.
    `openings` are the first requests of what a refusal may end, by its name; `silence` counts what
    met no gateway. `negotiation` knows what the gateway refused of a body. `in_flight` keeps what
    is under way where it outlives this process (None: nowhere).
    """

    options: Options
    origin: Origin
    phases: dict[int, Phase] = field(default_factory=dict)
    traffic: Traffic | None = None
    deal: Iterator[int] = field(default_factory=count)
    openings: dict[str, Opening] = field(default_factory=dict)
    silence: Silence = field(default_factory=Silence)
    # of each budget, by its unit
    unbounded: dict[str, dict[Kind, int]] = field(default_factory=dict)
    in_flight: InFlight | None = None
    models: Mapping[str, str] = field(default_factory=dict)  # what the reference calls each
    negotiation: Negotiation = field(init=False)

    def __post_init__(self) -> None:
        self.negotiation = Negotiation(self.options, self.origin)


@dataclass(slots=True)
class PhaseShare:
    """One phase of a run as this process runs it: slot `slot` of `slots`, from clock time `began`.

    It is of its own run to the end, though the process may by then take part in the next one.
    """

    run: Run
    number: int
    phase: Phase
    began: float
    slot: int
    slots: int
    outstanding: int = 0
    sent: int = 0
    dropped: int = 0
    unsent: list[Unsent] = field(default_factory=list)  # what it left: halted, or its window over
    waited_for_budget: int = 0  # requests that waited until the rest of the budget covered them
    ends: int = 0  # outcomes so far at which the phase may end
    lag: LoopLag = field(default_factory=LoopLag)
    halted: Event = field(default_factory=Event)
    released: Event = field(default_factory=Event)
    halted_why: str = ""
    enough: bool = False  # it has shown what it was to show: no further request is begun
    recent: deque[str] = field(default_factory=deque)
    budgets: list[Budget] = field(default_factory=list)
    reservations: dict[int, list[Reservation]] = field(default_factory=dict)
    settled: Event = field(default_factory=Event)
    free: Semaphore = field(init=False)
    pacer: Pacer | None = field(init=False)

    def __post_init__(self) -> None:
        self.free = Semaphore(self.users)
        phase = self.phase
        self.pacer = None
        if phase.pace is not None and phase.count is not None and phase.target is not None:
            own_count = sum(1 for _ in phase.indices(self.slot, self.slots)) // phase.routes
            if own_count:
                dues_s = phase.dues_s()[:: phase.routes]
                self.pacer = Pacer(phase.pace, phase.target, dues_s, own_count)

    def halt(self, why: str) -> None:
        """Send nothing more; the first reason counts."""
        if not self.halted.is_set():
            self.halted_why = why
            self.halted.set()
            self.released.set()
            self.settled.set()

    @property
    def at_its_goal(self) -> bool:
        """Whether it has ended as it was meant to, though it was halted."""
        return self.phase.kind == "manual" or 0 < self.phase.ends_after <= self.ends

    def leave(self, first: int, why: str) -> None:
        """Send nothing from index `first` on; a line per route says so, however many they are."""
        for indices in self.phase.stripes(self.slot, self.slots):
            begin = (
                indices.start + max(0, -((indices.start - first) // indices.step)) * indices.step
            )
            self._leave(range(begin, indices.stop, indices.step), why)

    def _leave(self, indices: range, why: str) -> None:
        phase, origin = self.phase, self.run.origin
        finished = sum(index in indices for index in phase.skip)
        if len(indices) == finished:
            return
        dues = [phase.due_s(index) for index in (indices[0], indices[-1])]
        due_first_s, due_last_s = (None if due is None else round(due, 6) for due in dues)
        unsent = Unsent(
            run_id=origin.run_id,
            worker=origin.worker,
            attempt=origin.attempt,
            phase=phase.name,
            model=phase.model,
            first=indices[0],
            last=indices[-1],
            step=indices.step,
            count=len(indices) - finished,
            reason=why,
            due_first_s=due_first_s,
            due_last_s=due_last_s,
        )
        self.unsent.append(unsent)
        self.dropped += unsent.count

    def done(self) -> Done:
        """The result, for the commanding node."""
        return Done(
            run_id=self.run.origin.run_id,
            phase=self.number,
            sent=self.sent,
            dropped=self.dropped,
            unsent=self.unsent,
            lag=self.lag.summary,
            halted=self.halted_why,
            cut="" if self.at_its_goal else self.halted_why,
            waited_for_budget=self.waited_for_budget,
            budgets=[budget.report() for budget in self.budgets],
            pacer=None if self.pacer is None else self.pacer.report(),
        )

    @property
    def users(self) -> int:
        """How many of the phase's users are this process's."""
        return len(stripe(self.phase.users, self.slot, self.slots))
