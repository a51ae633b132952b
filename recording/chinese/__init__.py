"""Operator errors and log lines in Chinese, under `--lang zh`.

A sentence is written in English where it is raised or logged. The files beside this one hold its
Chinese, by the English sentence with `…` for each value; `{0}`, `{1}` ... are the values in order.
A value that is a sentence of ours is `{0:+}` and is translated too, one of several clauses is `{0:;}`; every other value, above all the
gateway's own words, comes through as it is. What is not found stays English, and
`tests/recording/test_chinese.py` holds that every sentence of the code is found.
"""

import logging
import re
from collections.abc import Mapping, Sequence
from functools import cache

from recording.chinese.analysis import ANALYSIS
from recording.chinese.engine import ENGINE
from recording.chinese.log import LOG
from recording.chinese.modes import MODES
from recording.chinese.settings import SETTINGS
from recording.chinese.traffic import TRAFFIC
from recording.chinese.webui import WEBUI

ANY = "…"
SENTENCES: Mapping[str, str] = {
    **ANALYSIS, **ENGINE, **LOG, **MODES, **SETTINGS, **TRAFFIC, **WEBUI,
}  # fmt: skip
"""The Chinese of each English sentence."""
_DEEPEST = 6
_COUNTED = re.compile(r"([\d,]+) (request|token|line|question|span)s?")  # recording/counted.py
_OF_COUNTED = {
    "request": "个请求",
    "token": "token",
    "line": "行",
    "question": "个问题",
    "span": "个 span",
}
_LISTED = re.compile(r"(?:[\w.-]+, )*[\w.-]+ or [\w.-]+")  # a value that lists names
_SIMPLIFIED = re.compile(r"zh(_CN|_SG|_Hans\w*)?\.UTF-?8", re.I)  # locales
_PLACE = re.compile(r"(line|item) (\d+): ")
_BETWEEN = re.compile(r"(?<=\.) (?=--|For example, give )")  # sentences in one line


def in_language(text: str, lang: str) -> str:
    """A sentence of ours, or several that name an option each, in the language of `--lang`."""
    return text if lang != "zh" else "".join(map(chinese, _BETWEEN.split(text)))


def asked_language(arguments: Sequence[str], environment: Mapping[str, str]) -> str:
    """The language of a command line that is not parsed yet, or cannot be: `zh` or `en`.

    `--lang` decides, then WEIGHBRIDGE_LANG, then the locale, as in other programs: LC_ALL,
    LC_MESSAGES or LANG, the first that is set.
    """
    language = environment.get("WEIGHBRIDGE_LANG", "") or _of_locale(environment)
    for number, word in enumerate(arguments):
        name, equals, value = word.partition("=")
        if name == "--lang":
            language = value if equals else "".join(arguments[number + 1 : number + 2])
    return "zh" if language == "zh" else "en"


def _of_locale(environment: Mapping[str, str]) -> str:
    """Chinese for a locale of simplified characters in UTF-8: our texts are written in those, and
    other encodings lack some signs of our tables.
    """
    names = (environment.get(name, "") for name in ("LC_ALL", "LC_MESSAGES", "LANG"))
    return "zh" if _SIMPLIFIED.fullmatch(next(filter(None, names), "")) else "en"


class InChinese(logging.Filter):
    """Translates what a logger says."""

    def filter(self, record: logging.LogRecord) -> bool:
        """Every record passes, in Chinese if its message is known."""
        record.msg, record.args = chinese(record.getMessage()), ()
        return True


def chinese(text: str) -> str:
    """A sentence in Chinese; unchanged if it is unknown."""
    return _chinese(text, _DEEPEST)


class _Value(str):
    """A value of a sentence: `{0}` is written as it is, `{0:+}` is a sentence of ours itself, and
    `{0:;}` clauses of ours, each translated.
    """

    depth = 0

    def __format__(self, spec: str) -> str:
        if spec == ";":
            return "；".join(_clause(clause, self.depth) for clause in self.split("; "))
        return _chinese(str(self), self.depth) if spec == "+" else str(self)


def _clause(text: str, depth: int) -> str:
    """A clause, which may begin with the place in a file that it is about."""
    if place := _PLACE.match(text):
        kind, number = place.groups()
        where = f"第 {number} {'行' if kind == 'line' else '项'}："
        return where + _chinese(text[place.end() :], depth)
    return _chinese(text, depth)


def _chinese(text: str, depth: int) -> str:
    if not depth:
        return text
    if depth < _DEEPEST and text not in SENTENCES and _LISTED.fullmatch(text):
        return text.replace(" or ", " 或 ").replace(", ", "、")
    if depth < _DEEPEST and (number := _COUNTED.fullmatch(text)):
        return f"{number[1]} {_OF_COUNTED[number[2]]}"
    for parts, translated in _patterns():
        if (texts := _values(parts, text)) is not None:
            values = [_Value(value) for value in texts]
            for value in values:
                value.depth = depth - 1
            return translated.format(*values)
    return text


def _values(parts: Sequence[str], text: str) -> list[str] | None:
    """What stands between the parts of a sentence; None: it is another. In linear time."""
    first, *middle = parts
    if not middle:
        return [] if text == first else None
    *middle, last = middle
    place, end = len(first), len(text) - len(last)
    if not text.startswith(first) or not text.endswith(last) or place > end:
        return None
    values = []
    for part in middle:
        at = text.find(part, place, end)
        if at < 0:
            return None
        values.append(text[place:at])
        place = at + len(part)
    return [*values, text[place:end]]


@cache
def _patterns() -> list[tuple[list[str], str]]:
    """The most specific sentence first: the one with the most letters of its own. A sentence of
    several clauses comes before any of these, which may stand in it.
    """

    def own_letters(english: str) -> tuple[bool, int]:
        return ":;}" in SENTENCES[english], len(english.replace(ANY, ""))

    ordered = sorted(SENTENCES, key=own_letters, reverse=True)
    return [(english.split(ANY), SENTENCES[english]) for english in ordered]
