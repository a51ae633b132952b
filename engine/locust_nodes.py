"""The messages between the commanding node and the generators, over Locust's own channel.

A local runner loops every message back to itself, so one process speaks the same way as a master
with its workers. The key is never sent: a worker takes it from its own environment.
"""

import logging
import math
import time
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any, TypeVar

import gevent
from gevent.queue import Empty, Queue
from locust.dispatch import UsersDispatcher
from locust.runners import (
    STATE_MISSING,
    LocalRunner,
    MasterRunner,
    Runner,
    WorkerNode,
    WorkerRunner,
)

from engine.clock import start_of
from engine.generator import Generator
from engine.machine_capacity import make_room
from engine.messages import (
    FROM_GENERATORS,
    Arm,
    Armed,
    Changed,
    Close,
    Closed,
    Done,
    Enough,
    Halt,
    Message,
    OfRun,
    Open,
    Ping,
    Pong,
    Start,
    decode,
    encode,
)
from engine.phase_share import Run
from loadshapes.own_traffic.traffic import travelled
from loadshapes.phase import stripe
from recording.errors import OperatorError
from recording.folder import from_here
from recording.in_flight_file import InFlight
from recording.recorder import Recorder
from rules.prices import Prices
from settings.endpoint import Endpoint, endpoint_here
from settings.model_names import model_names
from settings.options import Options
from settings.reference import reference_here
from tasks.job import Origin
from tasks.negotiation import Negotiation

Enter = Callable[[Generator, Endpoint, Endpoint | None], None]
"""Gives users the generator, the gateway and the reference (None: none)."""
JUMP_S = 0.1  # a wall clock that moved otherwise than the monotonic one by this was set
PINGS = 5
MASTER_SILENT_S = 6
M = TypeVar("M", bound=Message)
log = logging.getLogger("weighbridge")


class LocustNodes:
    """The generators as a local runner or a master reaches them."""

    def __init__(self, runner: Runner) -> None:
        self._runner = runner
        self._names: dict[str, str] = {}

    def admit(self) -> list[str]:
        """Begin a run with the generators that are here now; those that join later stay out."""
        self._names = {node: self._name(node) for node in self._connected()}
        return list(self._names)

    def alive(self) -> list[str]:
        """The run's generators that answer, in the order in which they joined."""
        return [node for node in self._connected() if node in self._names]

    def name(self, node: str) -> str:
        """The generator's short name, as rows and files carry it."""
        return self._names.get(node, node)

    def _connected(self) -> list[str]:
        if not isinstance(self._runner, MasterRunner):
            return ["local"]
        living = [c.id for c in self._runner.clients.all if c.state != STATE_MISSING]
        return sorted(living, key=self._runner.get_worker_index)

    def _name(self, node: str) -> str:
        if isinstance(self._runner, MasterRunner):
            return f"worker-{self._runner.get_worker_index(node)}"
        return node

    def send(self, message: Message, node: str) -> None:
        """Send one message to one generator."""
        if isinstance(self._runner, MasterRunner):
            self._runner.send_message(message.kind, encode(message), client_id=node)
        else:
            self._runner.send_message(message.kind, encode(message))

    def listen(
        self,
        receive: Callable[[str, OfRun], None],
        failed: Callable[[str, Exception], None],
    ) -> None:
        """Pass every message of a generator to `receive(node, message)`.

        Locust only logs what a listener raises, and the message is gone: `failed(node, error)` is
        told of it.
        """
        for kind in FROM_GENERATORS:

            def on_message(
                environment: Any, msg: Any, kind: type[Message] = kind, **_: Any
            ) -> None:
                try:
                    message = decode(kind, msg.data)
                    if isinstance(message, OfRun):
                        receive(msg.node_id, message)
                    else:
                        self.send(Pong(time.time()), msg.node_id)
                except Exception as error:
                    failed(msg.node_id, error)

            self._runner.register_message(kind.kind, on_message)


class Pinned(UsersDispatcher):
    """Locust's dispatcher without rebalancing: moving users would kill their requests in flight."""

    def add_worker(self, worker_node: WorkerNode) -> None:
        """A worker that joins during a run gets no users before the next one."""

    def remove_worker(self, worker_node: WorkerNode) -> None:
        """A lost worker's users are not moved; the conductor deals with its requests."""


