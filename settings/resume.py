"""The options of a resumed run: its original ones, and those that may be given again. Pure."""

import re
from collections.abc import Mapping
from dataclasses import fields, replace
from typing import Any

from recording.errors import OperatorError
from settings.option import SAME, flag, names, readers
from settings.options import WITHHELD, Options

ANEW = names(Options, "anew")
"""Options that change no request: how much the run may still use, and how its rows are reported."""
CONTENTS = names(Options, "content")
ITS_PLACE = ("results", "run_id")
"""Options that locate the run: the folder of `--resume` decides them."""

AGAIN = re.compile(r"/again(-\d+)?$")  # part of the name of a restarted window
BEFORE: dict[str, Any] = {
    item.name: item.metadata["before"]
    for item in fields(Options)
    if item.metadata["before"] is not SAME
}
"""The behaviour of runs made before an option existed, if that is not the option's default."""


def drawn_values(options: Options, given: Options) -> dict[str, Any]:
    """The values that a run chose for options left open, by option."""
    return {
        item.name: value
        for item in fields(Options)
        if (value := getattr(options, item.name)) != getattr(given, item.name)
    }


def recalled(stored: Mapping[str, Any], given: Options) -> Options:
    """The options in a manifest; withheld values are taken from those given now.

    An option that its version did not have yet gets the value of that version's behaviour; removed
    options are left out. Raises OperatorError if a withheld option is not given again, or a value
    has the wrong type.
    """
    withheld = {name: getattr(given, name) for name in CONTENTS if stored.get(name) == WITHHELD}
    for name, again in withheld.items():
        if not again:
            raise OperatorError(
                f"--resume {given.resume} was made with --no-content, which kept its "
                f"{flag(name)} out of the files: give it again."
            )
    known = {**BEFORE, **stored, **withheld}
    recalled_options: dict[str, Any] = {}
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
        recalled_options[item.name] = value
    return Options(**recalled_options)


def without_unread(options: Options) -> Options:
    """The options without those that their mode does not read, which 0.1 silently ignored.

    Today they are refused, so a run that had one could not be resumed.
    """
    unread: dict[str, Any] = {
        item.name: item.default for item in fields(Options) if options.mode not in readers(item)
    }
    return replace(options, **unread)


def unknown(stored: Mapping[str, Any]) -> list[str]:
    """The options in a manifest that no longer exist, as they were written."""
    names = {item.name for item in fields(Options)}
    return [f"{flag(n)} {value}" for n, value in stored.items() if n not in names]


def going_on(before: Options, given: Options) -> Options:
    """The options of a resumed run, from its original ones and those given now.

    An option that is not given (it has its default) keeps its value. Raises OperatorError for an
    option that would change the requests.
    """
    if given.dry_run:
        raise OperatorError(
            "--dry-run cannot be combined with --resume: events.jsonl and the run's report show "
            "what is left to send."
        )
    if before.mode == "interactive":
        raise OperatorError(
            f"--resume {given.resume}: mode interactive has no plan to resume: make the report of "
            "that run, or start a new one."
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
            f"--resume continues with the run's own options: leave out {', '.join(refused)}, or "
            "start a new run."
        )
    return replace(before, **changed)


def with_secrets_given_again(asked: Options, given: Options) -> Options:
    """The run's options with their secret values, which are taken from those given now.

    Raises OperatorError if the run had a header or a key command that is not given again.
    """
    names = ("header", "key_command", "against_header", "against_key_command")
    for name in names:
        before = getattr(asked, name)
        if before and not getattr(given, name):
            flag = "--" + name.replace("_", "-")
            raise OperatorError(
                f"--resume {given.resume} was made with {flag} ({', '.join(before.splitlines())}), "
                "whose value is not stored: give it again."
            )
    return replace(asked, **{name: getattr(given, name) for name in names})
