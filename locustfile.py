"""Weighbridge under Locust: options, events, users and the one shape of a run. Wiring only."""

from locust import events  # first: importing Locust patches the standard library for gevent

# isort: split

import logging
import os
import signal
import socket
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any, NoReturn

import gevent
import psutil
from gevent.event import Event
from locust.argument_parser import LocustArgumentParser
from locust.env import Environment
from locust.runners import MasterRunner, Runner, WorkerRunner

from engine import own_locustfile
from engine.controller import Command
from engine.generator import Generator
from engine.locust_nodes import GeneratorNode, Pinned
from engine.messages import decode, encode
from engine.preflight import way
from engine.session import Session
from loadshapes.shapes import FixedRate, PlannedShape, check_by_hand, check_users
from recording.errors import OperatorError
from recording.recorder import Parcel, Recorder
from recording.untrusted_text import ShownWords, shown
from settings.command_line import add_arguments, answer
from settings.endpoint import Endpoint, load_environment
from settings.options import Options
from tasks.users import GatewayUser
from webui.page import Gateway, attach
from webui.prometheus import Metrics, serve
from webui.start import Desk

__all__ = ["FixedRate", "GatewayUser"]  # what Locust looks for: one user class, one shape class
GatewayUser.set_up = True

REPORT_WAIT_S = 600.0  # for the report of a run that was stopped, before the process ends
log = logging.getLogger("weighbridge")
log.addFilter(ShownWords())
logging.getLogger("httpx2").setLevel(logging.WARNING)


def refuse(error: OperatorError) -> NoReturn:
    """End with one sentence and exit code 2: the operator's mistake, nothing was sent."""
    print(f"weighbridge: {shown(error)}", file=sys.stderr, flush=True)
    sys.exit(2)


def own_port(arguments: list[str]) -> None:
    """Give the processes of `--processes` a free port of their own to talk on.

    On Locust's fixed one, the workers of two runs on one machine would join each other's master.
    """
    given = {argument.partition("=")[0] for argument in arguments}
    others = {"--master", "--worker", "--master-port", "--master-bind-port"}
    told = {"LOCUST_MASTER_BIND_PORT", "LOCUST_MODE_MASTER", "LOCUST_MODE_WORKER"}
    forks = "--processes" in given or "LOCUST_PROCESSES" in os.environ
    if not forks or given & others or told & set(os.environ):
        return
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = str(free.getsockname()[1])
    os.environ["LOCUST_MASTER_BIND_PORT"] = os.environ["LOCUST_MASTER_NODE_PORT"] = port


own_port(sys.argv[1:])
try:
    load_environment(Path(".env"))
except OperatorError as mistake:
    refuse(mistake)


command: Command | None = None


@events.init_command_line_parser.add_listener
def on_parser(parser: LocustArgumentParser, **_: Any) -> None:
    """Declare our options, and answer mistakes in words of ours."""
    add_arguments(Options, parser)

    def error(message: str) -> NoReturn:
        known = [one for action in parser._actions for one in action.option_strings]
        refuse(OperatorError(answer(message, known)))

    parse = parser.parse_args

    def parse_args(*given: Any, **more: Any) -> Any:
        found = parse(*given, **more)
        try:
            for word in found.user_classes:
                own_locustfile.check_name(word)
        except OperatorError as stray:
            refuse(stray)
        return found

    parser.error = error  # type: ignore[method-assign]
    parser.parse_args = parse_args


