"""Mode full: the article's programme, made of other modes. Pure."""

from loadshapes.modes.mode import Mode
from loadshapes.phase import Phase
from loadshapes.plan import Plan
from loadshapes.program import Program, in_order
from recording.errors import OperatorError
from settings import known_modes
from settings.options import Options


def plan(options: Options) -> list[Phase] | Plan:
    """Smoke, ladder, rpm, tpm, cache, tools, reasoning and vision in one run.

    `--model` restricts it to your models, `--parts` to some of its parts.
    """
    from loadshapes.modes import MODES

    parts = list[Plan]()
    for part in chosen_parts(options):
        in_full = MODES[part].in_full
        assert in_full is not None
        planned = in_full(options)
        parts.append(planned if isinstance(planned, Plan) else Plan(tuple(planned)))
    phases = tuple(phase for part in parts for phase in part.phases)
    if not any(part.unfold for part in parts):
        return list(phases)

    def program() -> Program:
        for part in parts:
            yield from part.unfold() if part.unfold else in_order(part.phases)

    return Plan(phases, unfold=program)


def chosen_parts(options: Options) -> tuple[str, ...]:
    """The modes of `--parts`, in the programme's order, otherwise all. Raises OperatorError for
    unknown ones.
    """
    parts = known_modes.parts()
    chosen = [part.strip() for part in options.parts.split(",") if part.strip()]
    for part in chosen:
        if part not in parts:
            raise OperatorError(f"--parts {part} is not a part: use some of {','.join(parts)}.")
    return tuple(part for part in parts if part in chosen) if chosen else parts


MODE = Mode(
    name="full",
    place=90,
    question=("all of these in one run", "一次跑完整套评测"),
    sends=(
        "smoke, ladder, rpm, tpm, cache, tools, reasoning and vision, one after another; "
        "`--quick` shortens it, `--parts ladder,rpm` picks some",
        "依次运行 smoke、ladder、rpm、tpm、cache、tools、reasoning、vision"
        "；`--quick` 缩短，`--parts ladder,rpm` 只跑其中几项",
    ),
    plan=plan,
    example=("--quick", "--steps", "1,10,50"),
    page="how-to/full.md",
)
