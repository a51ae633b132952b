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

from collections.abc import Callable, Generator, Iterable, Mapping, Sequence, Set
from dataclasses import dataclass, field, replace

from loadshapes.pacing import CALIBRATION, CALIBRATION_WORDS, Pace, Probe, calibrate
from loadshapes.plan import Phase
from recording.record import RequestRecord


@dataclass(frozen=True, slots=True)
class Finding:
    """What a phase found. `records` are its rows, where the phase is `watched`, else empty.

    `halted` says why it ended early (empty: it did not); `loop_lag_max_s` is the worst stall of a
    generator's event loop, seconds (None: unknown). `t0_unix_s` is when it began, on the wall clock
    of the node that commands (None: by an earlier attempt at the run).
    """

    phase: Phase
    records: Sequence[RequestRecord] = ()
    halted: str = ""
    loop_lag_max_s: float | None = None
    t0_unix_s: float | None = None


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


def probed(program: Program) -> Program:
    """The program with one request ahead of the first phase of a kind that sends several at once.

    A budget reserves by the dearest request of the same kind; before one was seen, requests of that
    kind go one at a time, and a burst would be none.
    """
    seen: set[tuple[str, str]] = set()
    try:
        phase = next(program)
        while True:
            kind = (phase.model, phase.request)
            if kind not in seen and phase.users > 1:
                yield replace(
                    phase,
                    name=f"probe/{phase.model}/{phase.request}",
                    mode="probe",
                    scenario="probe",
                    kind="steady",
                    users=1,
                    count=1,
                    duration_s=None,
                    target=None,
                    task_prefix=f"{phase.task_prefix}probe-",
                    climb=None,
                    pause_after_s=0.0,
                    watched=False,
                    poisson="",
                    times_s=(),
                    paced=False,
                    pace=None,
                )
            seen.add(kind)
            phase = program.send((yield phase))
    except StopIteration:
        return


@dataclass(frozen=True, slots=True)
class Past:
    """What earlier attempts at a run have done.

    `finished`: by phase, the indices that were sent; `ended`: the phases that the stop rule ended
    or left out; `records`: by phase, its rows; `windows`: begin interrupted windows anew.
    """

    finished: Mapping[str, Set[int]] = field(default_factory=dict)
    ended: Set[str] = frozenset()
    records: Callable[[str], Sequence[RequestRecord]] = lambda phase: ()
    windows: bool = False


def left_of(phase: Phase, past: Past) -> Phase | None:
    """What is left to send of a phase; None: nothing.

    A counted phase sends what it has not sent yet. A window (or an uncounted phase) that was
    interrupted measures nothing by its second half: it is left as it is, or with `past.windows`
    begun anew under another name.
    """
    done = past.finished.get(phase.name, set())
    if phase.name in past.ended or (phase.count is not None and len(done) >= phase.count):
        return None
    if not done:
        return phase
    if phase.kind == "arrivals" or phase.count is None:
        if not past.windows:
            return None
        again = f"{phase.task_prefix}again-"
        return replace(phase, name=f"{phase.name}/again", task_prefix=again)
    return replace(phase, skip=tuple(sorted(done)))


def resumed(program: Program, past: Past) -> Program:
    """The program with what is finished answered from its rows, and only the rest yielded."""
    try:
        phase = next(program)
        while True:
            rest = left_of(phase, past)
            before = tuple(past.records(phase.name)) if phase.watched else ()
            if rest is None:
                finding = Finding(phase, before)
            else:
                finding = yield rest
                finding = replace(finding, phase=phase, records=(*before, *finding.records))
            phase = program.send(finding)
    except StopIteration:
        return
