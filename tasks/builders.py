"""The builders of requests by kind (`Phase.request`)."""

from collections.abc import Mapping
from importlib import import_module
from pkgutil import iter_modules
from types import MappingProxyType

from loadshapes.own_traffic.traffic import Traffic
from loadshapes.phase import Phase
from loadshapes.plan import Plan
from recording.probe_place import is_probe
from settings.options import Options
from tasks import probes
from tasks.conversation import request
from tasks.prompts import Builder, Request, greeting, marker, padded


def discovered() -> dict[str, Builder]:
    """The builders of the load modes and of every probe. Raises ValueError if two share a name."""
    builders: dict[str, Builder] = {"marker": marker, "padded": padded, "greeting": greeting}
    for file in iter_modules(probes.__path__):
        builders_of_file: Mapping[str, Builder] = import_module(
            f"{probes.__name__}.{file.name}"
        ).BUILDERS
        for name in builders_of_file:
            if name in builders:
                raise ValueError(
                    f"tasks/probes/{file.name}.py: {name!r} is built elsewhere already"
                )
        builders |= builders_of_file
    return builders


BUILDERS: Mapping[str, Builder] = MappingProxyType(discovered())
"""Every builder by kind of request (`Phase.request`)."""


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
    if is_probe(phase.probe_every, index):
        return BUILDERS["mixed"](phase, index, options)
    if words is not None:
        return padded(phase, index, options, words)
    return BUILDERS[phase.request](phase, index, options)


def rehearse(plan: Plan, options: Options) -> None:
    """Build the first request of every phase, so that an unreadable file is reported before a run.

    Raises OperatorError.
    """
    for phase in plan.phases:
        build(phase, 0, options, traffic=plan.traffic)
