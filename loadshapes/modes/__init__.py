"""The modes, one file each: options in, phases out. Pure.

A file here with `MODE = Mode(...)` is a mode and is discovered automatically (CONTRIBUTING.md).
"""

from collections.abc import Collection, Iterable, Mapping
from dataclasses import fields
from importlib import import_module
from pkgutil import iter_modules
from types import MappingProxyType

from loadshapes import own_prompts
from loadshapes.cancelled import cancelled
from loadshapes.identity_share import mixed
from loadshapes.modes.mode import Mode
from loadshapes.pairs import paired
from loadshapes.plan import Plan
from recording.errors import MissingOption, OperatorError
from settings import body_profile, known_modes
from settings.option_faults import faults
from settings.options import Options


def in_order(modes: Iterable[Mode]) -> dict[str, Mode]:
    """The modes by name, in the order of their places. Raises ValueError if two share either."""
    ordered = sorted(modes, key=lambda mode: mode.place)
    named = {mode.name: mode for mode in ordered}
    if len(named) < len(ordered) or len({mode.place for mode in ordered}) < len(ordered):
        shared = ", ".join(f"{mode.name} at {mode.place}" for mode in ordered)
        raise ValueError(f"two modes share a name or a place: {shared}")
    return named


def check_options(names: Collection[str]) -> None:
    """Check that options name only existing modes. Raises ValueError if not."""
    for option in fields(Options):
        named = {*option.metadata["modes"], *option.metadata["not_modes"]}
        if unknown := named - {*names}:
            raise ValueError(f"option {option.name} names modes that do not exist: {unknown}")


def _modes() -> Iterable[Mode]:
    """The mode of every file in this folder. Raises ValueError if a name does not match its
    file.
    """
    for file in iter_modules(__path__):
        if file.name == "mode":
            continue
        mode = import_module(f"{__name__}.{file.name}").MODE
        if not isinstance(mode, Mode) or mode.name != file.name:
            raise ValueError(f"loadshapes/modes/{file.name}.py: its MODE is no Mode of that name")
        yield mode


MODES: Mapping[str, Mode] = MappingProxyType(in_order(_modes()))
"""The modes by name, in order."""
PARTS = tuple(mode.name for mode in MODES.values() if mode.in_full)
"""The modes that mode full consists of, in its order."""
known_modes.register(tuple(MODES), PARTS)
check_options(MODES)


def plan(options: Options) -> Plan:
    """The plan of a mode. Raises OperatorError, with every fault, if it cannot be run."""
    wrong = [*faults(options), *body_profile.faults(options)]
    if wrong:
        raise OperatorError(" ".join(wrong))
    mode = MODES[options.mode]
    try:
        planned = mode.plan(options)
    except MissingOption as missing:
        raise MissingOption(missing.why, " ".join(mode.example)) from None
    if not isinstance(planned, Plan):
        planned = Plan(tuple(planned))
    if options.prompts:
        planned = own_prompts.prompted(planned, options)
    if options.cancel_after:
        planned = cancelled(planned, options)
    if options.identity_share:
        planned = mixed(planned, options)
    if options.against:
        planned = paired(planned, options)
    wrong = planned.validate()
    if wrong:
        raise OperatorError(" ".join(wrong))
    return planned
