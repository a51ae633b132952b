"""Handles Locust's events: one object, with one method per event.

In every process, users get their generator and rows are recorded; the node that commands (local or
master) also prepares, opens, drains, closes and reports runs.
"""

import logging
import os
import signal
import sys
from collections.abc import Callable
from typing import Any, NoReturn

import gevent
import psutil
from gevent.event import Event
from locust.argument_parser import LocustArgumentParser
from locust.env import Environment
from locust.event import Events
from locust.runners import MasterRunner, Runner, WorkerRunner

from engine import own_locustfile
from engine.analysis_process import report
from engine.controller import Command
from engine.generator import Generator
from engine.locust_nodes import GeneratorNode, Pinned
from engine.messages import decode, encode
from engine.preflight import way
from engine.session import Session
from loadshapes.shapes import PlannedShape, check_by_hand, check_users
from recording.chinese import InChinese, asked_language, in_language
from recording.errors import OperatorError
from recording.folder import from_here
from recording.record import RequestRecord
from recording.recorder import Parcel, Recorder
from recording.untrusted_text import printable
from settings.command_line import add_arguments, answer
from settings.endpoint import Endpoint
from settings.options import Options
from tasks.users import GatewayUser

REPORT_WAIT_S = 600.0  # for the report of a run that was stopped, before the process ends
LOOPBACK = "127.0.0.1"
"""Where the web UI listens unless told otherwise: whoever reaches its form can spend money."""
log = logging.getLogger("weighbridge")

InFlight = Callable[[], int]
Face = Callable[[Environment, Any, Command, InFlight], None]
"""Displays running runs. Raises OperatorError."""


def refuse(error: OperatorError) -> NoReturn:
    """Exit with one sentence and code 2 after an operator error; nothing was sent."""
    _say(str(error))
    sys.exit(2)


def _say(sentence: str) -> None:
    """A sentence of ours on stderr, in the language of the command line."""
    translated = in_language(sentence, asked_language(sys.argv[1:], os.environ))
    print(f"weighbridge: {printable(translated)}", file=sys.stderr, flush=True)


