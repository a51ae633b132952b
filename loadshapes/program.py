"""A plan that unfolds: a program yields the next phase, and is sent what the last one found. Pure.

Most plans are known before the run; their program yields the phases one after another. Some must
look before they go on: a token window is sized by what its calibration found, a capacity search
goes to the level that the last answers suggest. Written as a generator, such a mode reads from top
to bottom, needs no machinery of its own, and is tested without a network:

    def search(options):
        finding = yield first_phase
        while not good_enough(finding):
            finding = yield next_phase

A resumed run replays its program: what an earlier attempt has finished is answered from its rows.
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
from loadshapes.schedule import Closed
from loadshapes.token_pacing import CALIBRATION, CALIBRATION_WORDS, Pace, Probe, calibrate
from recording.record import RequestRecord

State = Literal["new", "cut", "over"]
"""How far a phase has come: nothing of it was sent, some of it, or it is finished."""

Program = Generator[Phase, Finding, None]
"""Yields phases; every `yield` returns that phase's finding."""


def in_order(phases: Iterable[Phase]) -> Program:
    """The phases as they stand; a token window gets the pace that its calibration found."""
    paces: dict[str, Pace | None] = {}
    for phase in phases:
        if phase.paced and phase.pace is None:
            phase = replace(phase, pace=paces.get(phase.model))
        finding = yield phase
        if phase.scenario == CALIBRATION:
            paces[phase.model] = pace_of(finding)


def changed(program: Program, change: Callable[[Phase], Phase]) -> Program:
    """The program with every phase changed before it is run."""
    try:
        phase = next(program)
        while True:
            phase = program.send((yield change(phase)))
    except StopIteration:
        return


def pace_of(finding: Finding) -> Pace | None:
    """The pace that the answered probes of a calibration phase show; None: none can be told."""
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
    program: Program, seen: Iterable[tuple[str, str]] = (), sent: Container[str] = ()
) -> Program:
    """The program with one request ahead of the first phase of a kind that sends several at once.

    A budget reserves by the dearest request of the same kind; before one was seen, requests of that
    kind go one at a time, and a burst would be none. `seen` are kinds (model, request) of which an
    earlier attempt at the run has told, `sent` the names of its phases: no probe goes twice.
    """
    seen = set(seen)
    try:
        phase = next(program)
        while True:
            kind = (phase.model, phase.request)
            name = f"probe/{phase.model}/{phase.request}"
            if kind not in seen and phase.users > 1 and name not in sent:
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
            seen.add(kind)
            phase = program.send((yield phase))
    except StopIteration:
        return


@dataclass(frozen=True, slots=True)
class Past:
    """What earlier attempts at a run have done.

    `finished`: by phase, the indices that were sent; `over`: the phases that came to their own end;
    `ended`: those that the stop rule ended or left out; `records`: by phase, its rows; `windows`:
    begin interrupted windows anew. `last_use`: when the last of a phase's requests was in flight,
    Unix seconds; None: none ever was.
    """

    finished: Mapping[str, Set[int]] = field(default_factory=dict)
    ended: Set[str] = frozenset()
    records: Callable[[str], Sequence[RequestRecord]] = lambda phase: ()
    windows: bool = False
    over: Set[str] = frozenset()
    last_use: Callable[[str], float | None] = lambda phase: None

    def state(self, phase: Phase) -> State:
        """How far a phase has come."""
        done = self.finished.get(phase.name, set())
        if phase.name in self.ended or (phase.count is not None and len(done) >= phase.count):
            return "over"
        if _is_window(phase) and phase.name in self.over:
            return "over"  # what it did not send was not to be sent any more
        if phase.ends_on and self.last_use(phase.name) is not None:
            return "cut"
        return "cut" if done else "new"


def _is_window(phase: Phase) -> bool:
    """Whether it is measured by time: its second half alone would measure nothing."""
    return phase.kind == "arrivals" or phase.count is None


def left_of(phase: Phase, past: Past) -> Phase | None:
    """What is left to send of a phase; None: nothing.

    A counted phase sends what it has not sent yet. A window (or an uncounted phase) that was
    interrupted measures nothing by its second half: it is left as it is, or with `past.windows`
    begun anew under another name, and under yet another where that was interrupted too. Not so one
    that goes on until it is refused: what was sent of it may count against the limit still.
    """
    for turn in _turns(phase):
        state = past.state(turn)
        if state == "over":
            return None
        if state == "new":
            return turn
        if not _is_window(phase):
            return replace(phase, skip=tuple(sorted(past.finished[phase.name])))
        if not past.windows or phase.ends_on:
            return None
    raise AssertionError("there is always a turn that was not begun")


def measured(phase: Phase, past: Past) -> Phase:
    """The phase itself, or the last that was begun anew for it."""
    known = phase
    for turn in _turns(phase):
        if past.state(turn) == "new":
            break
        known = turn
        if not _is_window(phase) or past.state(turn) == "over":
            break
    return known


def _turns(phase: Phase) -> Iterator[Phase]:
    """A window, and the names under which it begins anew: `.../again`, `.../again-2`, ..."""
    yield phase
    for number in count(1):
        mark = "again" if number == 1 else f"again-{number}"
        yield replace(phase, name=f"{phase.name}/{mark}", task_prefix=f"{phase.task_prefix}{mark}-")


def resumed(program: Program, past: Past) -> Program:
    """The program with what is finished answered from its rows, and only the rest yielded.

    A pause that the run was cut off in is kept: it ends when it would have ended, and after a
    request of which nobody knows how it ended it begins anew.
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


def _after_pause(phase: Phase, pause_s: float, since: float | None, own: float | None) -> Phase:
    """The phase, begun no sooner than `pause_s` after any request of an earlier attempt."""
    uses = [use for use in (since, own) if use is not None]
    if not pause_s or not uses:
        return phase
    return replace(
        phase, not_before_unix_s=max(max(uses) + pause_s, phase.not_before_unix_s or 0.0)
    )
