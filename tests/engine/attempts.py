"""A run without Locust and without a network that can be cut off anywhere and resumed.

The session, the conductor, the generator, the recorder and the files are the real ones; the users
are greenlets, and the gateway is a list of the requests that reached it.
"""

import time
from collections import Counter
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from random import Random
from typing import Any

import gevent

from engine.clock import start_of
from engine.generator import Generator
from engine.interrupted import read
from engine.messages import (
    Arm,
    Armed,
    Close,
    Closed,
    Halt,
    Message,
    OfRun,
    Open,
    Start,
    decode,
    encode,
)  # fmt: skip
from engine.phase_share import Run
from engine.session import Session
from loadshapes import modes
from loadshapes.phase import stripe
from recording.errors import OperatorError
from recording.outcome import Outcome
from recording.record import RequestRecord
from recording.recorder import Recorder
from settings.endpoint import Endpoint
from settings.money import Tariff
from settings.options import Options
from settings.resume import going_on, recalled
from tasks.job import Job, Origin
from tasks.row import planned_only
from tasks.transport_failure import NotSent

COST = 0.001


class Gateway:
    """The name of each request that reached it, in order; `answer` makes its outcome."""

    def __init__(self, answer: Callable[[int], Outcome] = lambda number: Outcome.OK) -> None:
        self.received: list[str] = []
        self._answer, self._dice = answer, Random(7)

    def serve(self, job: Job, record: RequestRecord) -> RequestRecord:
        """A reply after some milliseconds; only answers have a cost."""
        self.received.append(job.phase.task_id(job.index))
        sent = time.perf_counter()
        outcome = self._answer(len(self.received))
        gevent.sleep(self._dice.uniform(0.002, 0.03))
        took = time.perf_counter() - sent
        good = outcome is Outcome.OK
        return replace(
            record, outcome=outcome.value, success=good, error_type=None, error_message=None,
            elapsed_sec=took, sent_offset_s=sent - job.began, done_offset_s=sent - job.began + took,
            **({"api_cost": COST, "prompt_tokens": 10, "completion_tokens": 1, "total_tokens": 11,
                "cost_source": "body", "http_status": 200} if good else {"http_status": 429}),
        )  # fmt: skip


