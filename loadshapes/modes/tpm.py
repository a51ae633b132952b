"""Mode tpm: how many tokens per minute? Pure."""

from dataclasses import replace

from loadshapes.article_models import CHEAP
from loadshapes.modes.mode import Mode
from loadshapes.phase import Phase, tpm_count
from loadshapes.schedule import Closed
from loadshapes.task_prefix import task_prefix
from loadshapes.token_pacing import CALIBRATION, CALIBRATION_WORDS
from loadshapes.windows import windows
from settings.options import Options

IN_FULL, IN_QUICK = "50000,100000", "100000"  # targets of the article's programme


def plan(options: Options) -> list[Phase]:
    """Long prompts at a fixed rate, one window per model and target.

    A calibration per model goes first and sizes the prompts; `--tpm-plan seed` does without.
    """
    tokens = options.approx_prompt_tokens
    planned = windows(
        options, "tpm", "padded", lambda target: tpm_count(target, options.duration, tokens)
    )
    if options.tpm_plan == "seed":
        return planned
    phases: list[Phase] = []
    for window in planned:
        if all(window.model != phase.model for phase in phases):
            phases.append(_calibration(options, window))
        phases.append(replace(window, paced=True))
    return phases


def _calibration(options: Options, window: Phase) -> Phase:
    """Two short padded requests of the window's model, one after the other."""
    return Phase(
        name=f"tpm/{window.model}/{CALIBRATION}",
        mode=CALIBRATION,
        scenario=CALIBRATION,
        model=window.model,
        schedule=Closed(len(CALIBRATION_WORDS)),
        request="padded",
        users=1,
        max_tokens=window.max_tokens,
        stream=window.stream,
        task_prefix=task_prefix(options, CALIBRATION, window.model, "run-"),
        first_number=1,
        watched=True,
    )


def in_full(options: Options) -> list[Phase]:
    """The article's windows; with `--quick` the higher target alone, of 10 s."""
    if options.quick:
        options = replace(options, duration=10.0)
    target = IN_QUICK if options.quick else IN_FULL
    return plan(replace(options, model=options.model or ",".join(CHEAP), target=target))


MODE = Mode(
    name="tpm",
    place=40,
    question=("how many tokens per minute?", "每分钟多少 token"),
    sends=(
        "long prompts at a fixed rate, sized so that the target is met",
        "按固定速率发送长 prompt，长度调整到恰好达到目标",
    ),
    plan=plan,
    example=("--model", "gpt-5.4-nano", "--target", "200000", "--duration", "20"),
    page="how-to/tpm.md",
    in_full=in_full,
)
