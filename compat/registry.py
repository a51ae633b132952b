"""All checks, in the order in which they are sent and shown. Pure."""

from collections.abc import Iterable, Mapping, Sequence
from fnmatch import fnmatchcase

from compat.check import Check
from compat.checks import (
    basics,
    caching,
    embeddings,
    errors,
    files,
    lengths,
    media,
    messages,
    own,
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
    *files.CHECKS,
)  # fmt: skip
BY_ID: Mapping[str, Check] = {check.id: check for check in CHECKS}


def find(name: str) -> Check | None:
    """The built-in or operator's own check with this id, for its wording; None if there is none."""
    return BY_ID.get(name) or own.described(name)


def chosen(names: Iterable[str], among: Sequence[Check] = CHECKS) -> list[Check]:
    """The checks with these ids or patterns (`tool.*`), in order. Raises KeyError."""
    patterns = list(names)
    for name in patterns:
        if not any(fnmatchcase(check.id, name) for check in among):
            raise KeyError(name)
    return [check for check in among if any(fnmatchcase(check.id, name) for name in patterns)]
