"""The files that the modes' example command lines name (`Mode.example`)."""

import argparse
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from loadshapes.modes.mode import Mode
from settings.command_line import add_arguments
from settings.options import Options

FILES = {
    "slo.toml": "success_rate = 0.9\n",
    "trace.jsonl": "".join(
        f'{{"at_s": {number * 0.11:.2f}, "prompt_tokens": {100 + 90 * number}, "max_tokens": 32}}\n'
        for number in range(60)
    ),
}


def with_files(example: Sequence[str], folder: Path) -> list[str]:
    """The words of an example, with the paths of files that were written to a folder."""
    for name, text in FILES.items():
        (folder / name).write_text(text, encoding="utf-8")
    return [str(folder / word) if word in FILES else word for word in example]


class PlainParser:
    """argparse's parser, which knows Locust's options that an example may name."""

    def __init__(self) -> None:
        self.argparse = argparse.ArgumentParser()
        for name in ("-u", "-r", "-t", "--stop-timeout"):
            self.argparse.add_argument(name)

    def add_argument(
        self, *names: str, env_var: str = "", include_in_web_ui: bool = True, **kwargs: Any
    ) -> None:
        self.argparse.add_argument(*names, **kwargs)


def options_of(mode: Mode, folder: Path, *more: str) -> Options:
    """The options of a mode's example, and more."""
    parser = PlainParser()
    add_arguments(Options, parser)
    line = ["--mode", mode.name, *with_files(mode.example, folder), *more]
    return Options.of(parser.argparse.parse_args(line))
