"""Which test, on which models, how much and for how long. Pure."""

from dataclasses import dataclass
from functools import partial

from settings.option import option
from settings.whole_numbers import whole_numbers

WINDOWS = ("rpm", "tpm", "soak", "capacity")
CANCELLED = ("rpm", "ladder", "soak", "capacity", "interactive", "replay")
"""The load modes of which some requests can be cancelled on purpose. (A token rate is counted by
what answers state: not tpm.)"""

_load = partial(option, group="load")


@dataclass(frozen=True, kw_only=True)
class Load:
    """Which test, on which models, how much and for how long."""

    mode: str = _load("", "which test to run")
    model: str = _load("", "model, or several with commas between")
    target: str = _load(
        "", "target RPM, or TPM in mode tpm; several with commas between", modes=WINDOWS
    )
    duration: float = _load(
        60.0, "length of a window, seconds", modes=WINDOWS, seconds=True, above=0
    )
    max_tokens: int = _load(
        0,
        "output budget of a request, tokens (0: the mode's own)",
        not_modes=("compat",),
        at_least=0,
    )
    max_workers: int = _load(
        200,
        "most requests in flight at once in a window, and users in mode interactive",
        modes=(*WINDOWS, "interactive", "replay", "limits"),
        above=0,
    )
    stream: bool = _load(
        False, "ask for streamed replies", modes=(*WINDOWS, "ladder", "interactive", "replay")
    )
    cancel_after: str = _load(
        "",
        "cancel some requests as an impatient user does: 3chunks, 500ms, or 0chunks (before the "
        "first token); docs/how-to/cancel.md",
        modes=CANCELLED,
        in_full=False,
        sent=True,
    )
    cancel_share: float = _load(
        0.1,
        "with --cancel-after: the share of the requests, drawn from the seed",
        modes=CANCELLED,
        in_full=False,
        sent=True,
        above=0,
        at_most=0.9,
    )
    arrivals: str = _load(
        "constant",
        "evenly spaced requests, or those of a Poisson process (seeded)",
        choices=("constant", "poisson"),
        modes=WINDOWS,
        sent=True,
    )
    approx_prompt_tokens: int = _load(
        4000,
        "prompt size that the plan assumes, tokens",
        modes=("rpm", "tpm", "limits"),
        sent=True,
        above=0,
    )
    tpm_plan: str = _load(
        "calibrated",
        "prompts sized by probes and by what answers state, or the seed's arithmetic",
        choices=("calibrated", "seed"),
        modes=("rpm", "tpm"),
        sent=True,
    )
    grace: float = _load(
        -1.0,
        "seconds after a window in which late requests still go (-1: the timeout)",
        modes=(*WINDOWS, "replay", "limits"),
        seconds=True,
        sent=True,
    )
    warmup: float = _load(
        0.0,
        "leave the first seconds of every window out of its numbers; their rows are kept",
        modes=(*WINDOWS, "ladder", "replay"),
        seconds=True,
        sent=True,
        at_least=0,
    )
    steps: str = _load("1,5,10,20,50,100", "concurrency of each step", modes=("ladder",))
    step_pause: float = _load(
        2.0, "pause between steps, seconds", modes=("ladder", "capacity"), seconds=True, at_least=0
    )
    hold: float = _load(
        0.0,
        "keep each step's concurrency up for this many seconds (0: one burst)",
        modes=("ladder",),
        seconds=True,
        at_least=0,
    )
    search: str = _load(
        "rate",
        "by requests a minute, or by requests at once",
        choices=("rate", "concurrency"),
        modes=("capacity", "soak"),
    )
    precision: float = _load(
        0.1,
        "how close the missed level must come to the met one, a share of it",
        modes=("capacity",),
        above=0,
    )
    trials: int = _load(20, "most windows per model", modes=("capacity",), above=0)
    limits_most: int = _load(
        1000, "most requests of one attempt to reach the limit", modes=("limits",), above=0
    )
    quick: bool = _load(
        False, "10 s windows, only the higher target of each, short pauses", modes=("full",)
    )
    parts: str = _load(
        "",
        "which of its modes to run, e.g. ladder,rpm, in its own order (empty: all)",
        modes=("full",),
    )
    seed: int = _load(0, "seed of every random choice")
    resume: str = _load(
        "", "folder of an interrupted run: send what it has not sent", anew=True, web=False
    )
    resume_windows: bool = _load(
        False, "with --resume: begin interrupted windows anew", anew=True, web=False
    )
    dry_run: bool = _load(False, "print the plan and what it may use, and send nothing", web=False)

    @property
    def models(self) -> tuple[str, ...]:
        """The models of `--model`, in order."""
        return tuple(name.strip() for name in self.model.split(",") if name.strip())

    @property
    def targets(self) -> tuple[int, ...]:
        """The numbers of `--target`; OperatorError if they are not whole and above 0."""
        return whole_numbers("target", self.target)

    @property
    def ladder(self) -> tuple[int, ...]:
        """The numbers of `--steps`; OperatorError if they are not whole and above 0."""
        return whole_numbers("steps", self.steps)
