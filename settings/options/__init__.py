"""Every option of a run, with its default and its help. Pure.

One table serves the command line, the environment (`WEIGHBRIDGE_<NAME>`), Locust's config files,
the web UI's start form, the documentation and the manifest. There is one file per group of options.
The seed's options keep the seed's names and defaults.
"""

import shlex
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import Any

from rules.slo import Slo
from rules.slo import read as read_slo
from settings.known_modes import known
from settings.option import withheld
from settings.options.gateway import Gateway
from settings.options.judging import BY_HAND, Judging
from settings.options.load import WINDOWS, Load
from settings.options.money import Money
from settings.options.output import Output
from settings.options.simulator import Simulator
from settings.options.traffic import PROMPTED, Traffic

__all__ = ["BY_HAND", "PROMPTED", "WINDOWS", "Options", "as_dict", "as_kept"]

WITHHELD = "withheld by --no-content"


@dataclass(frozen=True, kw_only=True)
class Options(Simulator, Output, Judging, Money, Traffic, Gateway, Load):
    """A snapshot of the options of one run. The last group's fields come first."""

    @classmethod
    def of(cls, namespace: object) -> "Options":
        """The snapshot of parsed arguments (any object with our options as attributes)."""
        return cls(**{name: getattr(namespace, name) for name in cls.__dataclass_fields__})

    def public(self) -> "Options":
        """The options without secrets: only the names of headers, and only the program of a
        command.
        """
        return replace(
            self,
            header=_names(self.headers),
            key_command=_program(self.key_command),
            against_header=_names(self.against_headers),
            against_key_command=_program(self.against_key_command),
        )

    @property
    def grace_s(self) -> float:
        """How long after a window a late request is still sent, seconds."""
        return self.timeout if self.grace < 0 else self.grace

    def objectives(self) -> Slo | None:
        """The objectives of `--slo`; None without it. Raises SloError."""
        return read_slo(Path(self.slo), known()) if self.slo else None


def _names(headers: tuple[str, ...]) -> str:
    return "\n".join(line.partition("=")[0].strip() for line in headers)


def _program(command: str) -> str:
    try:
        return (shlex.split(command) or [""])[0].rpartition("/")[2]
    except ValueError:
        return "(unreadable)"


def as_dict(options: Options) -> dict[str, Any]:
    """The options as a plain dictionary, for a generator. It holds no secret."""
    return asdict(options)


def as_kept(options: Options) -> dict[str, Any]:
    """The options for the manifest; with `--no-content`, without prompts."""
    values = as_dict(options)
    return withheld(values, Options, WITHHELD) if options.no_content else values
