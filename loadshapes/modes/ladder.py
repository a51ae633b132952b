"""Mode ladder: how many at once? Pure."""

from dataclasses import replace

from loadshapes.article_models import CHEAP, DEAR
from loadshapes.modes.mode import Mode
from loadshapes.phase import Phase
from loadshapes.schedule import Burst, Closed
from loadshapes.task_prefix import task_prefix
from recording.errors import OperatorError
from settings.options import Options

LIGHT_STEP = 20  # the highest step of the article's ladder for an expensive model
QUICK_PAUSE_S = 0.5  # between the steps of mode full with --quick


def plan(options: Options) -> list[Phase]:
    """Steps of rising concurrency per model: each a burst, or with `hold` a sustained load."""
    if not options.ladder:
        raise OperatorError("--steps is empty: name at least one concurrency.")
    return [
        Phase(
            name=f"ladder/{model}/{step}",
            mode="ladder",
            scenario="stream" if options.stream else "chat",
            model=model,
            schedule=Closed(None, options.hold) if options.hold else Burst(step),
            request="marker",
            users=step,
            target=step,
            max_tokens=options.max_tokens or 16,
            stream=options.stream,
            task_prefix=task_prefix(options, "ladder", model, f"c{step}", "req-"),
            climb=f"ladder/{model}",
            pause_after_s=options.step_pause,
        )
        for model in options.models or CHEAP
        for step in options.ladder
    ]


def in_full(options: Options) -> list[Phase]:
    """The article's ladders: every step for the cheap models, only lower ones for an expensive
    model.

    The latter is left out if the operator names models.
    """
    if options.quick:
        options = replace(options, step_pause=min(options.step_pause, QUICK_PAUSE_S))
    light = ",".join(str(step) for step in options.ladder if step <= LIGHT_STEP)
    if options.models or not light:
        return plan(options)
    return [*plan(options), *plan(replace(options, model=DEAR, steps=light))]


MODE = Mode(
    name="ladder",
    place=20,
    question=("how many at once?", "同一时刻能承载多少"),
    sends=(
        "`--steps 1,5,10,20,50,100` requests released at one instant, step by step; `--hold S` "
        "keeps each concurrency up for S seconds",
        "`--steps 1,5,10,20,50,100`，每一档的请求在同一时刻发出；`--hold S` 让每一档并发保持 S 秒",
    ),
    plan=plan,
    example=("--model", "gpt-5.4-nano", "--steps", "1,10,50,100"),
    page="how-to/ladder.md",
    in_full=in_full,
)
