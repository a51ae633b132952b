"""Mode rpm: what rate does it sustain? Pure."""

from dataclasses import replace

from loadshapes.article_models import CHEAP
from loadshapes.modes.mode import Mode
from loadshapes.phase import Phase, rpm_count
from loadshapes.windows import windows
from settings.options import Options

IN_FULL, IN_QUICK = "300,600", "600"  # targets of the article's programme


def plan(options: Options) -> list[Phase]:
    """Short requests at a fixed rate, one window per model and target."""
    return windows(options, "rpm", "marker", lambda target: rpm_count(target, options.duration))


def in_full(options: Options) -> list[Phase]:
    """The article's windows, or those of `--target`; with `--quick` of 10 s."""
    if options.quick:
        options = replace(options, duration=10.0)
    target = options.target or (IN_QUICK if options.quick else IN_FULL)
    return plan(replace(options, model=options.model or ",".join(CHEAP), target=target))


MODE = Mode(
    name="rpm",
    place=30,
    question=("what rate does it sustain?", "能稳定在什么速率"),
    sends=(
        "short requests at a fixed rate (`--target` per minute) for `--duration` seconds",
        "在 `--duration` 秒内按固定速率（`--target` 每分钟）发送短请求",
    ),
    plan=plan,
    example=("--model", "gpt-5.4-nano", "--target", "600", "--duration", "20"),
    page="how-to/rpm.md",
    in_full=in_full,
)
