"""One option of a run: its default, its help, and its other properties. Pure."""

from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import Field, field, fields
from typing import Any

from settings.known_modes import known, parts

GROUPS = {
    "gateway": "how the gateway is reached, and what every request contains",
    "load": "which test, on which models, at what load and for how long",
    "traffic": "the requests: your own prompts, traces, tools and images",
    "money": "what the run may cost, and how costs are determined",
    "judging": "what ends the run early, or fails it",
    "output": "what is written, where, and what is displayed",
    "simulator": "the embedded simulator in place of a gateway",
}
"""The groups in which options are shown, in order, and the subject of each."""
SAME: Any = object()
"""The default of `before`: runs behaved as they do today."""


def option(
    default: Any,
    help: str,
    *,
    group: str,
    modes: Collection[str] = (),
    not_modes: Collection[str] = (),
    in_full: bool = True,
    choices: Collection[str] = (),
    seconds: bool = False,
    sent: bool = False,
    anew: bool = False,
    web: bool = True,
    content: bool = False,
    repeatable: bool = False,
    above: float | None = None,
    at_least: float | None = None,
    at_most: float | None = None,
    before: Any = SAME,
) -> Any:
    """A field that is also an option, with the properties that the rest of the program needs.

    `group`: one of GROUPS. `modes`: the modes that read it; empty means all except `not_modes`.
    Mode full reads what its parts read, unless `in_full` is False. loadshapes/modes checks that
    these modes exist. `seconds`: a duration, which may also be written 90s, 1m or 1h30m. `sent`: it
    decides what is sent or how long an answer may take, so runs that differ in it are not
    comparable. `anew`: a resumed run may be given another value, because no request depends on it.
    `web`: a visitor of the web UI may set it; never true for options that name files, start
    programs, or decide how the process ends. `content`: its value is part of prompts or replies, so
    --no-content withholds it. `repeatable`: it may be given several times; its value is text with
    one line per value. `above`, `at_least`, `at_most`: the bounds of a number. `before`: the
    behaviour of runs made before the option existed, if that is not its default: a resumed run
    continues to send what it sent.
    """
    if group not in GROUPS:
        raise ValueError(f"{help!r}: no such group ({group})")
    known = {
        "help": help, "group": group, "modes": tuple(modes),
        "not_modes": tuple(not_modes), "in_full": in_full, "choices": tuple(choices),
        "seconds": seconds, "sent": sent, "anew": anew, "web": web,
        "content": content, "repeatable": repeatable, "above": above, "at_least": at_least,
        "at_most": at_most, "before": before,
    }  # fmt: skip
    return field(default=default, metadata=known)


def flag(name: str) -> str:
    """The command-line form of a field: `max_tokens` is `--max-tokens`."""
    return "--" + name.replace("_", "-")


def readers(item: "Field[Any]") -> tuple[str, ...]:
    """The modes that read an option, in order."""
    named = item.metadata["modes"] or {*known()} - {*item.metadata["not_modes"]}
    full = item.metadata["in_full"] and any(part in named for part in parts())
    return tuple(mode for mode in known() if mode in named or (mode == "full" and full))


def modes_in_words(item: "Field[Any]", zh: bool = False) -> str:
    """The modes that read an option: "all modes", "all modes but compat", "mode rpm" and so on."""
    modes = readers(item)
    others = [mode for mode in known() if mode not in modes]
    if zh:
        but = f"除 {'、'.join(others)} 以外的模式" if others else "全部模式"
        return but if len(others) <= 2 else f"模式 {'、'.join(modes)}"
    if len(others) <= 2:
        return f"all modes but {' and '.join(others)}" if others else "all modes"
    return f"{'mode' if len(modes) == 1 else 'modes'} {', '.join(modes)}"


def choices(item: "Field[Any]") -> tuple[str, ...]:
    """The allowed values of an option with a fixed set; for `mode`, the modes."""
    return ("", *known()) if item.name == "mode" else tuple(item.metadata["choices"])


def out_of_bounds(item: "Field[Any]", value: float) -> str:
    """The bounds that a number violates, e.g. "above 0 and at most 1"; empty if it is within
    them.
    """
    above, least, most = (item.metadata[name] for name in ("above", "at_least", "at_most"))
    bounds = (
        (above, "above", above is None or value > above),
        (least, "at least", least is None or value >= least),
        (most, "at most", most is None or value <= most),
    )
    if all(within for _, _, within in bounds):
        return ""
    return " and ".join(f"{word} {bound:g}" for bound, word, _ in bounds if bound is not None)


def names(table: type[Any], known: str) -> tuple[str, ...]:
    """The fields with a property, e.g. `names(Options, "sent")`."""
    return tuple(item.name for item in fields(table) if item.metadata[known])


def foreign(options: Any) -> Iterator[str]:
    """A sentence for every given option that the run's mode does not read."""
    for item in fields(options) if options.mode in known() else ():
        modes = readers(item)
        if getattr(options, item.name) != item.default and options.mode not in modes:
            if options.mode in item.metadata["not_modes"]:
                yield f"{flag(item.name)} does nothing with --mode {options.mode}; remove it."
            else:
                yield f"{flag(item.name)} works only with --mode {_or(modes)}; remove it."


def _or(words: Sequence[str]) -> str:
    return " or ".join([", ".join(words[:-1]), words[-1]]) if len(words) > 1 else words[0]


def described(item: "Field[Any]") -> str:
    """One line on an option: the modes that read it, unless all do, and its help."""
    if len(readers(item)) > len(known()) // 2:
        return str(item.metadata["help"])
    return f"{modes_in_words(item)}: {item.metadata['help']}"


def withheld(values: Mapping[str, Any], table: type[Any], by: str) -> dict[str, Any]:
    """The values, with content replaced."""
    return {**values, **{name: by for name in names(table, "content") if values[name]}}
