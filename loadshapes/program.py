"""Plans that unfold: a program yields the next phase and receives the finding of the last one.
Pure.

Most plans are known before the run; their program yields the phases one after another. Some depend
on earlier findings: a token window is sized by its calibration, and a capacity search chooses the
level that the last answers suggest. Written as a generator, such a mode reads from top to bottom,
needs no extra machinery, and can be tested without a network:

    def search(options):
        finding = yield first_phase
        while not good_enough(finding):
            finding = yield next_phase

A resumed run replays its program: phases that an earlier attempt has finished are answered from
their rows.
"""

from collections.abc import (
    Callable,
    Container,
    Generator,
    Iterable,
    Iterator,
    Mapping,
    Sequence,
    Set,
)
from dataclasses import dataclass, field, replace
from itertools import count
from typing import Literal

from loadshapes.finding import Finding
from loadshapes.phase import Phase
from loadshapes.plan import Plan
from loadshapes.schedule import Closed
from loadshapes.token_pacing import CALIBRATION, CALIBRATION_WORDS, Pace, Probe, calibrate
from recording.record import RequestRecord

State = Literal["new", "cut", "over"]
"""The progress of a phase: nothing was sent, some of it was, or it is finished."""

Program = Generator[Phase, Finding, None]
"""Yields phases; every `yield` returns that phase's finding."""


def in_order(phases: Iterable[Phase]) -> Program:
    """The phases in order; a token window gets the pace from its calibration."""
    paces: dict[str, Pace | None] = {}
    for phase in phases:
        if phase.paced and phase.pace is None:
            phase = replace(phase, pace=paces.get(phase.model))
        finding = yield phase
        if phase.scenario == CALIBRATION:
            paces[phase.model] = pace_of(finding)


def changed(program: Program, change: Callable[[Phase], Phase]) -> Program:
    """The program with a change applied to every phase."""
    try:
        phase = next(program)
        while True:
            phase = program.send((yield change(phase)))
    except StopIteration:
        return


def changed_plan(plan: Plan, change: Callable[[Phase], Phase]) -> Plan:
    """The plan with a change applied to every phase, also to those that it unfolds later."""
    unfold = plan.unfold
    again = None if unfold is None else lambda: changed(unfold(), change)
    return replace(plan, phases=tuple(map(change, plan.phases)), unfold=again)


def pace_of(finding: Finding) -> Pace | None:
    """The pace from the answered probes of a calibration phase; None: it cannot be determined."""
    return calibrate(
        [
            Probe(
                CALIBRATION_WORDS[row.request_index],
                row.prompt_tokens,
                row.total_tokens,
                row.elapsed_sec or 0.0,
            )
            for row in finding.records
            if row.success
        ]
    )


def probed(
    program: Program, seen_kinds: Iterable[tuple[str, str]] = (), sent: Container[str] = ()
) -> Program:
    """The program with one request ahead of the first phase of a kind that sends several at once.

    A budget reserves by the most expensive request of the same kind; before one was seen, requests
    of that kind are sent one at a time, and a burst would not be a burst. `seen_kinds` are kinds
    (model, request) known from an earlier attempt at the run, `sent` the names of its phases: no
    probe is sent twice.
    """
    seen_kinds = set(seen_kinds)
    try:
        phase = next(program)
        while True:
            kind = (phase.model, phase.request)
            name = f"probe/{phase.model}/{phase.request}"
            if kind not in seen_kinds and phase.users > 1 and name not in sent:
                yield replace(
                    phase,
                    name=name,
                    mode="probe",
                    scenario="probe",
                    schedule=Closed(1),
                    users=1,
                    target=None,
                    task_prefix=f"{phase.task_prefix}probe-",
                    climb=None,
                    pause_after_s=0.0,
                    watched=False,
                    paced=False,
                    pace=None,
                    skip=(),
                )
            seen_kinds.add(kind)
            phase = program.send((yield phase))
    except StopIteration:
        return


