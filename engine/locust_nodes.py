"""The messages between the commanding node and the generators, over Locust's own channel.

A local runner loops every message back to itself, so one process speaks the same way as a master
with its workers. The key never travels: a worker takes it from its own environment.
"""

import logging
import math
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

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

from engine.clock import monotonic_of
from engine.generator import Generator
from engine.machine_capacity import make_room
from engine.phase_share import Run
from loadshapes.own_traffic.traffic import travelled
from loadshapes.phase import Phase, stripe
from recording.errors import OperatorError
from recording.recorder import Recorder
from rules.prices import Prices
from settings.endpoint import Endpoint, endpoint_here
from settings.options import Options
from tasks.exchange import Origin
from tasks.negotiation import Negotiation

PINGS = 5
MASTER_SILENT_S = 6
FROM_GENERATORS = ("armed", "phase_done", "tripped", "held", "closed", "body_changed")
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

    def send(self, kind: str, data: dict[str, Any], node: str) -> None:
        """Send one message to one generator."""
        if isinstance(self._runner, MasterRunner):
            self._runner.send_message(kind, data, client_id=node)
        else:
            self._runner.send_message(kind, data)

    def listen(self, receive: Callable[[str, str, dict[str, Any]], None]) -> None:
        """Have every message of a generator's given to `receive(kind, node, data)`."""
        for kind in FROM_GENERATORS:

            def on_message(environment: Any, msg: Any, kind: str = kind, **_: Any) -> None:
                receive(kind, msg.node_id, msg.data)

            self._runner.register_message(kind, on_message)

        def on_ping(environment: Any, msg: Any, **_: Any) -> None:
            self.send("clock_pong", {"master_unix_s": time.time()}, msg.node_id)

        self._runner.register_message("clock_ping", on_ping)


class Pinned(UsersDispatcher):
    """Locust's dispatcher without rebalancing: moving users would kill their requests in flight."""

    def add_worker(self, worker_node: WorkerNode) -> None:
        """A worker that joins during a run gets no users before the next one."""

    def remove_worker(self, worker_node: WorkerNode) -> None:
        """A lost worker's users are not moved; the conductor deals with its requests."""