class Control:
    """Answers Locust's events. `web` puts our part on Locust's web UI, `metrics` serves numbers."""

    EVENTS = (
        "init_command_line_parser", "init", "worker_report", "worker_connect", "test_start",
        "test_stopping", "test_stop", "quitting", "quit",
    )  # fmt: skip

    def __init__(self, web: Face, metrics: Face) -> None:
        self._web, self._metrics = web, metrics
        self._command: Command | None = None  # of the node that commands

    def listen(self, events: Events) -> None:
        """Register for every event."""
        for name in self.EVENTS:
            getattr(events, name).add_listener(getattr(self, f"on_{name}"))

    @property
    def session(self) -> Session | None:
        """The current run on the commanding node."""
        return None if self._command is None else self._command.session

    # ---- a process begins

    def on_init_command_line_parser(self, parser: LocustArgumentParser, **_: Any) -> None:
        """Declare our options, and report errors in our own words."""
        add_arguments(Options, parser)
        parser.set_defaults(lang=asked_language((), os.environ))  # of the locale, unless told
        for action in parser._actions:
            if action.dest == "web_host":  # Locust would listen on every interface
                action.default = LOOPBACK
                action.help = f"address of the web UI (default: {LOOPBACK}; '*': all interfaces)"

        def error(message: str) -> NoReturn:
            known = [one for action in parser._actions for one in action.option_strings]
            refuse(OperatorError(answer(message, known)))

        parse = parser.parse_args

        def parse_args(*arguments: Any, **more: Any) -> Any:
            parsed = parse(*arguments, **more)
            try:
                for word in parsed.user_classes:
                    own_locustfile.check_name(word)
            except OperatorError as stray:
                refuse(stray)
            return parsed

        parser.error = error  # type: ignore[method-assign]
        parser.parse_args = parse_args

    def on_init(
        self, environment: Environment, runner: Runner, web_ui: Any = None, **_: Any
    ) -> None:
        """Set up this process: a generator (local, worker), a commander (local, master)."""
        environment.dispatcher_class = Pinned
        if Options.of(environment.parsed_options).lang == "zh":
            log.addFilter(InChinese())
        _quiet_alarms(environment)
        _listen_to_ctrl_c(environment, runner)
        generator = (
            None if isinstance(runner, MasterRunner) else self._generate(environment, runner)
        )
        if isinstance(runner, WorkerRunner):
            return
        self._command = command = Command(environment, runner)
        parsed = environment.parsed_options
        assert parsed is not None
        if parsed.headless and not parsed.print_stats:
            logging.getLogger("locust.stats_logger").disabled = True  # our own summary is exact

        def in_flight() -> int:
            if generator is None:
                return sum(command.in_flight.values())
            return generator.in_flight

        try:
            self._prepare(environment, web_ui, command, in_flight)
        except OperatorError as error:
            _end_all(command)
            refuse(error)
        except Exception:
            log.exception("the run could not be prepared")
            _end_all(command)
            _say("a fault in Weighbridge (see above): nothing was sent.")
            sys.exit(1)
        if parsed.headless:
            # With a shape, Locust installs its own handler only when the shape has ended.
            gevent.signal_handler(signal.SIGTERM, runner.quit)

    def _prepare(
        self, environment: Environment, web_ui: Any, command: Command, in_flight: InFlight
    ) -> None:
        """Start the displays, and prepare the run that the command line asks for."""
        parsed = environment.parsed_options
        assert parsed is not None
        environment.user_classes = own_locustfile.users(environment.user_classes, GatewayUser)
        command.own_shape = own_locustfile.shape(environment)
        if parsed.tags:
            raise OperatorError("--tags finds no task: remove it, --mode chooses what is sent.")
        if web_ui is not None:
            self._web(environment, web_ui, command, in_flight)
        if parsed.metrics_port:
            self._metrics(environment, web_ui, command, in_flight)
        if parsed.headless or parsed.autostart or parsed.dry_run:
            own_locustfile.check_mode(command.own_shape, parsed.mode)
            by_hand = {"-u": parsed.num_users, "-r": parsed.spawn_rate, "-t": parsed.run_time}
            check_by_hand(parsed.mode, by_hand)
            if parsed.mode == "interactive":
                check_users(parsed.num_users, parsed.max_workers)
            command.prepare()

    def _generate(self, environment: Environment, runner: Runner) -> Generator:
        """Record what this process sends; a worker also ships it with Locust's reports."""
        ships = isinstance(runner, WorkerRunner)
        recorder = Recorder(ships=ships, watch=self._watch)
        environment.events.request.add_listener(recorder.on_request)
        node = GeneratorNode(runner, recorder, _enter)
        if ships:

            def on_report(client_id: str, data: dict[str, Any], **_: Any) -> None:
                data["weighbridge"] = encode(recorder.parcel())
                data["weighbridge_in_flight"] = node.generator.in_flight

            environment.events.report_to_master.add_listener(on_report)
        environment.events.quit.add_listener(lambda **_: recorder.close())
        return node.generator

    def _watch(self, record: RequestRecord) -> None:
        if self.session is not None:
            self.session.watch(record)

    # ---- what workers say

    def on_worker_report(self, client_id: str, data: dict[str, Any], **_: Any) -> None:
        """Rows that a worker shipped."""
        command, session = self._command, self.session
        if command is None or session is None or "weighbridge" not in data:
            return
        try:
            session.shipped(client_id, decode(Parcel, data["weighbridge"]))
        except Exception as error:  # Locust only logs it, and the rows would be missed in silence
            command.failed(client_id, error)
        command.in_flight[client_id] = data.get("weighbridge_in_flight", 0)

    def on_worker_connect(self, client_id: str, **_: Any) -> None:
        """A worker has connected, perhaps too late for the current run."""
        if self.session is not None:
            self.session.joined(client_id)

    # ---- a run

    def on_test_start(self, environment: Environment, **_: Any) -> None:
        """The pool is about to be spawned: open the run."""
        session = self.session
        if session is None:
            return
        try:
            session.begin()
        except Exception as error:  # Locust would log it, and wait for a run that never begins
            why = getattr(error, "strerror", None)
            if why is None:
                log.exception("the run could not begin")
            folder = from_here(session.folder)
            log.error("the run cannot be recorded in %s: %s", folder, why or error)
            session.conductor.finished = True
            if environment.shape_class is None:  # nothing else would end it
                assert environment.runner is not None
                headless = getattr(environment.parsed_options, "headless", True)
                gevent.spawn(environment.runner.quit if headless else environment.runner.stop)

    def on_test_stopping(self, environment: Environment, **_: Any) -> None:
        """Fired first in every way of stopping, and may block: finish the requests in flight."""
        command, session = self._command, self.session
        if command is None or session is None:
            return
        if not command.drained.is_set():  # two ways to stop at once: one drain serves both
            command.drained.wait(REPORT_WAIT_S)
            return
        command.drained.clear()
        command.reported.clear()
        try:
            session.drain()
        finally:
            command.drained.set()

    def on_test_stop(self, environment: Environment, **_: Any) -> None:
        """Close the run and report it."""
        command, session = self._command, self.session
        if command is None or session is None:
            return
        command.session = PlannedShape.run = None
        # In a greenlet of its own: where two ways to stop meet, Locust kills the one that is here.
        gevent.spawn(_conclude, environment, session, command.reported).join()

    # ---- a process ends

    def on_quitting(self, environment: Environment, **_: Any) -> None:
        """Locust exits as soon as the users are gone, but the exit code is known only after the
        report.

        On Ctrl-C it has not even stopped them.
        """
        command, session = self._command, self.session
        if command is None:
            return
        if session is not None and session.begun and command.reported.is_set():
            assert environment.runner is not None
            environment.runner.stop()
        command.reported.wait(REPORT_WAIT_S)

    def on_quit(self, **_: Any) -> None:
        """The process ends."""
        if self._command is None:
            return
        self._command.quit()
        if (session := self.session) is not None:
            folder = printable(from_here(session.folder))
            _say(f"the run in {folder} never began.")