class Attempt:
    """One attempt at a run in this process: `nodes` of the session, and all its users."""

    def __init__(self, gateway: Gateway, folder: Path, asked: Options, resumes: bool) -> None:
        """Raises OperatorError."""
        self._gateway = gateway
        self.in_flight: set[str] = set()
        self._users: list[Any] = []
        self._dead = False
        self._recorder = Recorder(ships=False, watch=lambda record: self.session.watch(record))
        self._generator = Generator(time.perf_counter, self._recorder.keep, self._tell)
        remains = read(folder) if resumes else None
        options = replace(asked, results=str(folder.parent), run_id=folder.name)
        if remains is not None:
            before = recalled(remains.manifest["options"], options)
            options = replace(going_on(before, replace(asked, resume=str(folder))))
            options = replace(options, results=str(folder.parent), run_id=folder.name)
        endpoint = Endpoint("http://gateway/v1", "sk-nobody", simulated=False)
        self.session = Session(modes.plan(options), options, endpoint, self, remains)
        self.session.tariff = Tariff(None, "CNY")
        self.session.begin()

    # ---- what a session asks of its generators

    def alive(self) -> list[str]:
        return ["local"]

    admit = alive

    def name(self, node: str) -> str:
        return node

    def send(self, message: Message, node: str) -> None:
        match decode(type(message), encode(message)):
            case Open() as opened:
                options = opened.options
                folder = Path(options.results) / options.run_id
                self._recorder.open(options.run_id, folder, opened.part)
                origin = Origin(options.run_id, opened.worker, "", attempt=opened.attempt)
                self._generator.open(Run(options, origin))
            case Arm() as arm:
                gevent.spawn(self._arm, arm)
            case Start() as start:
                began = start_of(
                    start.t0_unix_s, start.in_s, time.perf_counter, time.time, same_process=True
                )
                share = (start.slot, start.slots, start.budgets)
                self._generator.start(start.phase, began, *share)
            case Halt() as halt:
                self._generator.halt(halt.why)
            case Close() as close:
                gevent.spawn(self._close, close.wait_s)

    def _arm(self, arm: Arm) -> None:
        run, phase = self._generator.run, arm.plan
        assert run is not None
        run.phases[arm.phase] = phase
        wanted = len(stripe(phase.users, arm.slot, arm.slots))
        while self._generator.parked < wanted:
            self._users.append(gevent.spawn(self._user))
            gevent.sleep(0)
        self._tell(Armed(run.origin.run_id, arm.phase, 0.0, None))

    def _close(self, wait_s: float) -> None:
        self._generator.close(wait_s)
        self._tell(Closed(""))

    def _tell(self, message: OfRun) -> None:
        self.session.receive("local", decode(type(message), encode(message)))

    # ---- the users

    def _user(self) -> None:
        while (job := self._generator.take()) is not None:
            assert job.origin is not None
            record = planned_only(job, job.origin, "by the user")
            try:
                job.wait()
            except NotSent as why:
                record = planned_only(job, job.origin, f"{why}")
                if job.phase.count is not None:
                    self._recorder.keep(record)
                self._generator.finish(job, record)
                continue
            name = job.phase.task_id(job.index)
            self.in_flight.add(name)
            try:
                record = self._gateway.serve(job, record)
            except gevent.GreenletExit:
                record = replace(record, outcome=Outcome.CANCELLED.value)
            if self._dead:
                return
            self._recorder.keep(record)
            self._generator.finish(job, record)
            if record.outcome == Outcome.CANCELLED:
                return
            self.in_flight.discard(name)

    # ---- how it ends

    def to_its_end(self, longest_s: float = 30.0) -> None:
        """Wait until the plan is done, and close the run."""
        deadline = time.monotonic() + longest_s
        while not self.session.over:
            assert time.monotonic() < deadline, f"{self.session.conductor.phase} does not end"
            gevent.sleep(0.005)
        self.stop()

    def stop(self) -> None:
        """As Stop or Ctrl-C does."""
        self.session.drain()
        self.session.finish()
        self._recorder.close()

    def crash(self) -> None:
        """As kill -9 does: what is not in the files by now is lost."""
        self._dead = True
        self.session.receive = lambda *_: None  # type: ignore[method-assign]
        self.session._event_log.write = lambda *_, **__: None  # type: ignore[method-assign]
        self._recorder._sink = None
        self.session._end_greenlets()
        gevent.killall(self._users, timeout=2.0)
        self._generator.close(0.0)


def attempts(
    folder: Path, asked: Options, gateway: Gateway, dice: Random, cuts: int, most_s: float
) -> set[str]:
    """A run that is cut off `cuts` times at random and resumed until its end.

    Returns the names of what was in flight when it was cut: those alone may be sent again.
    Asserts after each attempt that nothing finished was sent again.
    """
    loose: set[str] = set()
    for number in range(cuts + 1):
        try:
            attempt = Attempt(gateway, folder, asked, resumes=number > 0)
        except OperatorError as error:  # it was done, or is left as it is, before the last cut
            assert number and "nothing of it is left" in str(error), error
            return loose
        if number == cuts:
            attempt.to_its_end()
        else:
            until = time.monotonic() + dice.uniform(0.02, most_s)
            while time.monotonic() < until and not attempt.session.over:
                gevent.sleep(0.002)
            if dice.random() < 0.5:
                attempt.crash()
            else:
                attempt.stop()
        loose |= attempt.in_flight
        twice = {name for name, times in Counter(gateway.received).items() if times > 1}
        assert twice <= loose, f"after attempt {number + 1} sent again: {sorted(twice - loose)}"
    return loose
