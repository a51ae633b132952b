"""One run on the commanding node: its folder, its conductor, its end."""

import logging
import time
from collections.abc import Callable
from contextlib import closing
from dataclasses import replace
from pathlib import Path

import gevent

from engine.body_changes import BodyChanges
from engine.budget import RunBudget
from engine.conductor import Conductor, Nodes, start_lead_s
from engine.did_you_mean import Doubt
from engine.estimate import by_calibration, estimate_said
from engine.in_flight import by_its_files, in_hand, rows_of_lost
from engine.index_set import Indices
from engine.interrupted import InterruptedRun
from engine.messages import Address, Changed, Close, Closed, Done, OfRun, Open, WaitsForBudget
from engine.phase_share import PhaseShare, Run
from engine.precision import PrecisionWatch
from engine.progress import Progress
from engine.remaining_plan import left_to_run
from engine.run_manifest import RunManifest, opening, place_of
from loadshapes.finding import Finding
from loadshapes.phase import Phase
from loadshapes.plan import Plan
from loadshapes.token_pacing import CALIBRATION
from recording import folder as run_folder
from recording.body_change import BodyChange
from recording.csv_sink import CsvSink, part_path
from recording.event_log import EventLog
from recording.events import (
    BodyChanged,
    Doubtful,
    Event,
    NotSent,
    RunEnd,
    RunStart,
    Stopped,
    Uncalibrated,
    WorkerLate,
)
from recording.manifest import written_by_us
from recording.not_sent import Unsent
from recording.reasons import Reason
from recording.record import RequestRecord
from recording.recorder import Inbound, Parcel, unwritable
from recording.row_notes import clause
from recording.tally import Tally
from rules.budget import MONEY, TOKENS
from settings.endpoint import Endpoint
from settings.money import tariff
from settings.options import Options
from tasks.job import Origin

STOP_WAIT_S = 10.0
MAY_SEND_S = 12.0
"""A generator whose link is cut may send for so long: its last report may be 3 s old, and it ends
by itself when its master has been silent for 8 s (nodes.MASTER_SILENT_S)."""
log = logging.getLogger("weighbridge")


