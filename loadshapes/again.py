"""What a run that goes on is asked for: its own options, and what may be said anew. Pure."""

from dataclasses import fields, replace
from typing import Any

from loadshapes.options import Options
from recording.mistake import OperatorError

ANEW = (
    "resume", "resume_windows", "budget", "budget_tokens", "fail_on", "junit", "output", "lang",
    "simulator_log", "metrics_port", "metrics_host",
)  # fmt: skip
"""What changes no request: how much the run may still use, and what is made of its rows."""
ITS_PLACE = ("results", "run_id")
"""Where the run is: the folder of `--resume` says it."""


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
    changed: dict[str, Any] = {}
    refused = []
    for item in fields(Options):
        value = getattr(given, item.name)
        if value == item.default or item.name in ITS_PLACE:
            continue
        if item.name in ANEW:
            changed[item.name] = value
        elif value != getattr(before, item.name):
            refused.append(f"--{item.name.replace('_', '-')}")
    if refused:
        raise OperatorError(
            f"--resume goes on with the run's own options: leave out {', '.join(refused)}, or "
            "start a new run."
        )
    return replace(before, **changed)
