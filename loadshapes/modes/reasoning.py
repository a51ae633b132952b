"""Mode reasoning: is reasoning text kept apart? Pure."""

from loadshapes.modes.mode import Mode
from loadshapes.one_by_one import one_by_one
from loadshapes.phase import Phase
from settings.options import Options

MODELS = (
    "gemini-3.1-pro-preview",
    "claude-sonnet-4.6",
    "claude-sonnet-4.6-thinking",
    "gpt-5.4-nano",
    "gpt-5.4-nano-high",
)


def plan(options: Options) -> list[Phase]:
    """A question that invites reasoning, once plain and once streamed, per model."""
    return [
        one_by_one(
            options, "reasoning", model, 64,
            scenario=scenario, plain="plain", count=1, stream=scenario == "stream",
        )
        for model in options.models or MODELS
        for scenario in ("plain", "stream")
    ]  # fmt: skip


MODE = Mode(
    name="reasoning",
    place=70,
    question=("is reasoning text kept apart?", "reasoning 字段是否分开"),
    sends=("one question per model, plain and streamed", "每个模型一个问题，非流式与流式各一次"),
    plan=plan,
    example=(),
    page="how-to/reasoning.md",
    in_full=plan,
)
