"""The result of a phase, for the program that planned it. Pure."""

from collections.abc import Sequence
from dataclasses import dataclass

from loadshapes.phase import Phase
from recording.record import RequestRecord


@dataclass(frozen=True, slots=True)
class Finding:
    """The result of a phase. `records` are its rows if the phase is `watched`, otherwise empty.

    `halted` is the reason for an early end (empty: there was none); `loop_lag_max_s` is the worst
    stall of a generator's event loop, seconds (None: unknown). `t0_unix_s` is when it began, on the
    wall clock of the node that commands (None: in an earlier attempt at the run). `cut`: an earlier
    attempt was interrupted during it, so its rows measure nothing.
    """

    phase: Phase
    records: Sequence[RequestRecord] = ()
    halted: str = ""
    loop_lag_max_s: float | None = None
    t0_unix_s: float | None = None
    cut: bool = False
