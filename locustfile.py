"""Weighbridge under Locust: options, events, users and the one shape of a run. Wiring only."""

from locust import events  # first: importing Locust patches the standard library for gevent

# isort: split

import logging
import os
import signal
import sys
from dataclasses import replace
from pathlib import Path
from typing import Any, NoReturn

import gevent
import psutil
from locust.argument_parser import LocustArgumentParser
from locust.env import Environment
from locust.runners import MasterRunner, Runner, WorkerRunner

from loadshapes import modes, options
from loadshapes.generator import Generator
from loadshapes.nodes import GeneratorNode, LocustNodes, Pinned
from loadshapes.options import OperatorError, Options
from loadshapes.session import Session
from loadshapes.shapes import FixedRate, PlannedShape, shape_for
from recording.folder import new_run_id
from recording.hooks import Recorder
from tasks.catalogue import rehearse
from tasks.endpoint import EmbeddedSimulator, Endpoint, load_environment, resolve
from tasks.preflight import preflight
from tasks.route import route
from tasks.users import GatewayUser

__all__ = ["FixedRate", "GatewayUser"]  # what Locust looks for: one user class, one shape class

log = logging.getLogger("weighbridge")
logging.getLogger("httpx2").setLevel(logging.WARNING)


def refuse(error: OperatorError) -> NoReturn:
    """End with one sentence and exit code 2: the operator's mistake, nothing was sent."""
    print(f"weighbridge: {error}", file=sys.stderr, flush=True)
    sys.exit(2)


try:
    load_environment(Path(".env"))
except OperatorError as mistake:
    refuse(mistake)


class Command:
    """The node that commands runs (local or master): one session at a time."""

    def __init__(self, environment: Environment, runner: Runner) -> None:
        self.environment = environment
        self.nodes = LocustNodes(runner)
        self.nodes.listen(self._receive)
        self.session: Session | None = None
        self._simulator: EmbeddedSimulator | None = None

    def _receive(self, kind: str, node: str, data: dict[str, Any]) -> None:
        if self.session is not None:
            self.session.receive(kind, node, data)

    def asked(self) -> Options:
        """The options of the run that is asked for, with its own id and task_id prefix."""
        given = Options.of(self.environment.parsed_options)
        run_id = given.run_id or new_run_id(given.mode)
        return replace(given, run_id=run_id, task_id_prefix=given.task_id_prefix or run_id)

    def prepare(self) -> None:
        """Plan a run, find its gateway and make its folder. Raises OperatorError."""
        asked = self.asked()
        plan = modes.plan(asked)
        rehearse(plan, asked)
        if asked.dry_run:
            print(plan.describe())
            sys.exit(0)
        endpoint = self._endpoint(asked)
        self.environment.host = endpoint.base_url
        self.session = Session(plan, asked, endpoint, self.nodes)
        shape = shape_for(asked.mode)
        shape.runner = self.environment.runner
        self.environment.shape_class = shape
        PlannedShape.run = self.session

    def _endpoint(self, asked: Options) -> Endpoint:
        if not asked.simulator:
            endpoint = resolve(self.environment.host, os.environ)
            preflight(endpoint, asked)
            return endpoint
        if self._simulator is None:
            self._simulator = EmbeddedSimulator(asked)
        return self._simulator.endpoint

    def quit(self) -> None:
        """End what was started."""
        if self._simulator is not None:
            self._simulator.stop()


command: Command | None = None


@events.init_command_line_parser.add_listener
def on_parser(parser: LocustArgumentParser, **_: Any) -> None:
    """Declare our options."""
    options.add_arguments(parser)


@events.init.add_listener
def on_init(environment: Environment, runner: Runner, web_ui: Any = None, **_: Any) -> None:
    """Set up this process: a generator (local, worker), a commander (local, master)."""
    global command
    environment.dispatcher_class = Pinned
    if not isinstance(runner, MasterRunner):
        ship_rows(environment, runner)
    if isinstance(runner, WorkerRunner):
        return
    command = Command(environment, runner)
    parsed = environment.parsed_options
    if parsed is not None and parsed.headless:
        if not parsed.print_stats:
            logging.getLogger("locust.stats_logger").disabled = True  # our own summary is exact
        try:
            command.prepare()
        except OperatorError as error:
            command.quit()
            for child in psutil.Process().children():  # workers of --processes
                child.terminate()
            refuse(error)
        # With a shape, Locust installs its own handler only when the shape has ended.
        gevent.signal_handler(signal.SIGTERM, runner.quit)


def ship_rows(environment: Environment, runner: Runner) -> None:
    """Record what this process sends; a worker also ships it with Locust's reports."""
    ships = isinstance(runner, WorkerRunner)

    def watch(record: Any) -> None:
        if command is not None and command.session is not None:
            command.session.watch(record)

    recorder = Recorder(ships=ships, watch=watch)
    environment.events.request.add_listener(recorder.on_request)
    if ships:

        def on_report(client_id: str, data: dict[str, Any], **_: Any) -> None:
            data["weighbridge"] = recorder.parcel()

        environment.events.report_to_master.add_listener(on_report)
    environment.events.quitting.add_listener(lambda **_: recorder.close())
    GeneratorNode(runner, recorder, enter)


def enter(generator: Generator, endpoint: Endpoint) -> None:
    """Give the users that are about to be spawned what they send with."""
    GatewayUser.generator = generator
    GatewayUser.endpoint = endpoint
    GatewayUser.route = route(endpoint.base_url)


@events.worker_report.add_listener
def on_worker_report(client_id: str, data: dict[str, Any], **_: Any) -> None:
    """Rows that a worker shipped."""
    if command is not None and command.session is not None and "weighbridge" in data:
        command.session.shipped(client_id, data["weighbridge"])


@events.test_start.add_listener
def on_test_start(environment: Environment, **_: Any) -> None:
    """The pool is about to be spawned: open the run."""
    if command is not None and command.session is not None:
        command.session.begin()


@events.test_stopping.add_listener
def on_test_stopping(environment: Environment, **_: Any) -> None:
    """Fires first in every way to stop, and may block: finish what is in flight."""
    if command is not None and command.session is not None:
        command.session.drain()


@events.test_stop.add_listener
def on_test_stop(environment: Environment, **_: Any) -> None:
    """Close the run and report it."""
    if command is None or command.session is None:
        return
    session, command.session = command.session, None
    PlannedShape.run = None
    completed = session.finish()
    failed = session.report()
    environment.process_exit_code = 0 if completed and not failed else 1


@events.quit.add_listener
def on_quit(**_: Any) -> None:
    """The process ends."""
    if command is not None:
        command.quit()