@events.init.add_listener
def on_init(environment: Environment, runner: Runner, web_ui: Any = None, **_: Any) -> None:
    """Set up this process: a generator (local, worker), a commander (local, master)."""
    global command
    environment.dispatcher_class = Pinned
    # Our shapes spawn the whole pool before traffic begins: an alarm about that is about nothing.
    logging.getLogger("locust.runners").addFilter(
        lambda record: (
            environment.shape_class is None or "spawn rate is very high" not in record.getMessage()
        )
    )
    listen_to_ctrl_c(environment, runner)
    generator = None if isinstance(runner, MasterRunner) else ship_rows(environment, runner)
    if isinstance(runner, WorkerRunner):
        return
    command = Command(environment, runner)
    parsed = environment.parsed_options
    assert parsed is not None
    if parsed.headless and not parsed.print_stats:
        logging.getLogger("locust.stats_logger").disabled = True  # our own summary is exact

    def in_flight() -> int:
        return sum(command.in_flight.values()) if generator is None else generator.in_flight

    try:
        environment.user_classes = own_locustfile.users(environment.user_classes, GatewayUser)
        command.own_shape = own_locustfile.shape(environment)
        if parsed.tags:
            raise OperatorError("--tags finds no task: leave it away, --mode chooses what is sent.")
        if web_ui is not None:
            show(environment, web_ui, command, in_flight)
        if parsed.metrics_port:
            metrics = Metrics(in_flight)
            serve(metrics, parsed.metrics_host, parsed.metrics_port)
            command.opened.append(metrics.watch)
        if parsed.headless or parsed.autostart or parsed.dry_run:
            own_locustfile.check_mode(command.own_shape, parsed.mode)
            by_hand = {"-u": parsed.num_users, "-r": parsed.spawn_rate, "-t": parsed.run_time}
            check_by_hand(parsed.mode, by_hand)
            if parsed.mode == "interactive":
                check_users(parsed.num_users, parsed.max_workers)
            command.prepare()
    except OperatorError as error:
        end_all(command)
        refuse(error)
    except Exception:
        log.exception("the run could not be prepared")
        end_all(command)
        print("weighbridge: a fault of our own (see above): nothing was sent.", file=sys.stderr)
        sys.exit(1)
    if parsed.headless:
        # With a shape, Locust installs its own handler only when the shape has ended.
        gevent.signal_handler(signal.SIGTERM, runner.quit)


def end_all(command: Command) -> None:
    """End the processes that were started for a run that cannot begin."""
    command.quit()
    for child in psutil.Process().children():  # workers of --processes
        child.terminate()


def listen_to_ctrl_c(environment: Environment, runner: Runner) -> None:
    """Ctrl-C is for the main greenlet of the node that commands, and for nobody else.

    Python would raise it in whichever greenlet runs just then; and a terminal sends it to the
    workers of --processes too, whose requests in flight the master wants finished first.
    """
    forked = getattr(environment.parsed_options, "processes", None) and "--worker" not in sys.argv
    if isinstance(runner, WorkerRunner) and forked:
        gevent.signal_handler(signal.SIGINT, log.debug, "the master ends the run")
    else:
        gevent.signal_handler(signal.SIGINT, gevent.kill, gevent.getcurrent(), KeyboardInterrupt)


def show(
    environment: Environment, web_ui: Any, command: Command, in_flight: Callable[[], int]
) -> None:
    """Put our part on the web UI. Raises OperatorError."""
    if Options.of(environment.parsed_options).resume:
        raise OperatorError(
            "--resume needs --headless: the web UI's form could not change what the run goes on "
            "with."
        )
    if web_ui.userclass_picker_is_active:
        log.warning("--class-picker is ignored: there is one user class, and --mode chooses")
        web_ui.userclass_picker_is_active = False
    environment.host = where = command.gateway()
    gateway = Gateway(command, in_flight, Options.of(environment.parsed_options).lang)
    command.opened.append(gateway.watch)
    attach(environment, web_ui, gateway, Desk(environment, command, where))


def ship_rows(environment: Environment, runner: Runner) -> Generator:
    """Record what this process sends; a worker also ships it with Locust's reports."""
    ships = isinstance(runner, WorkerRunner)

    def watch(record: Any) -> None:
        if command is not None and command.session is not None:
            command.session.watch(record)

    recorder = Recorder(ships=ships, watch=watch)
    environment.events.request.add_listener(recorder.on_request)
    if ships:

        def on_report(client_id: str, data: dict[str, Any], **_: Any) -> None:
            data["weighbridge"] = encode(recorder.parcel())
            data["weighbridge_in_flight"] = node.generator.in_flight

        environment.events.report_to_master.add_listener(on_report)
    environment.events.quit.add_listener(lambda **_: recorder.close())
    node = GeneratorNode(runner, recorder, enter)
    return node.generator


