"""The command line: declares options to a parser, and words its errors. Pure.

argparse reports an error in its own words, with the whole usage and suggestions from Locust's
options; here it becomes one sentence that names the nearest of our options.
"""

import argparse
import difflib
import re
from collections.abc import Callable, Collection
from dataclasses import Field, fields
from typing import Any, Protocol

from settings.option import choices, described, flag

ELSEWHERE = {
    "--api-key": "the key comes from the environment or .env (OPENAI_API_KEY), never from here",
    "--key": "the key comes from the environment or .env (OPENAI_API_KEY), never from here",
    "--base-url": "use -H URL",
    "--url": "use -H URL",
    "--endpoint": "use -H URL",
    "--concurrency": "use --steps (mode ladder), or --search concurrency (soak and capacity)",
    "--rate": "use --target, requests a minute",
    "--rps": "use --target, requests a minute",
    "--qps": "use --target, requests a minute",
    "--request-rate": "use --target, requests a minute",
    "--num-requests": "use --steps N for N at once, or --target and --duration",
    "--requests": "use --steps N for N at once, or --target and --duration",
    "--dataset": "use --prompts FILE",
    "--insecure": "certificates are always checked",
}
"""Names used by other tools. Our own option of the same name takes precedence."""

_UNITS_S = {"h": 3600.0, "m": 60.0, "s": 1.0, "ms": 0.001}
_DURATION = re.compile(r"(?:\d+(?:\.\d+)?(?:ms|h|m|s))+")


class Parser(Protocol):
    """The part of an argument parser that is used here."""

    def add_argument(self, *names: str, **kwargs: Any) -> Any: ...


class Offered(tuple[str, ...]):
    """Choices that are shown but not enforced: `faults` reports all faults at once."""

    def __contains__(self, value: object) -> bool:
        return True


class Lines(argparse._AppendAction):
    """An option that may be given several times: its value holds one line per value.

    It derives from argparse's append action, so that a configuration file may give a list.
    """

    def __call__(self, parser: Any, namespace: Any, values: Any, option_string: Any = None) -> None:
        given_values = values if isinstance(values, list) else [values]
        lines = [*getattr(namespace, self.dest).splitlines(), *map(str, given_values)]
        setattr(namespace, self.dest, "\n".join(lines))


def seconds_of(text: str) -> float:
    """A number of seconds, or a duration like 500ms, 90s, 1m or 1h30m. Raises ValueError
    otherwise.
    """
    if not _DURATION.fullmatch(text.strip()):
        return float(text)
    parts = re.findall(r"([\d.]+)(ms|h|m|s)", text)
    return sum(float(number) * _UNITS_S[unit] for number, unit in parts)


def nearest(word: str, words: Collection[str]) -> str:
    """The nearest of some words; empty if none is near.

    Transposed letters are preferred: `prm` is nearer to rpm than to tpm.
    """
    if turned := [candidate for candidate in words if sorted(candidate) == sorted(word)]:
        return turned[0]
    close = difflib.get_close_matches(word, words, n=1)
    return close[0] if close else ""


def _reader(item: "Field[Any]") -> Callable[[str], Any]:
    """A converter from text to the option's type; argparse reports our message on failure."""
    kind: Callable[[str], Any] = type(item.default)
    what = {int: "a whole number", float: "a number", str: "text"}[type(item.default)]
    if item.metadata["seconds"]:
        kind, what = seconds_of, "a number of seconds, or a duration like 90s, 1m or 1h30m"

    def read(text: str) -> Any:
        try:
            return kind(text)
        except ValueError:
            raise argparse.ArgumentTypeError(f"takes {what}, not {text!r}") from None

    return read


def add_arguments(table: type[Any], parser: Parser) -> None:
    """Declare every option of a table to a parser (Locust's, or any like argparse's)."""
    for item in fields(table):
        more: dict[str, Any] = {"help": described(item)}
        if isinstance(item.default, bool):
            more["action"] = "store_true"
        else:
            more["type"] = _reader(item)
        if item.metadata["repeatable"]:
            more["action"] = Lines
        if offered := choices(item):
            more["choices"] = Offered(offered)
        if not item.metadata["web"]:
            more["include_in_web_ui"] = False
        env = f"WEIGHBRIDGE_{item.name.upper()}"
        parser.add_argument(flag(item.name), default=item.default, env_var=env, **more)


def answer(message: str, known: Collection[str]) -> str:
    """An error of argparse in one sentence."""
    if "unrecognized arguments: " in message:
        wrong = message.split("unrecognized arguments: ")[1].split()[0].partition("=")[0]
        near = nearest(wrong, known)
        hint = ELSEWHERE.get(wrong) or (f"did you mean {near}?" if near else "")
        where = "`weighbridge --help` and docs/reference/options.md list them"
        return f"{wrong} is not an option: {hint or where}" + ("" if hint.endswith("?") else ".")
    match = re.fullmatch(r"argument (\S+?)(?:/\S+)?: (.*)", message, re.S)
    if match is None:
        return message.rstrip(".") + "."
    name, complaint = match.groups()
    if complaint.startswith("expected one argument"):
        return f"{name} needs a value: write it after {name}, or as {name}=VALUE."
    return f"{name} {complaint}." if complaint.startswith("takes ") else f"{name}: {complaint}."
