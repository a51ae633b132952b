"""Mode smoke: does it answer at all? Pure."""

from loadshapes.modes.mode import Mode
from loadshapes.phase import Phase
from loadshapes.schedule import Closed
from loadshapes.task_prefix import task_prefix
from settings.options import Options

MODELS = ("gpt-5.4-nano", "claude-sonnet-4.6", "gemini-3-flash-preview")


def plan(options: Options) -> list[Phase]:
    """One chat per model, then one stream of the first: does it answer at all?"""
    models = options.models or MODELS
    chosen = [(model, False) for model in models] + [(models[0], True)]
    return [
        Phase(
            name=f"smoke/{'stream' if stream else 'chat'}/{model}",
            mode="smoke",
            scenario="stream" if stream else "chat",
            model=model,
            schedule=Closed(1),
            request="greeting",
            users=1,
            max_tokens=options.max_tokens or 64,
            stream=stream,
            typed=True,
            task_prefix=task_prefix(
                options, "smoke", *(["stream"] if stream else []), model, "run-"
            ),
            first_number=1,
        )
        for model, stream in chosen
    ]


MODE = Mode(
    name="smoke",
    place=10,
    question=("does it answer at all?", "能否调通"),
    sends=(
        "one chat per model and one stream of the first, with the SDK's typed interface",
        "每个模型一次非流式请求，首个模型另加一次流式请求，均经 SDK 的类型化接口",
    ),
    plan=plan,
    example=("--model", "gpt-5.4-nano"),
    page="how-to/smoke.md",
    in_full=plan,
)
