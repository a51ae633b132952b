"""What a phase found, for the program that planned it. Pure."""

from collections.abc import Sequence
from dataclasses import dataclass

from loadshapes.phase import Phase
from recording.record import RequestRecord


@dataclass(frozen=True, slots=True)
class Finding:
    """What a phase found. `records` are its rows, where the phase is `watched`, else empty.

    `halted` says why it ended early (empty: it did not); `loop_lag_max_s` is the worst stall of a
    generator's event loop, seconds (None: unknown). `t0_unix_s` is when it began, on the wall clock
    of the node that commands (None: by an earlier attempt at the run). `cut`: an earlier attempt
    was interrupted in it, so its rows measure nothing.
    """

    phase: Phase
    records: Sequence[RequestRecord] = ()
    halted: str = ""
    loop_lag_max_s: float | None = None
    t0_unix_s: float | None = None
    cut: bool = False
