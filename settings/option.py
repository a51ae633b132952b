"""One option of a run: its default, its help, and all that is known of it. Pure."""

from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import Field, field, fields
from typing import Any

from settings.known_modes import known, parts

GROUPS = {
    "gateway": "how it is reached, and what every request says",
    "load": "which test, on which models, how much and for how long",
    "traffic": "what is asked: your own prompts, traces, tools and images",
    "money": "what it may cost, and how costs are known",
    "judging": "what makes the run end early, or fail",
    "output": "what is written, where, and what is shown",
    "simulator": "the embedded simulator in place of a gateway",
}
"""The groups that options are shown in, in this order, and what each is about."""
SAME: Any = object()
"""Of an option's `before`: runs did by default what they do today."""


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
    """A field that is also an option, with what the rest of the program asks about it.

    `group`: one of GROUPS. `modes`: those that read it; none means all but `not_modes`. Mode full
    reads what its parts read, unless `in_full` is False. That such modes exist is checked where
    modes are registered (loadshapes/modes).
    `seconds`: a duration, which may also be written 90s, 1m or 1h30m.
    `sent`: it decides what is sent or how long an answer may take, so runs that differ in it are
    not alike. `anew`: a run that goes on may be given another value, for no request depends on it.
    `web`: a visitor of the web UI may set it; not what names files, starts programs, or decides
    how the process ends. `content`: its value is asked or answered, so --no-content withholds it.
    `repeatable`: it may be given several times; its value is text, a line each.
    `above`, `at_least`, `at_most`: the bounds of a number.
    `before`: what runs did that were made before the option existed, where that is not its default:
    a run that goes on sends what it sent.
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
    """How a field's option is written: `max_tokens` is `--max-tokens`."""
    return "--" + name.replace("_", "-")


def readers(item: "Field[Any]") -> tuple[str, ...]:
    """The modes that read an option, in their order."""
    named = item.metadata["modes"] or {*known()} - {*item.metadata["not_modes"]}
    full = item.metadata["in_full"] and any(part in named for part in parts())
    return tuple(mode for mode in known() if mode in named or (mode == "full" and full))


def choices(item: "Field[Any]") -> tuple[str, ...]:
    """The values that an option may have, where there are only some; of `mode` the modes."""
    return ("", *known()) if item.name == "mode" else tuple(item.metadata["choices"])


def out_of_bounds(item: "Field[Any]", value: float) -> str:
    """What a number should be and is not, e.g. "above 0 and at most 1"; empty: it is."""
    above, least, most = (item.metadata[name] for name in ("above", "at_least", "at_most"))
    bounds = (
        (above, "above", above is None or value > above),
        (least, "at least", least is None or value >= least),
        (most, "at most", most is None or value <= most),
    )
    if all(kept for _, _, kept in bounds):
        return ""
    return " and ".join(f"{word} {bound:g}" for bound, word, _ in bounds if bound is not None)


def names(table: type[Any], known: str) -> tuple[str, ...]:
    """The fields of which something is true, e.g. `names(Options, "sent")`."""
    return tuple(item.name for item in fields(table) if item.metadata[known])


def foreign(options: Any) -> Iterator[str]:
    """A sentence for every option that was given and that the run's mode does not read."""
    for item in fields(options) if options.mode in known() else ():
        modes = readers(item)
        if getattr(options, item.name) != item.default and options.mode not in modes:
            if options.mode in item.metadata["not_modes"]:
                yield f"{flag(item.name)} does nothing with --mode {options.mode}; remove it."
            else:
                yield f"{flag(item.name)} works only with --mode {_or(modes)}; remove it."


def _or(words: Sequence[str]) -> str:
    return " or ".join([", ".join(words[:-1]), words[-1]]) if len(words) > 1 else words[0]


def told(item: "Field[Any]") -> str:
    """What an option is, in a line: the modes that read it, unless all do, and its help."""
    modes = readers(item)
    if len(modes) > len(known()) // 2:
        return str(item.metadata["help"])
    return f"{'mode' if len(modes) == 1 else 'modes'} {', '.join(modes)}: {item.metadata['help']}"


def withheld(values: Mapping[str, Any], table: type[Any], by: str) -> dict[str, Any]:
    """Values with those that are content replaced."""
    return {**values, **{name: by for name in names(table, "content") if values[name]}}
