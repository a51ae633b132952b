"""Mode vision: are images read? Pure."""

from dataclasses import replace

from loadshapes.modes.mode import Mode
from loadshapes.one_by_one import one_by_one
from loadshapes.phase import Phase
from loadshapes.task_prefix import task_prefix
from settings.options import Options

MODELS = ("GLM-4.6V",)


def plan(options: Options) -> list[Phase]:
    """An image to read, at a small and at a large output budget, per model."""
    budgets = (options.max_tokens,) if options.max_tokens else (64, 512)
    return [
        replace(
            one_by_one(options, "vision", model, budget, count=1),
            name=f"vision/{model}/{budget}",
            target=budget,
            max_tokens=budget,
            task_prefix=task_prefix(options, "vision", model, budget, "run-"),
        )
        for model in options.models or MODELS
        for budget in budgets
    ]


MODE = Mode(
    name="vision",
    place=80,
    question=("are images read?", "图片能否读出"),
    sends=(
        "a picture with known text, at 64 and at 512 output tokens",
        "一张文字已知的图片，输出上限 64 与 512 token",
    ),
    plan=plan,
    example=(),
    page="how-to/vision.md",
    in_full=plan,
)
