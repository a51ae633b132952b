"""One run, on the node that commands it: its folder, its conductor, its end."""

import logging
import subprocess
import sys
import time
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import gevent

from loadshapes.conductor import Conductor, Nodes, start_lead_s
from loadshapes.options import Options, as_dict
from loadshapes.plan import Phase, Plan, stripe
from loadshapes.progress import Progress
from recording import folder as run_folder
from recording.hooks import Inbound
from recording.journal import Journal
from recording.manifest import ROOT, manifest, write_json
from recording.record import RequestRecord
from recording.remains import Remains
from recording.sinks import CsvSink, part_path
from recording.tally import Tally
from tasks.endpoint import Endpoint
from tasks.exchange import Job, Origin, planned_only

STOP_WAIT_S = 10.0
log = logging.getLogger("weighbridge")


class Session:
    """A run from its first to its last line. `pool` and `over` are what its shape asks for."""

    def __init__(
        self,
        plan: Plan,
        options: Options,
        endpoint: Endpoint,
        nodes: Nodes,
        remains: Remains | None = None,
    ) -> None:
        """Make the run's folder, or go on in that of `remains`. Raises OperatorError.

        Nothing is sent before `begin`.
        """
        self._remains = remains
        self.plan = plan
        run_folder.check_output(options.output)
        run_folder.check_output(options.junit, "--junit")
        self.options = options
        self.endpoint = endpoint
        if remains is None:
            self.folder = run_folder.create(options.results, options.run_id)
        else:
            self.folder = Path(options.results).resolve() / options.run_id
        self.tallies: dict[str, Tally] = {phase.name: Tally() for phase in self.plan.phases}
        self.inbound = Inbound(options.run_id, self.folder, self.watch)
        self.progress = Progress(self.tallies, options.currency or endpoint.currency or "")
        self.stopped = ""
        self.watchers: list[Callable[[RequestRecord], None]] = []
        self.began: dict[str, float] = {}  # when each phase began, on our wall clock
        self._seen: dict[str, set[int]] = {phase.name: set() for phase in plan.phases}
        self._nodes = nodes
        self._journal = Journal(self.folder / "events.jsonl")
        self._closed: set[str] = set()
        self.conductor = Conductor(
            self.plan, nodes, self._journal.note, self._progress, self._write_off
        )
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

    @property
    def over(self) -> bool:
        """Whether the plan has been run, or the run was stopped."""
        return self.conductor.finished

    def begin(self) -> None:
        """Write the manifest, open the run on every generator, start the conductor."""
        alive = self._nodes.admit()
        self.conductor.generators = max(1, len(alive))
        made = manifest(
            self.options.run_id,
            options=as_dict(self.options),
            plan=self.plan.as_dicts(),
            base_url=self.endpoint.base_url,
            simulated=self.endpoint.simulated,
            currency=self.options.currency or self.endpoint.currency,
            workers=len(alive),
        )
        if self._remains is not None:
            made = self._remains.manifest
            known = {phase["name"] for phase in made["plan"]}
            made["plan"] += [p for p in self.plan.as_dicts() if p["name"] not in known]
        write_json(self.folder / "manifest.json", made)
        names = [self._nodes.name(node) for node in alive]
        resumes = self._remains is not None
        self._journal.note(
            "run_start", run_id=self.options.run_id, generators=names, resumed=resumes
        )
        for node in alive:
            self._nodes.send(
                "open",
                {
                    "options": as_dict(self.options),
                    "base_url": self.endpoint.base_url,
                    "simulated": self.endpoint.simulated,
                    "plan": self.plan.as_dicts(),
                    "worker": self._nodes.name(node),
                    "part": self._part(node),
                },
                node,
            )
        self._greenlets = [gevent.spawn(self.conductor.run), gevent.spawn(self.progress.run)]

    def _part(self, node: str) -> str:
        """The name of a generator's part file: an attempt never writes to an earlier one's."""
        again = self._remains.attempts if self._remains is not None else 0
        return self._nodes.name(node) + (f".{again + 1}" if again else "")

    def watch(self, record: RequestRecord) -> None:
        """Every record of the run passes here once."""
        for see in self.watchers:
            see(record)
        tally = self.tallies.get(record.phase)
        if tally is not None:
            tally.add(record)
            if self.conductor.generators > 1:
                self._seen[record.phase].add(record.request_index)

    def receive(self, kind: str, node: str, data: dict[str, Any]) -> None:
        """A message of a generator's: for the conductor, or its last rows."""
        if "parcel" in data:
            self.shipped(node, data["parcel"])
        if kind == "closed":
            self._closed.add(node)
        else:
            self.conductor.receive(kind, node, data)

    def shipped(self, node: str, parcel: Mapping[str, Any]) -> None:
        """Rows of a worker's, with one of its messages or reports."""
        self.inbound.accept(self._nodes.name(node), parcel)

    def drain(self) -> None:
        """Stop sending, let every generator finish what is in flight, and take its last rows."""
        by_hand = not self.conductor.finished
        if by_hand and not self.plan.endless:
            self.stopped = "stopped before the plan was complete"
            phase = getattr(self.conductor.phase, "name", None)
            self._journal.note("stopped", phase=phase, reason="the run was stopped by hand")
        if not self.plan.endless:  # else its conductor hears of the end from the generators
            self._end_greenlets()
        wait_s = min(self.options.timeout, STOP_WAIT_S) if by_hand else 1.0
        asked = set(self._nodes.alive())
        for node in asked:
            gevent.spawn(self._nodes.send, "close", {"wait_s": wait_s}, node)
        deadline = time.monotonic() + wait_s + 3
        while not self._closed >= asked & set(self._nodes.alive()):
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
        self._journal.note("run_end", completed=completed, foreign_rows=self.inbound.foreign)
        self._journal.close()
        self.inbound.close()
        return completed

    def report(self) -> int:
        """Summarize, report and judge the run in a process of its own; its exit code."""
        command = [sys.executable, "-m", "analysis", "report", str(self.folder), "--print"]
        command += ["--lang", self.options.lang, f"--fail-on={self.options.fail_on}"]
        for name in ("output", "junit"):
            if path := getattr(self.options, name):
                command += [f"--{name}", str(Path(path).resolve())]
        return subprocess.run(command, cwd=ROOT, stdin=subprocess.DEVNULL).returncode

    def _write_off(self, phase: Phase, slot: int, slots: int) -> None:
        """Record as dropped what a lost generator left unsent, as far as we know.

        Its own part file may know better: where a row exists twice, the finished one counts.
        """
        origin = Origin(self.options.run_id, "master", self.endpoint.key)
        sink = CsvSink(part_path(self.folder, "master"))
        for index in stripe(phase.count or 0, slot, slots):
            if index not in self._seen[phase.name]:
                due = phase.due_s(index)
                job = Job(phase, index, 0.0, due, lambda: None)
                record = planned_only(job, origin, "its generator was lost")
                sink.add(record)
                self.watch(record)
        sink.close()

    def _progress(self, what: str, phase: Phase) -> None:
        if what == "start":
            self.began[phase.name] = time.time() + start_lead_s(phase)
            self.progress.start(phase)
        else:
            self.progress.end(phase)
