"""What a run that goes on is asked for: its own options, and what may be said anew. Pure."""

import re
from collections.abc import Mapping
from dataclasses import fields, replace
from typing import Any

from recording.errors import OperatorError
from settings.option import SAME, flag, names, readers
from settings.options import WITHHELD, Options

ANEW = names(Options, "anew")
"""What changes no request: how much the run may still use, and what is made of its rows."""
CONTENTS = names(Options, "content")
ITS_PLACE = ("results", "run_id")
"""Where the run is: the folder of `--resume` says it."""

AGAIN = re.compile(r"/again(-\d+)?$")  # of the name of a window that was begun anew
BEFORE: dict[str, Any] = {
    item.name: item.metadata["before"]
    for item in fields(Options)
    if item.metadata["before"] is not SAME
}
"""What a run did that was made before an option existed, where that is not the option's default."""


def drawn(options: Options, given: Options) -> dict[str, Any]:
    """What a run made up for itself where the operator left it open: its values by option."""
    return {
        item.name: value
        for item in fields(Options)
        if (value := getattr(options, item.name)) != getattr(given, item.name)
    }


def recalled(kept: Mapping[str, Any], given: Options) -> Options:
    """The options that a manifest kept; what it withholds comes from those given now.

    An option that its version had not yet is as that version behaved; one that is no more is left
    out. OperatorError when a withheld one is not given, or a value is not of its option's type.
    """
    withheld = {name: getattr(given, name) for name in CONTENTS if kept.get(name) == WITHHELD}
    for name, again in withheld.items():
        if not again:
            raise OperatorError(
                f"--resume {given.resume} was made with --no-content, which kept its "
                f"{flag(name)} out of the files: give it again."
            )
    known = {**BEFORE, **kept, **withheld}
    found: dict[str, Any] = {}
    for item in fields(Options):
        value: Any = known.get(item.name, item.default)
        kind = type(item.default)
        if kind is float and type(value) is int:
            value = float(value)
        if type(value) is not kind:
            raise OperatorError(
                f"--resume {given.resume}: its manifest.json says {value!r} for "
                f"{flag(item.name)}: restore the file, or start a new run."
            )
        found[item.name] = value
    return Options(**found)


def without_unread(options: Options) -> Options:
    """The options without those that their mode does not read: 0.1 passed over them in silence.

    Today they are refused, and a run that was given one could not go on.
    """
    unread: dict[str, Any] = {
        item.name: item.default for item in fields(Options) if options.mode not in readers(item)
    }
    return replace(options, **unread)


def unknown(kept: Mapping[str, Any]) -> list[str]:
    """The options that a manifest kept and that are no more, as they were written."""
    names = {item.name for item in fields(Options)}
    return [f"{flag(n)} {value}" for n, value in kept.items() if n not in names]


def going_on(before: Options, given: Options) -> Options:
    """The options of a run that goes on, from its own and those it is resumed with.

    An option that is not given (it has its default) stays what it was. OperatorError for one that
    would send other requests than the run has sent so far.
    """
    if given.dry_run:
        raise OperatorError(
            "--dry-run does not go with --resume: events.jsonl and the report of the run say what "
            "is left of it."
        )
    if before.mode == "interactive":
        raise OperatorError(
            f"--resume {given.resume}: mode interactive has no plan that could go on; report that "
            "run, or start a new one."
        )
    changed: dict[str, Any] = {}
    refused = []
    for item in fields(Options):
        value = getattr(given, item.name)
        if value == item.default or item.name in ITS_PLACE:
            continue
        if item.name in ANEW:
            changed[item.name] = value
        elif value != getattr(before, item.name):
            refused.append(flag(item.name))
    if refused:
        raise OperatorError(
            f"--resume goes on with the run's own options: leave out {', '.join(refused)}, or "
            "start a new run."
        )
    return replace(before, **changed)


def with_secrets_given_again(asked: Options, given: Options) -> Options:
    """The run's options with what they keep to themselves, from those given now.

    OperatorError where a run that goes on had a header or a command that is not given again.
    """
    for name in ("header", "key_command"):
        before = getattr(asked, name)
        if before and not getattr(given, name):
            flag = "--" + name.replace("_", "-")
            raise OperatorError(
                f"--resume {given.resume} was made with {flag} ({', '.join(before.splitlines())}), "
                "whose value is kept nowhere: give it again."
            )
    return replace(asked, header=given.header, key_command=given.key_command)
