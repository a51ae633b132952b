"""An argument parser whose help and errors are in the language of its command line."""

import argparse
import os
import re
import unicodedata
from typing import Any, NoReturn

from recording.chinese import asked_language, chinese
from recording.chinese.help import HELP
from recording.untrusted_text import printable

LANGUAGES = ("en", "zh")
_TITLE = re.compile(r"^([\u4e00-\u9fff]+):$", re.M)  # of a group of options, as argparse writes it
_WIDTH = 100  # columns of a terminal, of which a Chinese character takes two


class Parser(argparse.ArgumentParser):
    """An argument parser whose errors are one sentence and exit code 2."""

    zh = False

    def error(self, message: str) -> NoReturn:
        """Print what is wrong and where the help is, and end the program."""
        sentence = f"{message}: see {self.prog} --help."
        if self.zh:
            sentence = f"{chinese(message)}：用法见 {self.prog} --help。"
        self.exit(2, f"weighbridge: {printable(sentence)}\n")


def add_lang(parser: argparse.ArgumentParser) -> None:
    """Declare `--lang`."""
    parser.add_argument(
        "--lang",
        choices=LANGUAGES,
        default=asked_language((), os.environ),
        help="default: that of WEIGHBRIDGE_LANG or of the locale, else en",
    )


def into_chinese(parser: argparse.ArgumentParser) -> None:
    """Put the help of a parser and of its commands into Chinese."""
    if isinstance(parser, Parser):
        parser.zh = True
    parser.description = _translated(parser.description)
    parser.formatter_class = _Formatter
    for group in parser._action_groups:
        group.title, group.description = _translated(group.title), _translated(group.description)
    for action in parser._actions:
        action.help = _translated(action.help)
        if isinstance(action, argparse._SubParsersAction):
            for listed in action._choices_actions:
                listed.help = _translated(listed.help)
            for command in action.choices.values():
                into_chinese(command)


def _translated(text: str | None) -> str | None:
    return HELP.get(text, text) if text else text


class _Formatter(argparse.HelpFormatter):
    def __init__(self, prog: str, **more: Any) -> None:
        super().__init__(prog, **{"width": _WIDTH, **more})

    def add_usage(self, usage: Any, actions: Any, groups: Any, prefix: str | None = None) -> None:
        super().add_usage(usage, actions, groups, "用法：" if prefix is None else prefix)

    def format_help(self) -> str:
        return _TITLE.sub(r"\1：", super().format_help())

    def _split_lines(self, text: str, width: int) -> list[str]:
        return wrapped(text, width)

    def _fill_text(self, text: str, width: int, indent: str) -> str:
        return "\n".join(indent + line for line in wrapped(text, width))


def wrapped(text: str, columns: int) -> list[str]:
    """A text of Chinese and Latin words in lines: it breaks at spaces and beside Chinese
    characters, but never before a closing mark or after an opening one.
    """
    lines, line, line_columns = [], "", 0
    for piece in _pieces(text):
        size = sum(map(_columns, piece))
        if line_columns + size > columns and line.strip():
            lines.append(line.rstrip())
            line, line_columns = "", 0
            piece = piece.lstrip()
            size = sum(map(_columns, piece))
        line, line_columns = line + piece, line_columns + size
    return [*lines, line.rstrip()]


def _pieces(text: str) -> list[str]:
    """What may not be broken: Latin words with the space before them, and single Chinese
    characters with the marks beside them.
    """
    pieces: list[str] = []
    for char in " ".join(text.split()):
        before = pieces[-1] if pieces else ""
        glued = char in "，。；：、）”！？,.;:)" or before.endswith(("（", "“"))
        both_narrow = _columns(char) == 1 and before and _columns(before[-1]) == 1
        if before and (glued or before == " " or (both_narrow and char != " ")):
            pieces[-1] += char
        else:
            pieces.append(char)
    return pieces


def _columns(char: str) -> int:
    return 2 if unicodedata.east_asian_width(char) in "WF" else 1
