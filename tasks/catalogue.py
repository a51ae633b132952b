"""Which builder makes which kind of request (`Phase.request`)."""

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