class Session:
    """A run from its first to its last event. Its shape uses `pool` and `over`."""

    def __init__(
        self,
        plan: Plan,
        options: Options,
        endpoint: Endpoint,
        nodes: Nodes,
        remains: InterruptedRun | None = None,
        given: Options | None = None,
        reference: Endpoint | None = None,
    ) -> None:
        """Make the run's folder, or go on in that of `remains`; nothing is sent before `begin`.

        `options` are those of the run, `given` as the operator gave them (None: the same). Raises
        OperatorError.
        """
        self._remains = remains
        self._attempt = 1 if remains is None else remains.attempts + 1
        self.options = options
        self._given = given or options
        self.objectives = options.objectives()
        self.budget = RunBudget.of(
            options.budget,
            options.budget_tokens,
            remains.spent if remains else None,
            remains.budgets if remains else None,
        )
        self.plan, program = left_to_run(plan, options, self.budget, remains)
        run_folder.check_output(options.output)
        run_folder.check_output(options.junit, "--junit")
        self.endpoint, self.reference = endpoint, reference
        self.doubts: tuple[Doubt, ...] = ()  # what the look before the run made doubtful
        self.tariff = tariff(options, endpoint, remains.manifest if remains else None)
        if remains is None:
            self.folder = run_folder.create(options.results, options.run_id)
        else:
            self.folder = Path(options.results).resolve() / options.run_id
        self.tallies: dict[str, Tally] = {phase.name: Tally() for phase in self.plan.phases}
        self.inbound = Inbound(options.run_id, self.folder, self.watch)
        currency = self.tariff.currency or ""
        self.progress = Progress(self.tallies, currency, options.lang, resumed=remains is not None)
        self.stopped = ""
        # Called with each record, with what was not sent, with each event, with each planned phase:
        self.watchers: list[Callable[[RequestRecord], None]] = []
        self.on_unsent: list[Callable[[Unsent], None]] = []
        self.noted: list[Callable[[Event], None]] = []
        self.decided: list[Callable[[Phase], None]] = []
        self.began: dict[str, float] = {}  # when each phase began, on our wall clock
        self._heard: dict[str, float] = {}  # when each generator last said something, wall clock
        self._came_back = {phase.name: Indices() for phase in plan.phases}
        self._nodes = nodes
        self._event_log = EventLog(self.folder / "events.jsonl")
        self._closed: set[str] = set()
        self._manifest: RunManifest | None = None
        self._watched: list[RequestRecord] = []
        self.conductor = Conductor(
            program,
            next((phase.users for phase in self.plan.phases), 1),
            self.budget,
            nodes,
            self,
            {p.climb for p in plan.phases if remains and p.name in remains.ended and p.climb},
        )
        if remains is not None:
            self.conductor.body_changes = BodyChanges(remains.manifest)
        if options.precision_ms:
            watch = PrecisionWatch(
                options.precision_ms / 1000, lambda: self.conductor.phase, self.conductor.enough
            )
            self.watchers.append(watch.add)
        self._greenlets: list[gevent.Greenlet[..., None]] = []

    @property
    def pool(self) -> int:
        """Users to spawn: what the plan needs, a whole number for each generator."""
        return self._spread(self.plan.users)

    @property
    def step_pool(self) -> int:
        """Users that the highest step so far needs."""
        return self._spread(self.conductor.users)

    def _spread(self, users: int) -> int:
        generators = self.conductor.generators or max(1, len(self._nodes.admit()))
        return -(-users // generators) * generators

    def budget_left(self) -> dict[str, float]:
        """What is left of each limited unit: less what the running phase's rows have used."""
        phase = self.conductor.phase
        running = self.tallies.get(phase.name, Tally()) if phase is not None else Tally()
        used = {MONEY: running.cost or 0.0, TOKENS: float(running.total_tokens)}
        left_by_unit = {unit: self.budget.remaining(unit) for unit in self.budget.limits}
        return {
            unit: known - used[unit] for unit, known in left_by_unit.items() if known is not None
        }

    @property
    def over(self) -> bool:
        """Whether the plan has been run to its end; a stop by hand is Locust's to carry out."""
        return self.conductor.finished and not self.stopped

    @property
    def begun(self) -> bool:
        """Whether generators take part in it."""
        return self.conductor.generators > 0

    def begin(self) -> None:
        """Write the manifest, open the run on every generator, start the conductor."""
        alive = self._nodes.admit()
        self.conductor.generators = max(1, len(alive))
        content = opening(
            self.options,
            self._given,
            self.plan,
            endpoint=self.endpoint,
            reference=self.reference,
            tariff=self.tariff,
            objectives=self.objectives,
            workers=len(alive),
        )
        if self.plan.traffic is not None:
            for note in self.plan.traffic.notes:
                log.warning("your own traffic: %s", clause(note, int(self.options.lang == "zh")))
        if self._remains is not None:
            content = written_by_us(self._remains.manifest)
        for phase in self.plan.phases:
            self._enter(phase)
        self._manifest = RunManifest(self.folder, content, self.plan.phases)
        names = [self._nodes.name(node) for node in alive]
        resumes = self._remains is not None
        self.note(RunStart(run_id=self.options.run_id, generators=tuple(names), resumed=resumes))
        for doubt in self.doubts:
            self.note(Doubtful(kind=doubt.kind, asked=doubt.asked, near=doubt.near))
        for node in alive:
            opened = Open(
                options=self.options,
                gateway=Address.of(self.endpoint),
                reference=None if self.reference is None else Address.of(self.reference),
                worker=self._nodes.name(node),
                part=self._part(node),
                attempt=self._attempt,
                prices=self.tariff.plain,
                currency=self.tariff.currency or "",
                # Workers need not have the file: its text travels.
                traffic=self.plan.traffic.text if self.plan.traffic else "",
            )
            self._nodes.send(opened, node)
        estimated = estimate_said(self.plan, self.options, self.tariff.prices)
        log.info("%s", estimated.zh if self.options.lang == "zh" else estimated.en)
        self._greenlets = [gevent.spawn(self.conductor.run), gevent.spawn(self.progress.run)]
        self._greenlets[0].link_exception(self._conductor_failed)

    def _conductor_failed(self, greenlet: "gevent.Greenlet[..., None]") -> None:
        """A fault of our own must not leave a run waiting for ever."""
        self.conductor.fail(
            f"a fault of our own ended the run: {greenlet.exception!r}", Reason.FAULT
        )
        self.conductor.finished = True

    def _part(self, node: str) -> str:
        """The name of a generator's part file: an attempt never writes to an earlier one's."""
        return self._nodes.name(node) + (f".{self._attempt}" if self._attempt > 1 else "")

    def watch(self, record: RequestRecord) -> None:
        """Every record of the run passes here once."""
        for see in self.watchers:
            see(record)
        phase, tally = self.conductor.phase, self.tallies.get(record.phase)
        if phase is not None and phase.watched and record.phase == phase.name:
            self._watched.append(record)
        if tally is not None:
            tally.add(record)
            if record.worker != "local":
                self._came_back[record.phase].add(record.request_index)

    def receive(self, node: str, message: OfRun) -> None:
        """A message of a generator's: for the conductor, or its last rows.

        What an earlier run still sends says nothing about this one.
        """
        if message.run_id not in ("", self.options.run_id):
            log.warning("a message of run %s came after its end", message.run_id)
            return
        self._heard[node] = time.time()
        if isinstance(message, Done | Closed) and message.parcel is not None:
            self.shipped(node, message.parcel)
        match message:
            case Closed():
                self._closed.add(node)
            case WaitsForBudget():
                if self.conductor.phase is not None:
                    self.tallies[self.conductor.phase.name].waited_for_budget = True
            case Changed():
                self._note_body(node, message.change)
            case _:
                if isinstance(message, Done):
                    for unsent in message.unsent:
                        self._leave(unsent)
                self.conductor.receive(node, message)

    def _leave(self, unsent: Unsent) -> None:
        """Write down what a generator did not send of a phase, and tell whoever counts."""
        self.note(NotSent(phase=unsent.phase, unsent=unsent))
        self.tallies.setdefault(unsent.phase, Tally()).leave(unsent)
        for see in self.on_unsent:
            see(unsent)

    def _note_body(self, node: str, change: BodyChange) -> None:
        """A generator changed its bodies after a refusal: record it, unless it is known."""
        if not self.conductor.body_changes.add(change):
            return
        self.note(BodyChanged(phase=change.phase, generator=self._nodes.name(node), change=change))
        if self._manifest is not None:
            self._manifest.change_bodies(self.conductor.body_changes.known)

    def joined(self, node: str) -> None:
        """A worker has connected; if the run has begun, it gets nothing before the next one."""
        if self.conductor.generators and node not in self._nodes.alive():
            log.warning("generator %s came late: it waits for the next run", node)
            self.note(WorkerLate(worker=node))

    def shipped(self, node: str, parcel: Parcel) -> None:
        """Rows of a worker's, with one of its messages or reports."""
        self._heard[node] = time.time()
        try:
            self.inbound.accept(self._part(node), parcel)
        except OSError as error:
            self.conductor.fail(unwritable(Path(error.filename), error))

    def drain(self) -> None:
        """Stop sending, let every generator finish what is in flight, and take its last rows."""
        by_hand = not self.conductor.finished
        if by_hand and not self.plan.endless:
            self.stopped = "stopped before the plan was complete"
            phase = getattr(self.conductor.phase, "name", None)
            self.note(Stopped(phase=phase, reason=Reason.STOPPED_BY_HAND))
        if not self.plan.endless:  # else its conductor hears of the end from the generators
            self._end_greenlets()
        wait_s = min(self.options.timeout, STOP_WAIT_S) if by_hand else 1.0
        nodes = set(self._nodes.alive())
        for node in nodes:
            gevent.spawn(self._nodes.send, Close(wait_s), node)
        deadline = time.monotonic() + wait_s + 3
        while not self._closed >= nodes & set(self._nodes.alive()):
            if time.monotonic() > deadline:
                log.warning("not every generator answered before the run was closed")
                break
            gevent.sleep(0.02)
        gevent.joinall(self._greenlets[:1], timeout=1.0)
        self._end_greenlets()

    def _end_greenlets(self) -> None:
        gevent.killall(self._greenlets, block=False)
        self.conductor.finished = True

    def finish(self) -> bool:
        """Close the files and write the report; whether the plan was completed."""
        completed = self.conductor.completed and not self.stopped
        if self.budget.limits:
            self.conductor.settle()
            self.note(self.budget.accounts())
        self.note(RunEnd(completed=completed, foreign_rows=self.inbound.foreign))
        self._event_log.close()
        self.inbound.close()
        return completed

    def note(self, event: Event) -> None:
        """Write an event down."""
        self._event_log.write(event)
        for see in self.noted:
            see(event)

    def generator_lost(self, phase: Phase, node: str, slot: int, slots: int) -> None:
        """Record what becomes of the requests of a generator that stays lost, as far as we know."""
        share = PhaseShare(Run(self.options, self._origin(node)), 0, phase, 0.0, slot, slots)
        known = by_its_files(phase, share, self.folder, self._part(node))
        if known is None:
            began = self.began[phase.name]
            until_s = self._heard.get(node, began) + MAY_SEND_S - began
            elapsed_s = max(self._heard.values(), default=began) - began
            known = [*in_hand(phase, share, self._came_back[phase.name], until_s, elapsed_s)]
        master = "master" if self._attempt == 1 else f"master.{self._attempt}"
        with closing(CsvSink(part_path(self.folder, master))) as sink:
            for record in rows_of_lost(phase, known, self._origin("master")):
                sink.add(record)
                self.watch(record)
        for unsent in share.unsent:
            self._leave(unsent)

    def _origin(self, node: str) -> Origin:
        """Who writes rows: a generator, or `master` for those of one that was lost."""
        name = node if node == "master" else self._nodes.name(node)
        secrets = [*self.endpoint.secrets, *(self.reference.secrets if self.reference else ())]
        return Origin(self.options.run_id, name, secrets, attempt=self._attempt)

    def phase_planned(self, phase: Phase) -> None:
        """Have a phase in the plan and the manifest before it is run."""
        self._watched.clear()
        self._enter(phase)
        if self._manifest is not None:
            self._manifest.enter(phase, self._begun)
        if phase.paced and phase.pace is None:
            self.note(Uncalibrated(phase=phase.name, reason=Reason.UNCALIBRATED))
            log.warning("%s: %s", phase.name, Reason.UNCALIBRATED.clause.en)

    def phase_started(self, phase: Phase) -> None:
        """Show it, and keep when it begins."""
        self.began[phase.name] = time.time() + start_lead_s(phase)
        self.progress.start(phase)

    def phase_ended(self, phase: Phase) -> None:
        """Show that it is over."""
        self.progress.end(phase)

    def _enter(self, phase: Phase) -> None:
        """Have a phase in the plan and in the tallies."""
        self.tallies.setdefault(phase.name, Tally())
        self._came_back.setdefault(phase.name, Indices())
        phases = list(self.plan.phases)
        if phase.name not in [known.name for known in phases]:
            phases.insert(place_of([known.name for known in phases], self._begun), phase)
            self.plan = replace(self.plan, phases=tuple(phases))
            for see in self.decided:
                see(phase)

    @property
    def _begun(self) -> set[str]:
        """The names of the phases that have begun, by any attempt at the run."""
        before = self._remains.finished if self._remains is not None else {}
        return self.began.keys() | before.keys()

    def finding(self, phase: Phase, halted: str, loop_lag_max_s: float | None) -> Finding:
        """What a phase showed, for the program that planned it."""
        rows = sorted(self._watched, key=lambda record: record.request_index)
        if phase.scenario == CALIBRATION and (summary := by_calibration(rows, self.plan)):
            log.info("%s: %s", phase.name, summary)
        return Finding(phase, tuple(rows), halted, loop_lag_max_s)
