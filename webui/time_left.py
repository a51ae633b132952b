"""Estimates how long a run will still take. Pure."""

from collections.abc import Sequence

from engine.estimate import ANSWER_S
from loadshapes.phase import Phase
from recording.tally import Tally


def time_left_s(
    running: Phase | None, passed_s: float, tally: Tally, to_come: Sequence[Phase],
    answer_s: float | None,
) -> float | None:  # fmt: skip
    """Seconds until the known phases are over; None if unknown, as in manual runs.

    A window takes its own length; a count of requests continues at its rate so far (`tally` after
    `passed_s`), and phases to come take `answer_s` per answer, or ANSWER_S if that is unknown.
    """
    each_s = ANSWER_S if answer_s is None else answer_s
    left_s = 0.0
    if running is not None:
        if running.kind == "manual":
            return None
        finished = tally.done + tally.dropped
        if running.duration_s is not None:
            left_s = max(0.0, running.duration_s - passed_s)
        elif running.count and finished:
            left_s = max(0.0, passed_s / finished * (running.count - finished))
        else:
            left_s = max(0.0, _alone_s(running, each_s) - passed_s)
        left_s += running.pause_after_s if to_come else 0.0
    for place, phase in enumerate(to_come):
        if phase.kind == "manual":
            return None
        left_s += _alone_s(phase, each_s)
        left_s += phase.pause_after_s if place + 1 < len(to_come) else 0.0
    return left_s


def _alone_s(phase: Phase, each_s: float) -> float:
    """How long a phase that has not begun will take."""
    if phase.duration_s is not None:
        return phase.duration_s + each_s
    return (1 if phase.kind == "burst" else (phase.count or 0)) * each_s
