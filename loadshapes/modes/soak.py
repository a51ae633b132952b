"""Mode soak: does it stay stable over a long time? Pure."""

from dataclasses import replace

from loadshapes.modes.mode import Mode
from loadshapes.phase import Phase, rpm_count
from loadshapes.schedule import Closed
from loadshapes.task_prefix import task_prefix
from loadshapes.windows import windows
from settings.options import Options


def plan(options: Options) -> list[Phase]:
    """One long window per model and target: a rate, or with `search` a concurrency."""
    if options.search == "rate":
        return windows(
            options, "soak", "marker", lambda target: rpm_count(target, options.duration)
        )
    phases = windows(options, "soak", "marker", lambda target: target)
    return [
        replace(
            phase,
            name=f"soak/{phase.model}/c{phase.target}",
            schedule=Closed(None, options.duration),
            users=phase.target or 1,
            task_prefix=task_prefix(options, "soak", phase.model, f"c{phase.target}", "req-"),
        )
        for phase in phases
    ]


MODE = Mode(
    name="soak",
    place=120,
    question=("does it stay stable over a long time?", "能否长时间保持"),
    sends=(
        "one long window at a rate, or with `--search concurrency` at a concurrency",
        "一个长窗口，按速率或（`--search concurrency`）按并发",
    ),
    plan=plan,
    example=(
        "--model", "gpt-5.4-nano", "--search", "concurrency", "--target", "10",
        "--duration", "20", "--stream",
    ),
    page="how-to/capacity.md",
)  # fmt: skip