def _quiet_alarms(environment: Environment) -> None:
    """Suppress Locust's spawn-rate warning: our shapes spawn the whole pool before traffic
    begins.
    """
    logging.getLogger("locust.runners").addFilter(
        lambda record: (
            environment.shape_class is None or "spawn rate is very high" not in record.getMessage()
        )
    )


def _end_all(command: Command) -> None:
    """End the processes that were started for a run that cannot begin."""
    command.quit()
    for child in psutil.Process().children():  # workers of --processes
        child.terminate()


def _listen_to_ctrl_c(environment: Environment, runner: Runner) -> None:
    """Direct Ctrl-C to the main greenlet of the commanding node only.

    Python would raise it in whichever greenlet runs just then; and a terminal sends it to the
    workers of --processes too, whose requests in flight the master wants finished first.
    """
    forked = getattr(environment.parsed_options, "processes", None) and "--worker" not in sys.argv
    if isinstance(runner, WorkerRunner) and forked:
        gevent.signal_handler(signal.SIGINT, log.debug, "the master ends the run")
    else:
        gevent.signal_handler(signal.SIGINT, gevent.kill, gevent.getcurrent(), KeyboardInterrupt)


def _enter(generator: Generator, endpoint: Endpoint, reference: Endpoint | None) -> None:
    """Give the users that are about to be spawned their generator and endpoints."""
    GatewayUser.generator = generator
    GatewayUser.endpoint = endpoint
    GatewayUser.route = way(endpoint)
    GatewayUser.reference = reference
    GatewayUser.reference_route = None if reference is None else way(reference)


def _conclude(environment: Environment, session: Session, reported: Event) -> None:
    """Finish and report a run, and set the exit code."""
    environment.process_exit_code = 1  # Locust only logs what a listener raises, and ends with 0
    try:
        completed = session.finish()
        aloud = sys.stderr if getattr(environment.parsed_options, "json", False) else sys.stdout
        failed = report(session.folder, session.options, aloud)
        broken = getattr(environment.shape_class, "failed", False)  # the operator's own shape
        nothing = session.conductor.nothing_sent
        if nothing and completed:
            _say("no request was sent; the report says why.")
        good = completed and not (failed or broken or nothing)
        environment.process_exit_code = 0 if good else 1
    finally:
        reported.set()
