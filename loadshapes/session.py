"""One run, on the node that commands it: its folder, its conductor, its end."""

import logging
import subprocess
import sys
import time
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import gevent

from loadshapes.conductor import Conductor, Nodes
from loadshapes.options import Options, as_dict
from loadshapes.plan import Phase, Plan, stripe
from recording import folder as run_folder
from recording.hooks import Inbound
from recording.journal import Journal
from recording.manifest import ROOT, manifest, write_json
from recording.record import RequestRecord
from recording.sinks import CsvSink, part_path
from recording.tally import Tally
from tasks.endpoint import Endpoint
from tasks.exchange import Job, Origin, planned_only

PROGRESS_EVERY_S = 5.0
STOP_WAIT_S = 10.0
log = logging.getLogger("weighbridge")


class Session:
    """A run from its first to its last line. `pool` and `over` are what its shape asks for."""

    def __init__(self, plan: Plan, options: Options, endpoint: Endpoint, nodes: Nodes) -> None:
        """Make the run's folder. Raises OperatorError; nothing is sent before."""
        self.plan = plan
        run_folder.check_output(options.output)
        self.options = options
        self.endpoint = endpoint
        self.folder = run_folder.create(options.results, options.run_id)
        self.tallies: dict[str, Tally] = {phase.name: Tally() for phase in self.plan.phases}
        self.inbound = Inbound(options.run_id, self.folder, self.watch)
        self.stopped = ""
        self._seen: dict[str, set[int]] = {phase.name: set() for phase in plan.phases}
        self._nodes = nodes
        self._journal = Journal(self.folder / "events.jsonl")
        self._closed: set[str] = set()
        self._phase_began = 0.0
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
        write_json(
            self.folder / "manifest.json",
            manifest(
                self.options.run_id,
                options=as_dict(self.options),
                plan=self.plan.as_dicts(),
                base_url=self.endpoint.base_url,
                simulated=self.endpoint.simulated,
                currency=self.options.currency or self.endpoint.currency,
                workers=len(alive),
            ),
        )
        names = [self._nodes.name(node) for node in alive]
        self._journal.note("run_start", run_id=self.options.run_id, generators=names)
        for node in alive:
            self._nodes.send(
                "open",
                {
                    "options": as_dict(self.options),
                    "base_url": self.endpoint.base_url,
                    "simulated": self.endpoint.simulated,
                    "worker": self._nodes.name(node),
                },
                node,
            )
        self._greenlets = [gevent.spawn(self.conductor.run), gevent.spawn(self._report_progress)]

    def watch(self, record: RequestRecord) -> None:
        """Every record of the run passes here once."""
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
        if not self.conductor.finished:
            self.stopped = "stopped before the plan was complete"
            phase = getattr(self.conductor.phase, "name", None)
            self._journal.note("stopped", phase=phase, reason="the run was stopped by hand")
        for greenlet in self._greenlets:
            greenlet.kill(block=False)
        self.conductor.finished = True
        wait_s = min(self.options.timeout, STOP_WAIT_S) if self.stopped else 1.0
        asked = set(self._nodes.alive())
        for node in asked:
            gevent.spawn(self._nodes.send, "close", {"wait_s": wait_s}, node)
        deadline = time.monotonic() + wait_s + 3
        while not self._closed >= asked & set(self._nodes.alive()):
            if time.monotonic() > deadline:
                log.warning("not every generator answered before the run was closed")
                break
            gevent.sleep(0.02)

    def finish(self) -> bool:
        """Close the files and write the report; whether the plan was completed."""
        completed = self.conductor.completed and not self.stopped
        self._journal.note("run_end", completed=completed, foreign_rows=self.inbound.foreign)
        self._journal.close()
        self.inbound.close()
        return completed

    def report(self) -> int:
        """Run the analysis in a process of its own; its exit code."""
        command = [sys.executable, "-m", "analysis", "report", str(self.folder)]
        command += ["--lang", self.options.lang]
        if self.options.output:
            command += ["--output", str(Path(self.options.output).resolve())]
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

    # ---- progress

    def _progress(self, what: str, phase: Phase) -> None:
        if what == "start":
            self._phase_began = time.monotonic()
        else:
            log.info("%s", self._line(phase, "done"))

    def _report_progress(self) -> None:
        while True:
            gevent.sleep(PROGRESS_EVERY_S)
            phase = self.conductor.phase
            if phase is not None:
                log.info("%s", self._line(phase, "running"))

    def _line(self, phase: Phase, state: str) -> str:
        tally = self.tallies[phase.name]
        passed_s = max(time.monotonic() - self._phase_began, 0.001)
        over_s = tally.last_done_s if state == "done" and tally.last_done_s else passed_s
        parts = [
            f"{phase.name} {state}",
            f"{tally.done}/{phase.count if phase.count is not None else '?'} answered",
            f"{tally.failed} failed",
            f"{tally.succeeded / over_s * 60:.0f} RPM",
        ]
        if tally.dropped:
            parts.insert(2, f"{tally.dropped} dropped")
        if tally.total_tokens:
            parts.append(f"{tally.total_tokens / over_s * 60:,.0f} TPM")
        known = [t.cost for t in self.tallies.values() if t.cost is not None]
        unit = self.options.currency or self.endpoint.currency or ""
        parts.append(f"cost so far {sum(known):.6f} {unit}".rstrip() if known else "cost unknown")
        if state == "running" and phase.duration_s is not None:
            parts.append(f"{max(0.0, phase.duration_s - passed_s):.0f} s left")
        return ", ".join(parts)
