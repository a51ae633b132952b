"""An interrupted run: its options, and the requests that need not be sent again."""

import time
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path

from loadshapes.plan import Plan
from recording import formats
from recording.errors import InputError, OperatorError
from recording.events import (
    Accounts,
    Ended,
    Event,
    Failed,
    PhaseEnd,
    PhaseSkipped,
    PhaseStart,
    Refused,
    RunStart,
    RunTripped,
    Stopped,
    StopRule,
    WorkerBack,
    WorkerLost,
    typed,
)
from recording.in_flight_file import orphans
from recording.json_files import json_of, read_bytes
from recording.lost_rows import lost_rows
from recording.manifest_content import Manifest
from recording.outcome import ENDED_BY_US, FREE, ON_PURPOSE, Outcome
from recording.part_file import rows
from recording.reasons import Reason
from recording.record import RequestRecord
from rules.budget import MONEY, TOKENS, Budget
from settings.options import Options
from settings.resume import AGAIN

CUTS = (Stopped, Ended, Failed, StopRule, RunTripped, Refused)
"""What cut a phase short before its end."""
_USED = {MONEY: "api_cost", TOKENS: "total_tokens"}


@dataclass(frozen=True, slots=True)
class InterruptedRun:
    """`finished`: by phase, the indices that got an answer or failed; `attempts`: runs so far.

    `over`: the phases that came to their own end; `ended`: those that the stop rule ended or left
    out; `watched`: the rows of the phases whose program looks at them; `spent`: money and tokens,
    what no row states at its worst; `budgets` know by unit what requests used; `last_rows`: by
    phase, the time of its last row, ISO 8601; `unanswered`: the phases of which requests were in
    flight when an attempt ended.
    """

    manifest: Manifest
    finished: dict[str, set[int]]
    ended: set[str]
    attempts: int
    watched: dict[str, list[RequestRecord]] = field(default_factory=dict)
    spent: dict[str, float] = field(default_factory=dict)
    over: set[str] = field(default_factory=set)
    budgets: dict[str, Budget] = field(default_factory=dict)
    last_rows: dict[str, str] = field(default_factory=dict)
    unanswered: set[str] = field(default_factory=set)

    def last_use(self, phase: str) -> float | None:
        """When the last of a phase's requests was in flight, Unix seconds; None: none ever was.

        Now, where one was that nobody knows the end of: the gateway may be at it still.
        """
        now = time.time()
        if phase in self.unanswered:
            return now
        at = self.last_rows.get(phase)
        return None if at is None else min(now, datetime.fromisoformat(at).timestamp())

    def records_of(self, phase: str) -> list[RequestRecord]:
        """The rows of a watched phase, by index."""
        return sorted(self.watched.get(phase, ()), key=lambda record: record.request_index)


def read(folder: Path) -> InterruptedRun:
    """Read a run folder. Raises OSError or ValueError if it is not one, or cannot be read.

    A row that cannot be read is an error that names its file and line: nobody knows whether it was
    paid for. Only a torn last one counts as unfinished, for the process died while it wrote.
    """
    try:
        return _read(folder)
    except (AttributeError, KeyError, TypeError) as error:
        raise ValueError(f"its files are not a run's ({type(error).__name__}: {error})") from None


def _read(folder: Path) -> InterruptedRun:
    manifest: Manifest = json_of(_bytes(folder / "manifest.json"))
    made_by = formats.needs(manifest)
    try:
        formats.check(manifest.get("schema_version"), made_by)
    except formats.FormatError as error:
        raise ValueError(f"it {error}") from None
    lines = _bytes(folder / "events.jsonl").split(b"\n")[:-1]  # the last may be torn
    events = [typed(json_of(line)) for line in lines]
    finished: dict[str, set[int]] = {}
    observed = {p["name"] for p in manifest["plan"] if p.get("watched")}
    watched: dict[str, list[RequestRecord]] = {}
    kinds = {p["name"]: str(p.get("request", "")) for p in manifest["plan"]}
    bill, unsettled = _Bill(kinds), set[tuple[str, int, int | None]]()
    last_rows, unanswered = dict[str, str](), set[str]()
    parts = sorted(folder.glob("requests-*.csv"))
    for path in parts:
        for row in rows(path, made_by):
            known = finished.setdefault(row.phase, set())
            if row.outcome != Outcome.DROPPED:
                last_rows[row.phase] = max(last_rows.get(row.phase, ""), row.timestamp)
            if row.outcome in ENDED_BY_US:
                key = (row.phase, row.request_index, row.attempt)
                if row.outcome != Outcome.DROPPED and key not in unsettled:
                    unsettled.add(key)
                    unanswered.add(row.phase)
                    bill.add(row)
                continue
            if row.request_index in known:
                continue  # a worker's row may be here twice
            known.add(row.request_index)
            bill.add(row)
            if row.phase in observed:
                watched.setdefault(row.phase, []).append(row)
    for row in lost_rows(orphans(folder), str(manifest.get("run_id", "")), manifest["plan"]):
        unanswered.add(row.phase)
        if (row.phase, row.request_index, row.attempt) not in unsettled:
            bill.add(row)
    ended = {e.phase for e in events if e.phase and _ended_by_rule(e)}
    spent = bill.spent()
    for event in events:
        if isinstance(event, Accounts):  # they know the worst case of each, and of lost workers
            for unit, sum_ in spent.items():
                account = event.unit(unit)
                spent[unit] = max(sum_, account.spent if account else 0.0)
    begun = sum(isinstance(event, RunStart) for event in events)
    attempts = max([begun, *map(_attempt, parts)])
    return InterruptedRun(
        manifest, finished, ended, attempts, watched, spent, _over(events), bill.budgets,
        last_rows, unanswered,
    )  # fmt: skip


