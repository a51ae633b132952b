"""All checks, in the order in which they are made and shown. Pure."""

from collections.abc import Iterable, Mapping
from fnmatch import fnmatchcase

from compat.check import Check
from compat.checks import (
    basics,
    caching,
    embeddings,
    errors,
    lengths,
    media,
    messages,
    reasoning,
    responses,
    sampling,
    structured,
    tool_turns,
    tools,
)

CHECKS: tuple[Check, ...] = (
    *basics.CHECKS, *messages.CHECKS, *lengths.CHECKS, *sampling.CHECKS, *structured.CHECKS,
    *tools.CHECKS, *tool_turns.CHECKS, *reasoning.CHECKS, *media.CHECKS, *caching.CHECKS,
    *errors.CHECKS, *responses.CHECKS, *embeddings.CHECKS,
)  # fmt: skip
BY_ID: Mapping[str, Check] = {check.id: check for check in CHECKS}


def chosen(names: Iterable[str]) -> list[Check]:
    """The checks of these ids or patterns (`tool.*`), in their order. Raises KeyError."""
    wanted = list(names)
    for name in wanted:
        if not any(fnmatchcase(known, name) for known in BY_ID):
            raise KeyError(name)
    return [check for check in CHECKS if any(fnmatchcase(check.id, name) for name in wanted)]
