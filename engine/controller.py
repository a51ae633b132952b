"""The commanding node, local or master: turns a requested run into a session, one at a time.

Nothing is sent or written before every operator error is found.
"""

import logging
import os
import secrets
import sys
from collections.abc import Callable, Iterable
from dataclasses import replace
from pathlib import Path

from gevent.event import Event
from locust import LoadTestShape
from locust.env import Environment
from locust.runners import MasterRunner, Runner

from engine import machine_capacity, own_locustfile
from engine.did_you_mean import Doubt
from engine.estimate import estimate_said
from engine.interrupted import InterruptedRun
from engine.interrupted import read as read_remains
from engine.locust_nodes import LocustNodes
from engine.messages import OfRun
from engine.preflight import preflight
from engine.session import Session
from engine.unlisted_models import UnlistedModels
from loadshapes import modes
from loadshapes.judgeable import check_judgeable
from loadshapes.plan import Plan
from loadshapes.shapes import PlannedShape, shape_for
from recording.chinese import in_language
from recording.errors import OperatorError
from recording.folder import new_run_id
from recording.reasons import Reason
from recording.redaction import MARK, SHORTEST
from recording.row_notes import clause
from recording.untrusted_text import lines, printable
from settings.address import masked
from settings.endpoint import EmbeddedSimulator, Endpoint, resolve
from settings.model_names import model_names
from settings.money import table
from settings.option import foreign
from settings.options import Options
from settings.reference import SIMULATOR, of_reference, reference
from settings.resume import going_on, recalled, unknown, with_secrets_given_again, without_unread
from tasks.builders import rehearse

log = logging.getLogger("weighbridge")