def _bytes(path: Path) -> bytes:
    try:
        return read_bytes(path)
    except InputError as error:
        raise InputError(f"{path.name} {error}") from None


def _ended_by_rule(event: Event) -> bool:
    """Whether the stop rule ended a phase or had it left out; one that was refused may be let in
    by now. (Of a phase left out, 0.1 did not always say why: it was the stop rule.)"""
    if isinstance(event, PhaseSkipped):
        return event.why in (None, Reason.CLIMB_ENDED)
    return isinstance(event, StopRule)


def _over(events: Sequence[Event]) -> set[str]:
    """The phases that came to their own end: nobody stopped them, and no generator was lost.

    Version 1 does not say in `phase_end` what cut it short: what came before it does.
    """
    over: set[str] = set()
    cut, lost = False, set[str | None]()
    for event in events:
        match event:
            case PhaseStart():
                cut, lost = False, set()
            case WorkerLost():
                lost.add(event.worker)
            case WorkerBack():
                lost.discard(event.worker)
            case PhaseEnd(phase=str(name)):
                if not (event.cut if event.cut is not None else cut or lost):
                    over.add(name)
            case kind if isinstance(kind, CUTS):
                cut = True
    return over


def _attempt(part: Path) -> int:
    """Which attempt at the run wrote a part file: `requests-local.3.csv` is of the third."""
    number = part.stem.removesuffix("@master").rpartition(".")[2]
    return int(number) if number.isascii() and number.isdigit() else 1


class _Bill:
    """What rows used, by unit; one that does not say may have used the most of its model's."""

    def __init__(self, kinds: Mapping[str, str]) -> None:
        self.budgets = {unit: Budget.of(unit, 0.0) for unit in _USED}
        self._kinds = kinds  # what is asked for, by phase
        self._known = dict.fromkeys(_USED, 0.0)
        self._most: dict[tuple[str, str], float] = {}
        self._unknown: Counter[tuple[str, str]] = Counter()

    def add(self, row: RequestRecord) -> None:
        for unit, name in _USED.items():
            key, used = (unit, row.model_requested), getattr(row, name)
            if used is not None and used >= 0 and row.outcome not in ON_PURPOSE:
                self._known[unit] += used
                self._most[key] = max(self._most.get(key, 0.0), used)
                if row.phase in self._kinds:
                    kind = (row.model_requested, self._kinds[row.phase])
                    self.budgets[unit].learn(kind, row, used)
            elif row.outcome not in FREE:
                self._unknown[key] += 1

    def spent(self) -> dict[str, float]:
        """The sums."""
        spent = dict(self._known)
        for (unit, model), count in self._unknown.items():
            spent[unit] += count * self._most.get((unit, model), 0.0)
        return spent


def check_same_plan(plan: Plan, options: Options, manifest: Manifest) -> None:
    """Check that a plan is the one the run began with. Raises OperatorError.

    A phase under a new name would be sent and paid for again.
    """
    before = manifest["plan"]
    digests = {phase.get("traffic", "") for phase in before}
    if plan.traffic is not None and plan.traffic.digest not in digests:
        raise OperatorError(
            f"--resume {options.resume}: {options.prompts or options.trace} is not the file that "
            "the run sent: restore the file, or start a new run."
        )
    if plan.outlook is not None:  # its phases are decided while it runs
        return
    names, kinds = {p.name for p in plan.phases}, {p.mode for p in plan.phases}
    unplanned = [
        phase["name"]
        for phase in before
        if phase.get("mode") in kinds and AGAIN.sub("", phase["name"]) not in names
    ]
    if unplanned := [name for name in unplanned if name not in names]:
        raise OperatorError(
            f"--resume {options.resume}: this version plans that run differently "
            f"({', '.join(unplanned)}), and would pay for some of it twice: use the version that "
            "made it, or start a new run."
        )
