"""Which builder makes which kind of request (`Phase.request`)."""

from loadshapes.options import Options
from loadshapes.plan import Plan
from tasks.probes import cache, reasoning, tools, vision
from tasks.prompts import Builder, greeting, marker, padded

BUILDERS: dict[str, Builder] = {
    "marker": marker,
    "padded": padded,
    "greeting": greeting,
    "cache": cache.build,
    "tools": tools.build,
    "reasoning": reasoning.build,
    "vision": vision.build,
}


def rehearse(plan: Plan, options: Options) -> None:
    """Build the first request of every phase, so that an unreadable file is found before a run.

    Raises OperatorError.
    """
    for phase in plan.phases:
        BUILDERS[phase.request](phase, 0, options)
