"""Mode tools: do tool calls work? Pure."""

from loadshapes.modes.mode import Mode
from loadshapes.one_by_one import one_by_one
from loadshapes.phase import Phase
from settings.options import Options

MODELS = ("gpt-5.4-nano", "gpt-5.4-mini", "claude-sonnet-4.6")


def plan(options: Options) -> list[Phase]:
    """A tool call, `repeat` times per model."""
    return [one_by_one(options, "tools", model, 256) for model in options.models or MODELS]


MODE = Mode(
    name="tools",
    place=60,
    question=("do tool calls work?", "工具调用是否可用"),
    sends=(
        "`get_weather(city)`, or your own schema (`--tools`, `--tools-prompt`, `--tools-expect`)",
        "`get_weather(city)`，或你自己的 schema（`--tools`、`--tools-prompt`、`--tools-expect`）",
    ),
    plan=plan,
    example=(),
    page="how-to/tools.md",
    in_full=plan,
)