class GeneratorNode:
    """Answers the conductor's messages on a process that generates load."""

    def __init__(self, runner: Runner, recorder: Recorder, enter: Enter) -> None:
        self._runner = runner
        self._recorder = recorder
        self._enter = enter
        self.generator = Generator(time.perf_counter, recorder.keep, self._tell)
        recorder.failed = self.generator.fail
        self._listen(Open, self._open)
        self._listen(Arm, lambda arm: gevent.spawn(self._answer_when_parked, arm))
        self._listen(Start, self._start)
        self._listen(Halt, lambda halt: self.generator.halt(halt.why))
        self._listen(Enough, lambda enough: self.generator.enough(enough.phase))
        self._listen(Close, lambda close: gevent.spawn(self._close_and_tell, close.wait_s))
        self._listen(Pong, lambda pong: self._pongs.put(pong.master_unix_s))
        self._pongs: Queue[float] = Queue()
        self._offset_s = 0.0  # the master's wall clock minus ours
        if isinstance(runner, WorkerRunner):
            gevent.spawn(self._watch_master, runner)

    def _listen(self, kind: type[M], heed: Callable[[M], Any]) -> None:
        def on_message(environment: Any, msg: Any, **_: Any) -> None:
            heed(decode(kind, msg.data))

        self._runner.register_message(kind.kind, on_message)

    def _tell(self, message: Message) -> None:
        if isinstance(message, Done | Closed):
            message = replace(message, parcel=self._recorder.parcel())
        self._runner.send_message(message.kind, encode(message))

    def _open(self, opened: Open) -> None:
        """Take part in a run: open the part file and let users in."""
        options = opened.options
        try:
            parsed = self._runner.environment.parsed_options
            assert parsed is not None
            worker_options = Options.of(parsed)
            endpoint = endpoint_here(
                opened.gateway.base_url,
                options,
                worker_options,
                parsed.host,
                simulated_gateway=opened.gateway.simulated,
                key_name=opened.gateway.key_name,
            )
            reference = None
            if (other := opened.reference) is not None:
                reference = reference_here(
                    other.base_url,
                    options,
                    worker_options,
                    other.key_name,
                    simulated_reference=other.simulated,
                )
            for route in (endpoint, reference):
                if route is not None and route.access.command is not None:
                    route.access.command.key()
        except OperatorError as error:
            if isinstance(self._runner, LocalRunner):
                raise
            log.error("this worker cannot take part: %s", error)
            self._runner.quit()
            return
        folder = Path(options.results).resolve() / options.run_id
        try:
            folder.mkdir(parents=True, mode=0o700, exist_ok=True)
            self._recorder.open(options.run_id, folder, opened.part)
        except OSError as error:
            if isinstance(self._runner, LocalRunner):
                raise  # whoever began the run says so, and ends it
            where = from_here(folder)
            log.error("this process cannot take part: %s: %s", where, error.strerror)
            self._runner.quit()
            return
        origin = Origin(
            options.run_id,
            opened.worker,
            [*endpoint.secrets, *(reference.secrets if reference else ())],
            mute=options.no_content,
            prices=Prices.from_dict(opened.prices),
            cost_field=options.cost_field,
            attempt=opened.attempt,
            stall_limit_s=options.stall_limit,
            currency=opened.currency,
        )
        traffic = travelled(opened.traffic, options)
        run = Run(options, origin, traffic=traffic, models=model_names(options.against_model))
        run.in_flight = InFlight(folder, opened.part, options.run_id, opened.worker, opened.attempt)
        run.negotiation = Negotiation(
            options, origin, lambda change: self._tell(Changed(options.run_id, change))
        )
        self.generator.open(run)
        self._enter(self.generator, endpoint, reference)

    def _answer_when_parked(self, arm: Arm) -> None:
        run, phase = self.generator.run, arm.plan
        assert run is not None
        run.phases[arm.phase] = phase
        run.negotiation.adopt(arm.body_changes)
        users_needed = min(arm.pool, len(stripe(phase.users, arm.slot, arm.slots)))
        try:
            make_room(run.options.max_workers if phase.kind == "manual" else users_needed)
        except OperatorError as error:  # the run goes on with what fits: the rest is local_limit
            log.warning("%s", error)
        if phase.kind == "manual":
            users_needed = 0  # users come and go as a person wants them
        while self.generator.parked < users_needed:
            gevent.sleep(0.01)
        round_trip_s = self._measure_offset()
        known = None if math.isinf(round_trip_s) else round(round_trip_s, 6)
        self._tell(Armed(run.origin.run_id, arm.phase, round(self._offset_s, 6), known))

    def _measure_offset(self) -> float:
        """Compare our wall clock with the master's: of several pings the quickest; its duration.

        The offset is master - (asked + answered) / 2, as NTP has it (RFC 5905, section 8).
        """
        if isinstance(self._runner, LocalRunner):
            return 0.0
        best_s = math.inf
        for _ in range(PINGS):
            asked_unix_s, asked_s = time.time(), time.perf_counter()
            self._tell(Ping())
            try:
                master = self._pongs.get(timeout=1.0)
            except Empty:
                continue
            took_s = time.perf_counter() - asked_s  # the wall clock may jump meanwhile
            if took_s < best_s and abs(time.time() - asked_unix_s - took_s) < JUMP_S:
                best_s = took_s
                self._offset_s = master - (asked_unix_s + took_s / 2)
        return best_s

    def _watch_master(self, runner: WorkerRunner) -> None:
        """Stop sending when the master has fallen silent, because nothing could stop this
        process any more.
        """
        silent = 0
        while True:
            gevent.sleep(1.0)
            last = runner.last_heartbeat_timestamp
            late = last is not None and time.time() - last > 2.0
            # Counted by the second, so that a process that stood still does not blame the master.
            silent = silent + 1 if late else 0
            if silent >= MASTER_SILENT_S:
                self.generator.halt("the master fell silent")

    def _start(self, start: Start) -> None:
        t0_unix_s = start.t0_unix_s - self._offset_s  # by this machine's wall clock
        alone = isinstance(self._runner, LocalRunner)
        began = start_of(t0_unix_s, start.in_s, self.generator.clock, time.time, same_process=alone)
        self.generator.start(start.phase, began, start.slot, start.slots, start.budgets)

    def _close_and_tell(self, wait_s: float) -> None:
        run = self.generator.run
        self.generator.close(wait_s)
        self._tell(Closed("" if run is None else run.origin.run_id))