class GeneratorNode:
    """Answers the conductor's messages on a process that generates load."""

    def __init__(
        self, runner: Runner, recorder: Recorder, enter: Callable[[Generator, Endpoint], None]
    ) -> None:
        self._runner = runner
        self._recorder = recorder
        self._enter = enter
        self.generator = Generator(time.perf_counter, recorder.keep, self._tell)
        recorder.failed = self.generator.fail
        for kind, listener in {
            "open": self._open,
            "arm": self._arm,
            "phase_start": self._start,
            "halt": self._halt,
            "close": self._close,
            "clock_pong": self._pong,
        }.items():
            runner.register_message(kind, listener)
        self._pongs: Queue[float] = Queue()
        self._offset_s = 0.0  # the master's wall clock minus ours
        if isinstance(runner, WorkerRunner):
            gevent.spawn(self._watch_master, runner)

    def _tell(self, kind: str, data: dict[str, Any]) -> None:
        if kind in ("phase_done", "closed"):
            data = {**data, "parcel": self._recorder.parcel()}
        self._runner.send_message(kind, data)

    def _open(self, environment: Any, msg: Any, **_: Any) -> None:
        """Take part in a run: open the part file and let users in."""
        data = msg.data
        options = Options(**data["options"])
        try:
            parsed = environment.parsed_options
            endpoint = endpoint_here(data, options, Options.of(parsed), parsed.host)
            if endpoint.access.command is not None:
                endpoint.access.command.key()
        except OperatorError as error:
            if isinstance(self._runner, LocalRunner):
                raise
            log.error("this worker cannot take part: %s", error)
            self._runner.quit()
            return
        folder = Path(options.results).resolve() / options.run_id
        try:
            folder.mkdir(parents=True, mode=0o700, exist_ok=True)
            self._recorder.open(options.run_id, folder, data["part"])
        except OSError as error:
            if isinstance(self._runner, LocalRunner):
                raise  # whoever began the run says so, and ends it
            log.error("this process cannot take part: %s: %s", folder, error.strerror)
            self._runner.quit()
            return
        origin = Origin(
            options.run_id,
            data["worker"],
            endpoint.secrets,
            mute=options.no_content,
            prices=Prices.from_dict(data["prices"]),
            cost_field=options.cost_field,
            attempt=data["attempt"],
            stall_limit_s=options.stall_limit,
            currency=data["currency"],
        )
        traffic = travelled(data["traffic"], options)
        run = Run(options, origin, traffic=traffic)
        run.negotiation = Negotiation(options, origin, self._tell)
        self.generator.open(run)
        self._enter(self.generator, endpoint)

    def _arm(self, environment: Any, msg: Any, **_: Any) -> None:
        gevent.spawn(self._answer_when_parked, msg.data)

    def _answer_when_parked(self, data: dict[str, Any]) -> None:
        run = self.generator.run
        assert run is not None
        run.phases[data["phase"]] = phase = Phase.of(data["plan"])
        run.negotiation.told(data["body_changes"])
        wanted = min(data["pool"], len(stripe(phase.users, data["slot"], data["slots"])))
        try:
            make_room(run.options.max_workers if phase.kind == "manual" else wanted)
        except OperatorError as error:  # the run goes on with what fits: the rest is local_limit
            log.warning("%s", error)
        if phase.kind == "manual":
            wanted = 0  # users come and go as a person wants them
        while self.generator.parked < wanted:
            gevent.sleep(0.01)
        round_trip_s = self._measure_offset()
        self._tell(
            "armed",
            {
                "run_id": run.origin.run_id,
                "phase": data["phase"],
                "clock_offset_s": round(self._offset_s, 6),
                "round_trip_s": None if math.isinf(round_trip_s) else round(round_trip_s, 6),
            },
        )

    def _measure_offset(self) -> float:
        """Compare our wall clock with the master's: of several pings the quickest; its duration.

        The offset is master - (asked + answered) / 2, as NTP has it (RFC 5905, section 8).
        """
        if isinstance(self._runner, LocalRunner):
            return 0.0
        best_s = math.inf
        for _ in range(PINGS):
            asked = time.time()
            self._tell("clock_ping", {})
            try:
                master = self._pongs.get(timeout=1.0)
            except Empty:
                continue
            answered = time.time()
            if answered - asked < best_s:
                best_s = answered - asked
                self._offset_s = master - (asked + answered) / 2
        return best_s

    def _pong(self, environment: Any, msg: Any, **_: Any) -> None:
        self._pongs.put(msg.data["master_unix_s"])

    def _watch_master(self, runner: WorkerRunner) -> None:
        """Stop sending when the master has fallen silent: nobody would be there to stop us."""
        silent = 0
        while True:
            gevent.sleep(1.0)
            last = runner.last_heartbeat_timestamp
            late = last is not None and time.time() - last > 2.0
            # Counted by the second, so that a process that stood still does not blame the master.
            silent = silent + 1 if late else 0
            if silent >= MASTER_SILENT_S:
                self.generator.halt("the master fell silent")

    def _start(self, environment: Any, msg: Any, **_: Any) -> None:
        data = msg.data
        t0_unix_s = data["t0_unix_s"] - self._offset_s  # by this machine's wall clock
        began = monotonic_of(t0_unix_s, self.generator.clock, time.time)
        self.generator.start(data["phase"], began, data["slot"], data["slots"], data["budgets"])

    def _halt(self, environment: Any, msg: Any, **_: Any) -> None:
        self.generator.halt(msg.data["why"])

    def _close(self, environment: Any, msg: Any, **_: Any) -> None:
        gevent.spawn(self._close_and_tell, msg.data["wait_s"])

    def _close_and_tell(self, wait_s: float) -> None:
        run = self.generator.run
        self.generator.close(wait_s)
        self._tell("closed", {} if run is None else {"run_id": run.origin.run_id})
