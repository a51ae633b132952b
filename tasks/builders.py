"""Which builder makes which kind of request (`Phase.request`)."""

from loadshapes.own_traffic.traffic import Traffic
from loadshapes.phase import Phase
from loadshapes.plan import Plan
from settings.options import Options
from tasks.conversation import request
from tasks.probes import cache, reasoning, tools, vision
from tasks.prompts import Builder, Request, greeting, marker, padded

BUILDERS: dict[str, Builder] = {
    "marker": marker,
    "padded": padded,
    "greeting": greeting,
    "cache": cache.build,
    "tools": tools.build,
    "reasoning": reasoning.build,
    "vision": vision.build,
}


def build(
    phase: Phase,
    index: int,
    options: Options,
    words: int | None = None,
    traffic: Traffic | None = None,
) -> Request:
    """Request `index` of a phase; with `words`, a padded prompt of that length.

    A phase of own traffic takes it from `traffic`, a conversation's first turn.
    """
    if phase.traffic:
        assert traffic is not None
        return request(traffic.lines[index % len(traffic.lines)], phase, index)
    if words is not None:
        return padded(phase, index, options, words)
    return BUILDERS[phase.request](phase, index, options)


def rehearse(plan: Plan, options: Options) -> None:
    """Build the first request of every phase, so that an unreadable file is found before a run.

    Raises OperatorError.
    """
    for phase in plan.phases:
        build(phase, 0, options, traffic=plan.traffic)