class Command:
    """The node that commands runs (local or master): one session at a time."""

    def __init__(self, environment: Environment, runner: Runner) -> None:
        self.environment = environment
        self.nodes = LocustNodes(runner)
        self.nodes.listen(self._receive, self.failed)
        self.session: Session | None = None
        self.opened: list[Callable[[Session], None]] = []  # who wants to see each new run
        self._host = environment.host  # as it was given; what is shown may have less
        self.reported = Event()  # cleared while a run is being stopped and reported
        self.reported.set()
        self.drained = Event()  # cleared while what is in flight is being finished
        self.drained.set()
        self.in_flight: dict[str, int] = {}  # by generator, as they said last
        self.own_shape: LoadTestShape | None = None  # of the locustfile
        self._simulator: EmbeddedSimulator | None = None
        self._second: EmbeddedSimulator | None = None  # of --against simulator
        self._doubts: tuple[Doubt, ...] = ()
        self._reference_doubts: tuple[Doubt, ...] = ()

    def _receive(self, node: str, message: OfRun) -> None:
        if self.session is not None:
            self.session.receive(node, message)

    def failed(self, node: str, error: Exception) -> None:
        """A generator's message could not be processed. A run that waits for it would wait for
        ever, so the run ends.
        """
        log.error("a message of generator %s could not be taken in", node, exc_info=error)
        if self.session is not None:
            why = f"a fault of our own ended the run: {error!r}"
            self.session.conductor.fail(why, Reason.FAULT)
            self.session.conductor.finished = True

    def requested_options(self) -> Options:
        """The options of the requested run, with its own id and task_id prefix."""
        options = Options.of(self.environment.parsed_options).public()
        run_id = options.run_id or new_run_id(options.mode)
        nonce = secrets.token_hex(8) if options.cache_nonce == "fresh" else options.cache_nonce
        prefix = options.task_id_prefix or run_id
        return replace(options, run_id=run_id, task_id_prefix=prefix, cache_nonce=nonce)

    def prepare(self) -> None:
        """Plan a run, find its gateway and make its folder. Raises OperatorError."""
        raw = Options.of(self.environment.parsed_options)
        remains = look_back(raw)
        own_locustfile.check_mode(self.own_shape, raw.mode)
        if remains is None and (mistakes := list(foreign(raw))):
            raise OperatorError(" ".join(mistakes))
        options = self.requested_options() if remains is None else again(raw.public(), remains)
        with_secrets = with_secrets_given_again(options, raw)
        plan = modes.plan(options)
        if modes.MODES[options.mode].one_process and isinstance(
            self.environment.runner, MasterRunner
        ):
            raise OperatorError(
                f"mode {options.mode} runs in one process: leave --master, --worker and "
                "--processes out."
            )
        if remains is not None and not self.environment.host and not options.simulator:
            before = remains.manifest["gateway"]["base_url"]
            # Where its query held a secret, only the operator knows the whole.
            self.environment.host = before if before and MARK not in before else None
        rehearse(plan, options)
        check_judgeable(plan, options)
        if options.dry_run:
            for line in plan.describe().splitlines():
                print(lines(in_language(line, options.lang)))
            for note in plan.traffic.notes if plan.traffic else ():
                text = clause(note, place=options.lang == "zh")
                print(printable(in_language(f"your own traffic: {text}", options.lang)))
            prices = table(options, remains.manifest if remains else None)
            print(printable(in_language(self._gateway_of(with_secrets), options.lang)))
            estimated = estimate_said(plan, options, prices)
            zh, en = f"{estimated.zh}。未发送任何请求。", f"{estimated.en}. Nothing was sent."
            print(printable(zh if options.lang == "zh" else en))
            sys.exit(0)
        if not isinstance(self.environment.runner, MasterRunner):  # its workers see to themselves
            machine_capacity.make_room(options.max_workers if plan.endless else plan.users)
        workers = len(self.nodes.admit()) or 1
        if (warning := machine_capacity.short_of_ports(plan, options, workers)) is not None:
            log.warning("%s", warning)
        objectives = options.objectives()
        if objectives is not None and objectives.blind:
            log.warning(
                "--slo %s limits only times: refused requests are in no percentile; add "
                "success_rate or attainment",
                options.slo,
            )
        models = [phase.model for phase in plan.phases] or options.models
        endpoint = self._endpoint(with_secrets, models)
        log.info("%s", endpoint.named)
        self.environment.host = endpoint.masked_url
        if any(len(one) >= SHORTEST and one in options.extra_body for one in endpoint.secrets):
            raise OperatorError(
                "--extra-body contains a secret that every file of the run would show: put it into "
                "--header."
            )
        compared = self._reference(with_secrets, models) if options.against else None
        session = Session(plan, options, endpoint, self.nodes, remains, raw.public(), compared)
        session.doubts = self._doubts
        unlisted = UnlistedModels(self._doubts, self._reference_doubts)
        session.watchers.append(unlisted.see)
        shape = self._shape(plan, options)
        if shape is not None:
            shape.runner = self.environment.runner
        self.environment.shape_class = shape
        PlannedShape.run = self.session = session
        self.in_flight.clear()
        # Locust would end with 0 where a run never begins, or where a listener of its end raises.
        self.environment.process_exit_code = 1
        for see in self.opened:
            see(session)

    def _shape(self, plan: Plan, options: Options) -> LoadTestShape | None:
        """The shape that sizes the pool: the plan's, the locustfile's own, or (None) a person."""
        if not plan.endless:
            return shape_for(options.mode)
        if self.own_shape is None:
            return None
        return own_locustfile.CappedShape(self.own_shape, self.environment, options.max_workers)

    def gateway(self) -> str | None:
        """Where this server was told to send, if it was told. Raises OperatorError."""
        options = Options.of(self.environment.parsed_options)
        if options.simulator:
            return self._endpoint(options).masked_url
        try:
            return self._resolved(options).masked_url
        except OperatorError:
            # What is wrong is said when a run is asked for; the start form may name a gateway.
            return masked(self.environment.host or "") or None

    def _endpoint(self, options: Options, models: Iterable[str] = ()) -> Endpoint:
        self._doubts = ()
        if not options.simulator:
            endpoint = self._resolved(options)
            self._doubts = preflight(endpoint, options, models)
            for doubt in self._doubts:
                if doubt.kind == "base_url":
                    log.warning("%s", doubt)
            return endpoint
        if self._simulator is None:
            self._simulator = EmbeddedSimulator(options)
        return self._simulator.endpoint

    def _reference(self, options: Options, models: Iterable[str]) -> Endpoint:
        """Where `--against` leads, after the same free look. Raises OperatorError."""
        self._reference_doubts = ()
        if options.against == SIMULATOR:
            if self._second is None:
                self._second = EmbeddedSimulator(
                    of_reference(replace(options, simulator_log="", seed=options.seed + 1))
                )
            return self._second.endpoint
        second_route = reference(options, os.environ)
        log.info("reference: %s", second_route.named)
        named = model_names(options.against_model)
        try:
            doubts = preflight(second_route, options, [named.get(model, model) for model in models])
        except OperatorError as error:
            raise OperatorError(f"--against: {error}") from None
        self._reference_doubts = doubts
        for doubt in doubts:
            if doubt.kind == "base_url":
                log.warning("--against: %s", doubt)
        return second_route

    def _resolved(self, options: Options) -> Endpoint:
        return resolve(self.environment.host, os.environ, options, own_host=self._host)

    def _gateway_of(self, options: Options) -> str:
        """The gateway of a run, or why there is none, in one line."""
        if options.simulator:
            return "gateway: the embedded simulator"
        try:
            return self._resolved(options).named
        except OperatorError as error:
            return f"gateway: not known yet: {error}"

    def quit(self) -> None:
        """End what was started."""
        for simulator in (self._simulator, self._second):
            if simulator is not None:
                simulator.stop()


def look_back(options: Options) -> InterruptedRun | None:
    """What the run of `--resume` left; None without that option. Raises OperatorError."""
    if not options.resume:
        return None
    try:
        return read_remains(Path(options.resume))
    except (OSError, ValueError, KeyError) as error:
        raise OperatorError(
            f"--resume {options.resume} is not a run that can be resumed ({error}): give the "
            "folder of one."
        ) from None


def again(given: Options, remains: InterruptedRun) -> Options:
    """The options of the run that goes on, at its own place. Raises OperatorError."""
    folder = Path(given.resume).resolve()
    stored = remains.manifest.get("options")
    if not isinstance(stored, dict) or not stored.get("mode"):
        raise OperatorError(
            f"--resume {given.resume}: its manifest.json has no options, so it cannot be resumed: "
            "restore the file, or start a new run."
        )
    if no_longer_known := unknown(stored):
        log.warning(
            "--resume: options that no longer exist are left out: %s", ", ".join(no_longer_known)
        )
    before = without_unread(recalled(stored | (remains.manifest.get("drawn") or {}), given))
    return replace(going_on(before, given), results=str(folder.parent), run_id=folder.name)