def enter(generator: Generator, endpoint: Endpoint) -> None:
    """Give the users that are about to be spawned what they send with."""
    GatewayUser.generator = generator
    GatewayUser.endpoint = endpoint
    GatewayUser.route = way(endpoint)


@events.worker_report.add_listener
def on_worker_report(client_id: str, data: dict[str, Any], **_: Any) -> None:
    """Rows that a worker shipped."""
    if command is not None and command.session is not None and "weighbridge" in data:
        command.session.shipped(client_id, decode(Parcel, data["weighbridge"]))
        command.in_flight[client_id] = data.get("weighbridge_in_flight", 0)


@events.worker_connect.add_listener
def on_worker_connect(client_id: str, **_: Any) -> None:
    """A worker has come, perhaps too late for the run that goes on."""
    if command is not None and command.session is not None:
        command.session.joined(client_id)


@events.test_start.add_listener
def on_test_start(environment: Environment, **_: Any) -> None:
    """The pool is about to be spawned: open the run."""
    if command is not None and command.session is not None:
        try:
            command.session.begin()
        except Exception as error:  # Locust would log it, and wait for a run that never begins
            folder, why = command.session.folder, getattr(error, "strerror", None)
            if why is None:
                log.exception("the run could not begin")
            log.error("the run cannot be recorded in %s: %s", folder, why or error)
            command.session.conductor.finished = True
            if environment.shape_class is None:  # nothing else would end it
                assert environment.runner is not None
                headless = getattr(environment.parsed_options, "headless", True)
                gevent.spawn(environment.runner.quit if headless else environment.runner.stop)


@events.test_stopping.add_listener
def on_test_stopping(environment: Environment, **_: Any) -> None:
    """Fires first in every way to stop, and may block: finish what is in flight."""
    if command is None or command.session is None:
        return
    if not command.drained.is_set():  # two ways to stop at once: one drain serves both
        command.drained.wait(REPORT_WAIT_S)
        return
    command.drained.clear()
    command.reported.clear()
    try:
        command.session.drain()
    finally:
        command.drained.set()


@events.test_stop.add_listener
def on_test_stop(environment: Environment, **_: Any) -> None:
    """Close the run and report it."""
    if command is None or command.session is None:
        return
    session, command.session = command.session, None
    PlannedShape.run = None
    # In a greenlet of its own: where two ways to stop meet, Locust kills the one that is here.
    gevent.spawn(conclude, environment, session, command.reported).join()


def conclude(environment: Environment, session: Session, reported: Event) -> None:
    """Finish and report a run, and set the exit code."""
    environment.process_exit_code = 1  # Locust only logs what a listener raises, and ends with 0
    try:
        completed = session.finish()
        aloud = sys.stderr if getattr(environment.parsed_options, "json", False) else sys.stdout
        failed = session.report(aloud)
        broken = getattr(environment.shape_class, "failed", False)  # the operator's own shape
        environment.process_exit_code = 0 if completed and not failed and not broken else 1
    finally:
        reported.set()


@events.quitting.add_listener
def on_quitting(environment: Environment, **_: Any) -> None:
    """Locust leaves as soon as the users are gone; the exit code is known after the report.

    On Ctrl-C it has not even stopped them.
    """
    if command is None:
        return
    if command.session is not None and command.session.begun and command.reported.is_set():
        assert environment.runner is not None
        environment.runner.stop()
    command.reported.wait(REPORT_WAIT_S)


@events.quit.add_listener
def on_quit(**_: Any) -> None:
    """The process ends."""
    if command is None:
        return
    command.quit()
    if command.session is not None:
        where = command.session.folder
        print(f"weighbridge: the run in {shown(where)} never began.", file=sys.stderr)


if __name__ == "__main__":
    refuse(OperatorError("this file is for Locust: run weighbridge, or locust -f locustfile.py."))
