"""How long a run still takes, about. Pure."""

from collections.abc import Sequence

from engine.estimate import ANSWER_S
from loadshapes.phase import Phase
from recording.tally import Tally


def time_left_s(
    running: Phase | None, passed_s: float, tally: Tally, to_come: Sequence[Phase],
    answer_s: float | None,
) -> float | None:  # fmt: skip
    """Seconds until the phases that are known are over; None: nobody knows, as by hand.

    A window takes its own time; a count of requests goes on as fast as so far (`tally` after
    `passed_s`), and what has not begun takes `answer_s` an answer, or ANSWER_S where none is known.
    """
    each_s = ANSWER_S if answer_s is None else answer_s
    left_s = 0.0
    if running is not None:
        if running.kind == "manual":
            return None
        done = tally.done + tally.dropped
        if running.duration_s is not None:
            left_s = max(0.0, running.duration_s - passed_s)
        elif running.count and done:
            left_s = max(0.0, passed_s / done * (running.count - done))
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
    """How long a phase takes that has not begun."""
    if phase.duration_s is not None:
        return phase.duration_s + each_s
    return (1 if phase.kind == "burst" else (phase.count or 0)) * each_s
