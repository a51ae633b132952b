"""Mode interactive: what happens when I change the load by hand? Pure."""

from loadshapes.modes.mode import Mode
from loadshapes.phase import ANY_NUMBER, Phase
from loadshapes.schedule import Manual
from loadshapes.task_prefix import task_prefix
from recording.errors import MissingOption, OperatorError
from settings.options import Options


def plan(options: Options) -> list[Phase]:
    """As many users as a person sets (-u, -r, -t), each sending when its last reply has arrived."""
    if not options.models:
        raise MissingOption("--model is missing: mode interactive needs the model to load.")
    if len(options.models) > 1:
        raise OperatorError(
            f"mode interactive loads one model at a time: name one with --model, not "
            f"{len(options.models)}."
        )
    model = options.models[0]
    return [
        Phase(
            name=f"interactive/{model}",
            mode="interactive",
            scenario="stream" if options.stream else "chat",
            model=model,
            schedule=Manual(),
            request="marker",
            users=ANY_NUMBER,
            max_tokens=options.max_tokens or 16,
            stream=options.stream,
            task_prefix=task_prefix(options, "interactive", model, "req-"),
        )
    ]


MODE = Mode(
    name="interactive",
    place=100,
    question=("what happens when I change the load by hand?", "手动加压会怎样"),
    sends=(
        "short requests, closed-loop, as many users as you set in the web UI (or with `-u`, `-r`, "
        "`-t`)",
        "短请求，闭环，用户数由你在网页界面设置（或 `-u`、`-r`、`-t`）",
    ),
    plan=plan,
    example=(
        "--model", "gpt-5.4-nano", "-u", "5", "-r", "5", "-t", "6s", "--stop-timeout", "60",
    ),
    page="how-to/interactive.md",
)  # fmt: skip