@dataclass(frozen=True, slots=True)
class Past:
    """The results of earlier attempts at a run.

    `finished`: by phase, the indices that were sent; `over`: the phases that reached their own end;
    `ended`: those that the stop rule ended or left out; `records`: the rows by phase; `windows`:
    restart interrupted windows. `last_use`: when the last of a phase's requests was in flight, Unix
    seconds; None: never.
    """

    finished: Mapping[str, Set[int]] = field(default_factory=dict)
    ended: Set[str] = frozenset()
    records: Callable[[str], Sequence[RequestRecord]] = lambda phase: ()
    windows: bool = False
    over: Set[str] = frozenset()
    last_use: Callable[[str], float | None] = lambda phase: None

    def state(self, phase: Phase) -> State:
        """The progress of a phase."""
        finished = self.finished.get(phase.name, set())
        if phase.name in self.ended or (phase.count is not None and len(finished) >= phase.count):
            return "over"
        if _is_window(phase) and phase.name in self.over:
            return "over"  # its unsent requests are not sent any more
        if phase.ends_on and self.last_use(phase.name) is not None:
            return "cut"
        return "cut" if finished else "new"


def _is_window(phase: Phase) -> bool:
    """Whether it is measured over time, so that its second half alone would measure nothing."""
    return phase.kind == "arrivals" or phase.count is None


def left_of(phase: Phase, past: Past) -> Phase | None:
    """The rest of a phase that is left to send; None: nothing.

    A counted phase sends what it has not sent yet, apart from what it skips anyway. The second half
    of an interrupted window (or uncounted phase) measures nothing: the window is left as it is, or
    with `past.windows` restarted under another name, and under yet another if that was interrupted
    too. Phases that run until they are refused are not restarted, because earlier requests may
    still count against the limit.
    """
    for turn in _turns(phase):
        state = past.state(turn)
        if state == "over":
            return None
        if state == "new":
            return turn
        if not _is_window(phase):
            skip = {*phase.skip, *past.finished.get(phase.name, ())}
            sent = phase.count is not None and skip >= {*range(phase.count)}
            return None if sent else replace(phase, skip=tuple(sorted(skip)))
        if not past.windows or phase.ends_on:
            return None
    raise AssertionError("there is always a turn that has not begun")


def measured(phase: Phase, past: Past) -> Phase:
    """The phase itself, or its last restart."""
    known = phase
    for turn in _turns(phase):
        if past.state(turn) == "new":
            break
        known = turn
        if not _is_window(phase) or past.state(turn) == "over":
            break
    return known


def _turns(phase: Phase) -> Iterator[Phase]:
    """A window and its restarts: `.../again`, `.../again-2`, ..."""
    yield phase
    for number in count(1):
        mark = "again" if number == 1 else f"again-{number}"
        yield replace(phase, name=f"{phase.name}/{mark}", task_prefix=f"{phase.task_prefix}{mark}-")


def resumed(program: Program, past: Past) -> Program:
    """The program with finished phases answered from their rows; only the rest is yielded.

    A pause that was interrupted is kept: it ends when it would have ended, and restarts after a
    request whose end is unknown.
    """
    pause_s, since = 0.0, None  # the pause before the phase, and its begin where that is past
    try:
        phase = next(program)
        while True:
            rest, known = left_of(phase, past), measured(phase, past)
            if rest is not None:
                rest = _after_pause(rest, pause_s, since, past.last_use(rest.name))
            before = tuple(past.records(known.name)) if phase.watched else ()
            if rest is None:
                halted = "the stop rule ended it" if known.name in past.ended else ""
                cut = past.state(known) == "cut"
                finding = Finding(phase, before, halted, cut=cut)
            elif rest.name != phase.name:
                finding = replace((yield rest), phase=phase)
            else:
                finding = yield rest
                finding = replace(finding, phase=phase, records=(*before, *finding.records))
            pause_s, since = (
                phase.pause_after_s,
                past.last_use(known.name) if rest is None else None,
            )
            phase = program.send(finding)
    except StopIteration:
        return


def _after_pause(
    phase: Phase, pause_s: float, since: float | None, last_use: float | None
) -> Phase:
    """The phase, to begin no earlier than `pause_s` after any request of an earlier attempt."""
    uses = [use for use in (since, last_use) if use is not None]
    if not pause_s or not uses:
        return phase
    return replace(
        phase, not_before_unix_s=max(max(uses) + pause_s, phase.not_before_unix_s or 0.0)
    )
