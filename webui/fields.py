"""What the start form shows: the modes with their questions, and each option as a field. Pure.

A field is shown in the modes that read its option. The options in a mode's example command come
first; the others are collapsed, in the groups of settings/option.py.
"""

import re
from collections.abc import Sequence
from dataclasses import Field, dataclass, fields
from typing import Any

from loadshapes.modes import MODES
from loadshapes.modes.mode import Mode
from settings import chinese
from settings.option import GROUPS, choices, flag, readers
from settings.options import Options

ALWAYS = ("model", "budget")
"""Options that come first in every mode that reads them."""
_ORDER = ("load", *(group for group in GROUPS if group != "load"))
BY_HAND = {
    "user_count": (
        "Users",
        "number of users; each sends its next request when the last one is answered",
        "5",
    ),
    "spawn_rate": ("Ramp up", "users added per second", "5"),
    "run_time": ("Run time", "like 20s, 3m or 1h20m (empty: until stopped)", ""),
}
"""Locust's own fields, which mode interactive reads: label, help, and default."""
_SHORT = {"-u": "user_count", "-r": "spawn_rate", "-t": "run_time"}


@dataclass(frozen=True, slots=True, kw_only=True)
class FormField:
    """One field: `kind` is text, number, switch or choice; `first` are the modes in which it is
    above the collapsed groups, `examples` its values in the modes' examples, as mode=value."""

    name: str
    flag: str
    label: str
    help: str
    kind: str
    value: str
    group: str
    modes: tuple[str, ...]
    first: tuple[str, ...]
    unit: str = ""
    examples: str = ""
    choices: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Group:
    """Fields that belong together."""

    name: str
    purpose: str
    fields: tuple[FormField, ...]


@dataclass(frozen=True, slots=True)
class Card:
    """A mode to choose from: the question it answers, and what it sends."""

    name: str
    question: str
    sends: str


def cards(lang: str) -> list[Card]:
    """The modes, in order."""
    place = 1 if lang == "zh" else 0
    return [
        Card(mode.name, mode.question[place], mode.sends[place].replace("`", ""))
        for mode in MODES.values()
    ]


def groups(options: Options, lang: str, against: Sequence[str] = ()) -> list[Group]:
    """Every field with the value shown, by group; `against`: references to choose from."""
    controls = [_field(item, options, lang, against) for item in fields(Options) if offered(item)]
    controls += [_by_hand(name, lang) for name in BY_HAND]
    return [
        Group(*_name_and_purpose(group, lang), of_group)
        for group in _ORDER
        if (of_group := tuple(field for field in controls if field.group == group))
    ]


def command_line_only(options: Options, lang: str) -> list[tuple[str, str]]:
    """Options that only the command line can set: flags, and values without secrets."""
    public = options.public()
    return [
        (flag(item.name), "" if value is True else str(value))
        for item in fields(Options)
        if not offered(item) and item.name != "mode" and item.metadata["group"] != "output"
        and (value := getattr(public, item.name)) != item.default
    ]  # fmt: skip


def offered(item: "Field[Any]") -> bool:
    """Whether the form has a field for an option; `--against` has one for configured references."""
    return item.name != "mode" and (item.metadata["web"] or item.name == "against")


def with_labels(sentence: str, lang: str) -> str:
    """A sentence about options as the form shows them: `--target` is its field “Target”. Options
    without a field keep their names.
    """
    labels = {
        flag(item.name): f"“{_label_and_help(item.name, '', lang)[0]}”"
        for item in fields(Options)
        if offered(item)
    } | {"--mode": "“模式”" if lang == "zh" else "“Mode”"}

    def label(match: re.Match[str]) -> str:
        found = labels.get(match["flag"])
        return match[0] if found is None else found

    before, after = (" ?", r"(?: (?=[\u4e00-\u9fff]))?") if lang == "zh" else ("", "")
    return re.sub(rf"{before}(?P<flag>--[a-z][a-z0-9-]*){after}", label, sentence)


def _field(item: "Field[Any]", options: Options, lang: str, against: Sequence[str]) -> FormField:
    value: Any = getattr(options, item.name)
    offered = ("", *against) if item.name == "against" else choices(item)
    kind = "text"
    if isinstance(item.default, bool):
        kind, value = "switch", str(value).lower()
    elif offered:
        kind = "choice"
    elif isinstance(item.default, int | float):
        kind, value = "number", f"{value:g}" if isinstance(value, float) else value
    label, help = _label_and_help(item.name, item.metadata["help"].partition("; docs/")[0], lang)
    modes = readers(item)
    first = tuple(mode for mode in modes if item.name in (*ALWAYS, *_of_example(MODES[mode])))
    return FormField(
        name=item.name, flag=flag(item.name), label=label, help=help, kind=kind, value=str(value),
        group=item.metadata["group"], modes=modes, first=first, choices=offered,
        unit="s" if item.metadata["seconds"] else "",
        examples=" ".join(
            f"{mode}={example}" for mode in modes
            if (example := _of_example(MODES[mode]).get(item.name))
        ),
    )  # fmt: skip


def _by_hand(name: str, lang: str) -> FormField:
    label, help, value = BY_HAND[name]
    if lang == "zh":
        label, help = chinese.OPTIONS[name]
    short = next(short for short, known in _SHORT.items() if known == name)
    return FormField(
        name=name, flag=short, label=label, help=help, value=value, group="load",
        kind="text" if name == "run_time" else "number",
        modes=("interactive",), first=("interactive",),
    )  # fmt: skip


def _of_example(mode: Mode) -> dict[str, str]:
    """The values in a mode's example command by option; empty for a switch."""
    values: dict[str, str] = {}
    for word, after in zip(mode.example, (*mode.example[1:], ""), strict=False):
        if word.startswith("--"):
            value = "" if after.startswith("-") else after
            values[word.lstrip("-").replace("-", "_")] = value
    return values


def _label_and_help(name: str, help: str, lang: str) -> tuple[str, str]:
    if lang == "zh":
        return chinese.OPTIONS[name]
    return name.replace("_", " ").capitalize(), help


def _name_and_purpose(group: str, lang: str) -> tuple[str, str]:
    if lang == "zh":
        return chinese.GROUPS[group]
    return group.capitalize(), GROUPS[group]
