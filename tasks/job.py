"""One planned request being sent, and the run it belongs to."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field

from loadshapes.phase import Phase
from recording.cancel import Cancel
from rules import stream_timing
from rules.prices import Prices


@dataclass(slots=True)
class Job:
    """One planned request on its way: its phase, number and times (the clock's seconds).

    `due` None: as soon as a user is free. `gate` is called with the job and blocks until its
    request may be sent; it raises NotSent if it may not be sent any more. (A gate that held its job
    would be a reference cycle, and garbage collection makes other requests late.) `in_flight` is
    known once the gate has opened. `words` is how long a sized prompt is to be, in padding words,
    `prompt_tokens` what a prompt counts at the most, where that is known. `origin` is the run it is
    of: a user that is slow to end may hold it when the next run has begun.

    `arm` is the route it takes (empty: there is but one), `model` what that route calls the
    phase's. `partner` is the other request of its pair, which the same user sends as soon as this
    one has ended. `cancel`: it is drawn to be cancelled on purpose.

    `refusal` is the status and body of a 4xx that answered it. Where it was refused for a field of
    its body and went again (tasks/negotiation.py), `refused_sends` times, its answer is timed from
    its last send, and `due` is later by `moved_s`, the time that the refusals took.
    """

    phase: Phase
    index: int
    began: float
    due: float | None
    gate: Callable[["Job"], None]
    in_flight: int | None = None
    words: int | None = None
    prompt_tokens: int = 0
    origin: "Origin | None" = None
    refusal: tuple[int, bytes] | None = None
    refused_sends: int = 0
    moved_s: float = 0.0
    arm: str = ""
    model: str = ""
    partner: "Job | None" = None
    cancel: Cancel | None = None

    def __post_init__(self) -> None:
        self.arm = self.phase.arm(self.index)
        self.model = self.model or self.phase.model
        cancel = self.phase.cancel
        self.cancel = cancel if cancel is not None and cancel.applies_to(self.number) else None

    @property
    def number(self) -> int:
        """The request's number; both requests of a pair have the same."""
        return self.phase.number(self.index)

    @property
    def task(self) -> tuple[str, int]:
        """What names the job within its run: phase and index."""
        return (self.phase.name, self.index)

    def wait(self) -> None:
        """Block until the request may be sent. Raises NotSent."""
        self.gate(self)


@dataclass(frozen=True, slots=True)
class Origin:
    """The run and process of a job, and the secrets that no row may show; `mute`: nor prompts and
    replies.

    `prices` is the operator's table, for costs that the gateway does not state; `cost_field` where
    it states them, if not in a usual place, `currency`
    the unit of them all (empty: not said). Gaps of streams above `stall_limit_s` are stalls.
    """

    run_id: str
    worker: str
    secret: str | Sequence[str] = field(repr=False)
    mute: bool = False
    prices: Prices | None = None
    cost_field: str = ""
    attempt: int = 1
    stall_limit_s: float = stream_timing.STALL_LIMIT_S
    currency: str = ""
