"""A mode: one test that can be run, and its properties for the rest of the program. Pure."""

from collections.abc import Callable
from dataclasses import dataclass

from loadshapes.phase import Phase
from loadshapes.plan import Plan
from settings.options import Options

PlanOf = Callable[[Options], list[Phase] | Plan]


@dataclass(frozen=True, slots=True, kw_only=True)
class Mode:
    """One test.

    `place`: its position among the others, in lists and in mode full; places leave gaps.
    `question`: the question it answers, and `sends`: how, in Markdown; each in English and in
    Chinese. `plan`: its phases; the first line of its docstring is the mode's line in `weighbridge
    --help`. It raises OperatorError for options that cannot be run. `example`: a short command line
    after the mode's name, which works on the simulator; `slo.toml` and `trace.jsonl` stand for the
    operator's files. Help shows it, and tests run it. `page`: its page under docs/. `one_process`:
    what it sends depends on whole replies, which workers do not ship to a master. `in_full`: its
    phases in mode full, which runs the phases of every mode that has some. None: it is not part of
    it. `bounded`: every prompt is known beforehand, so its dry run says what it may use at the
    most.
    """

    name: str
    place: int
    question: tuple[str, str]
    sends: tuple[str, str]
    plan: PlanOf
    example: tuple[str, ...]
    page: str
    in_full: PlanOf | None = None
    one_process: bool = False
    bounded: bool = False

    @property
    def about(self) -> str:
        """What the mode does, in one sentence."""
        return (self.plan.__doc__ or "").strip().partition("\n")[0]
