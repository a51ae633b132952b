"""A generator with fake users: greenlets that take jobs and serve them without a gateway."""

import time
from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import replace
from typing import Any, TypeVar

import gevent

from engine.generator import Generator
from engine.messages import Done, OfRun, decode, encode
from engine.phase_share import Run
from loadshapes.phase import Phase
from recording.not_sent import Unsent
from recording.outcome import Outcome
from recording.record import RequestRecord
from settings.options import Options
from tasks.job import Job, Origin
from tasks.row import planned_only
from tasks.transport_failure import NotSent
from tests.builders import phase_of

M = TypeVar("M", bound=OfRun)
BASE = phase_of(
    name="p",
    mode="rpm",
    scenario="chat",
    model="m",
    kind="arrivals",
    request="marker",
    users=5,
    count=20,
    duration_s=0.2,
)
ORIGIN = Origin("run", "local", "sk-secret-secret")


class Pool:
    """Users of one generator: each serves a job in `service_s`, with `outcome`."""

    def __init__(
        self,
        phase: Phase,
        users: int | None = None,
        service_s: float = 0.0,
        outcome: Outcome = Outcome.OK,
        build_s: float = 0.0,
        cost: float | Callable[[int], float] | None = None,
        unfolds: bool = True,
        **options: Any,
    ) -> None:
        self.sent: list[tuple[int, float | None, float]] = []  # index, due, sent
        self.dropped: list[RequestRecord] = []
        self.left: list[Unsent] = []
        self.told: list[OfRun] = []
        self.at_once = 0
        self.most_at_once = 0
        self._service_s, self._build_s, self._outcome = service_s, build_s, outcome
        self._cost, self._unfolds = cost, unfolds
        self.phase = phase
        self.generator = Generator(time.perf_counter, self.dropped.append, self._tell)
        asked = replace(Options(run_id="run", stop_rule="off", grace=5.0), **options)
        self.generator.open(Run(asked, ORIGIN, {0: phase}))
        count = phase.users if users is None else users
        self.greenlets = [gevent.spawn(self._user) for _ in range(count)]
        gevent.sleep(0)

    def _tell(self, message: OfRun) -> None:
        assert decode(type(message), encode(message)) == message, "it survives its way"
        self.told.append(message)
        for left in message.unsent if isinstance(message, Done) else ():
            self.left.append(left)
            for index in left.indices if self._unfolds else ():
                if index not in self.phase.skip:
                    due = self.phase.due_s(index)
                    job = Job(self.phase, index, 0.0, due, lambda _: None)
                    self.dropped.append(planned_only(job, ORIGIN, left.reason))

    def _user(self) -> None:
        while (job := self.generator.take()) is not None:
            self.generator.finish(job, self._serve(job))
            if job.partner is not None:
                self.generator.finish(job.partner, self._serve(job.partner))

    def _serve(self, job: Job) -> RequestRecord:
        record = planned_only(job, ORIGIN, "by the user")
        busy_until = time.perf_counter() + self._build_s
        while time.perf_counter() < busy_until:
            pass  # the SDK builds the request: CPU, not sleep
        try:
            job.wait()
        except NotSent as why:
            record = planned_only(job, ORIGIN, f"{why}")
            self.dropped.append(record)
            return record
        self.sent.append((job.index, job.due, time.perf_counter()))
        self.at_once += 1
        self.most_at_once = max(self.most_at_once, self.at_once)
        gevent.sleep(self._service_s)
        self.at_once -= 1
        cost = self._cost(job.index) if callable(self._cost) else self._cost
        good = self._outcome is Outcome.OK
        counts = {"prompt_tokens": 100, "completion_tokens": 10, "total_tokens": 110}
        return replace(
            record,
            outcome=self._outcome.value,
            success=good,
            api_cost=cost,
            **(counts if good else {}),
        )

    def start(
        self, lead_s: float = 0.05, slot: int = 0, slots: int = 1, budgets: Sequence[Any] = ()
    ) -> float:
        """Start the phase `lead_s` from now; its start."""
        began = time.perf_counter() + lead_s
        self.generator.start(0, began, slot, slots, budgets)
        return began

    def done(self, longest_s: float = 10.0) -> Done:
        """Wait for the end of the phase; returns the generator's Done message."""
        deadline = time.perf_counter() + longest_s
        while not self.of(Done):
            assert time.perf_counter() < deadline, f"the phase did not end in {longest_s} s"
            gevent.sleep(0.005)
        return self.of(Done)[0]

    def run(self, **start: Any) -> Done:
        self.start(**start)
        return self.done()

    def of(self, kind: type[M]) -> list[M]:
        return [message for message in self.told if isinstance(message, kind)]

    def indices(self) -> list[int]:
        """Every index that was sent or dropped, sorted."""
        dropped = [record.request_index for record in self.dropped]
        return sorted([index for index, _, _ in self.sent] + dropped)

    def twice(self) -> list[int]:
        return [index for index, times in Counter(self.indices()).items() if times > 1]
