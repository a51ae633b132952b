"""The messages between the commanding node and the generators, over Locust's own channel.

A local runner loops every message back to itself, so one process speaks the same way as a master
with its workers. The key never travels: a worker takes it from its own environment.
"""

import logging
import os
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import gevent
from locust.runners import STATE_MISSING, LocalRunner, MasterRunner, Runner

from loadshapes import modes
from loadshapes.generator import Generator, Run
from loadshapes.options import OperatorError, Options
from loadshapes.plan import stripe
from recording.hooks import Recorder
from tasks.endpoint import SIMULATOR_KEY, Endpoint, resolve
from tasks.exchange import Origin

FROM_GENERATORS = ("armed", "phase_done", "tripped", "closed")
log = logging.getLogger("weighbridge")


class LocustNodes:
    """The generators as a local runner or a master reaches them."""

    def __init__(self, runner: Runner) -> None:
        self._runner = runner

    def alive(self) -> list[str]:
        """The ids of the generators that answer, in the order in which they joined."""
        if not isinstance(self._runner, MasterRunner):
            return ["local"]
        living = [c.id for c in self._runner.clients.all if c.state != STATE_MISSING]
        return sorted(living, key=self._runner.get_worker_index)

    def name(self, node: str) -> str:
        """The worker's short name, as rows and files carry it."""
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


class GeneratorNode:
    """Answers the conductor's messages on a process that generates load."""

    def __init__(
        self, runner: Runner, recorder: Recorder, enter: Callable[[Generator, Endpoint], None]
    ) -> None:
        self._runner = runner
        self._recorder = recorder
        self._enter = enter
        self.generator = Generator(time.perf_counter, recorder.keep, self._tell)
        for kind, listener in {
            "open": self._open,
            "arm": self._arm,
            "phase_start": self._start,
            "halt": self._halt,
            "close": self._close,
        }.items():
            runner.register_message(kind, listener)

    def _tell(self, kind: str, data: dict[str, Any]) -> None:
        if kind in ("phase_done", "closed"):
            data = {**data, "parcel": self._recorder.parcel()}
        self._runner.send_message(kind, data)

    def _open(self, environment: Any, msg: Any, **_: Any) -> None:
        """Take part in a run: derive the plan from the options, open the part file."""
        data = msg.data
        options = Options(**data["options"])
        if data["simulated"]:
            endpoint = Endpoint(data["base_url"], SIMULATOR_KEY, simulated=True)
        elif isinstance(self._runner, LocalRunner):
            endpoint = resolve(data["base_url"], os.environ)
        else:
            try:
                endpoint = resolve(data["base_url"], os.environ)
            except OperatorError as error:
                log.error("this worker cannot take part: %s", error)
                self._runner.quit()
                return
        folder = Path(options.results).resolve() / options.run_id
        folder.mkdir(parents=True, mode=0o700, exist_ok=True)
        self._recorder.open(options.run_id, folder, data["worker"])
        self.generator.open(
            Run(
                options,
                modes.plan(options),
                Origin(options.run_id, data["worker"], endpoint.key),
            )
        )
        self._enter(self.generator, endpoint)

    def _arm(self, environment: Any, msg: Any, **_: Any) -> None:
        gevent.spawn(self._answer_when_parked, msg.data)

    def _answer_when_parked(self, data: dict[str, Any]) -> None:
        run = self.generator.run
        assert run is not None
        users = run.plan.phases[data["phase"]].users
        wanted = len(stripe(users, data["slot"], data["slots"]))
        while self.generator.parked < wanted:
            gevent.sleep(0.01)
        self._tell("armed", {"phase": data["phase"]})

    def _start(self, environment: Any, msg: Any, **_: Any) -> None:
        data = msg.data
        began = self.generator.clock() + (data["t0_unix_s"] - time.time())
        self.generator.start(data["phase"], began, data["slot"], data["slots"])

    def _halt(self, environment: Any, msg: Any, **_: Any) -> None:
        self.generator.halt("the stop rule ended the phase")

    def _close(self, environment: Any, msg: Any, **_: Any) -> None:
        gevent.spawn(self._close_and_tell, msg.data["wait_s"])

    def _close_and_tell(self, wait_s: float) -> None:
        self.generator.close(wait_s)
        self._tell("closed", {})
