"""Which test, on which models, at what load and for how long. Pure."""

from dataclasses import dataclass
from functools import partial

from settings.option import option
from settings.whole_numbers import whole_numbers

WINDOWS = ("rpm", "tpm", "soak", "capacity")
CANCELLED = ("rpm", "tpm", "ladder", "soak", "capacity", "interactive", "replay")
"""The load modes in which some requests can be cancelled on purpose; in mode full its parts."""
MIXED = ("rpm", "ladder", "soak")
"""The load modes that may mix probes of identity into their requests."""

_load = partial(option, group="load")


@dataclass(frozen=True, kw_only=True)
class Load:
    """Which test, on which models, at what load and for how long."""

    mode: str = _load("", "which test to run")
    model: str = _load("", "model, or several separated by commas")
    target: str = _load(
        "", "target RPM, or TPM in mode tpm; several separated by commas", modes=WINDOWS
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
        "most requests in flight at once in a window; in mode interactive, most users",
        modes=(*WINDOWS, "interactive", "replay", "limits"),
        above=0,
    )
    stream: bool = _load(
        False, "ask for streamed replies", modes=(*WINDOWS, "ladder", "interactive", "replay")
    )
    cancel_after: str = _load(
        "",
        "cancel some requests, as impatient users do, after 3chunks, 500ms, or 0chunks (before the "
        "first token); docs/how-to/cancel.md",
        modes=CANCELLED,
        sent=True,
    )
    cancel_share: float = _load(
        0.1,
        "with --cancel-after: the share of requests that are cancelled; --seed decides which",
        modes=CANCELLED,
        sent=True,
        above=0,
        at_most=0.9,
    )
    identity_share: float = _load(
        0.0,
        "share of the requests that are replaced by probes, which show whether answers or token "
        "counts change under load, e.g. 0.02 (0: none); docs/how-to/identity.md",
        modes=MIXED,
        in_full=False,
        sent=True,
        at_least=0,
        at_most=0.5,
    )
    arrivals: str = _load(
        "constant",
        "how requests are spaced: evenly, or as a Poisson process (seeded)",
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
        "how prompts are sized: from probes and from the usage that replies state, or by the "
        "arithmetic of the article's script",
        choices=("calibrated", "seed"),
        modes=("rpm", "tpm"),
        sent=True,
    )
    grace: float = _load(
        -1.0,
        "how long after a window late requests are still sent, seconds (-1: as long as --timeout)",
        modes=(*WINDOWS, "replay", "limits"),
        seconds=True,
        sent=True,
    )
    warmup: float = _load(
        0.0,
        "seconds at the start of every window that its numbers leave out; their rows are kept",
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
        "how long each step's concurrency is held, seconds (0: each step is one burst)",
        modes=("ladder",),
        seconds=True,
        at_least=0,
    )
    search: str = _load(
        "rate",
        "unit of the targets and of the search: requests per minute, or requests at once",
        choices=("rate", "concurrency"),
        modes=("capacity", "soak"),
    )
    precision: float = _load(
        0.1,
        "end the search when the lowest level that missed the objectives is this close to the "
        "highest that met them, as a share of the latter",
        modes=("capacity",),
        above=0,
    )
    trials: int = _load(20, "most windows per model", modes=("capacity",), above=0)
    limits_most: int = _load(
        1000, "most requests in one attempt to reach a limit", modes=("limits",), above=0
    )
    quick: bool = _load(
        False,
        "shorten the run: 10 s windows, only the higher target of each, short pauses",
        modes=("full",),
    )
    parts: str = _load(
        "",
        "which of its modes to run, e.g. ladder,rpm, always in the usual order (empty: all)",
        modes=("full",),
    )
    seed: int = _load(0, "seed of every random choice")
    resume: str = _load(
        "",
        "folder of an interrupted run to continue: only what is missing is sent",
        anew=True,
        web=False,
    )
    resume_windows: bool = _load(
        False, "with --resume: repeat interrupted windows from their start", anew=True, web=False
    )
    dry_run: bool = _load(
        False, "print the plan and the most that it can use, and send nothing", web=False
    )

    @property
    def models(self) -> tuple[str, ...]:
        """The models of `--model`, in order."""
        return tuple(name.strip() for name in self.model.split(",") if name.strip())

    @property
    def targets(self) -> tuple[int, ...]:
        """The numbers of `--target`. Raises OperatorError unless they are whole and above 0."""
        return whole_numbers("target", self.target)

    @property
    def ladder(self) -> tuple[int, ...]:
        """The numbers of `--steps`. Raises OperatorError unless they are whole and above 0."""
        return whole_numbers("steps", self.steps)
