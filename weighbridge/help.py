"""The help of the command `weighbridge`, by group or by mode, in both languages; versions;
mistyped commands.
"""

import argparse
import platform
import textwrap
from collections.abc import Collection, Mapping
from dataclasses import Field, fields
from importlib.metadata import PackageNotFoundError
from importlib.metadata import version as installed
from typing import Any

from loadshapes.modes import MODES
from loadshapes.modes.mode import Mode
from recording.chinese.help import HELP
from recording.chinese.parser import into_chinese, wrapped
from recording.manifest import git_commit, project_version
from settings import chinese
from settings.command_line import nearest
from settings.option import GROUPS, flag, modes_in_words, readers
from settings.options import Options

WIDTH = 100
PURPOSE = "Load tests for OpenAI-compatible LLM gateways that also count the money."
TOOLS = {
    "demo": "a short evaluation of the embedded simulator, with its report (no key, no cost)",
    "ui": "Locust's web UI with our start form, on http://127.0.0.1:8089",
    "worker": "a load generator for a run whose master is elsewhere (--master-host)",
    "simulator": "the simulated gateway alone",
    "report": "write report.md, report.html and summary.json of a run folder again",
    "summary": "print the numbers of a run",
    "check": "check whether a run is complete and good enough (--fail-on)",
    "compare": "compare runs with the first one",
    "timeline": "join runs of different hours into one table",
    "reconcile": "compare a run's costs with a price table and a bill",
    "needs": "write the features that your own requests use, as compat.toml",
    "export": "write a run's rows as CSV, Parquet or JSONL",
    "import": "make a run folder from JSONL that the article's script wrote",
    "enrol": "make a reference from a run of mode identity with --enrol",
    "failover": "join a run with the simulator's log: what did the gateway do with each fault?",
    "hung-up": "join cancelled requests with the upstream's log: did it go on, what was charged?",
    "watch": "see whether a model differs day after day, in runs of mode identity",
    "spans": "write a run's requests as spans (OTLP-JSON)",
}
WAYS = {
    "weighbridge MODE [options]": "run a mode: results/<run id>/report.html has the numbers",
    "weighbridge MODE --help": "the options that the mode reads",
    "weighbridge COMMAND [...]": "one of the tools below",
}
DEMO = (
    "the demo asks the embedded simulator for a burst of 100, a window of 10 s and each probe once"
    ": about 50 seconds, without a key or any cost."
)
HOST = (
    "base URL of the gateway, e.g. https://host/v1 (without it: OPENAI_BASE_URL of the environment "
    "or .env)"
)
LOCUSTS = (
    "Locust's own options go with every run: --processes N, --master and --worker, --csv, --html, "
    "--json, --loglevel, and what `locust --help` lists. The key comes from OPENAI_API_KEY of the "
    "environment or .env, never from an option."
)


def version() -> str:
    """Our version with its commit, and those of the libraries that matter."""
    commit = git_commit()
    ours = f"commit {commit[:12]}" if commit else "no commit known"
    lines = [f"weighbridge {project_version()} ({ours})"]
    for name in ("locust", "openai"):
        try:
            lines.append(f"{name} {installed(name)}")
        except PackageNotFoundError:
            lines.append(f"{name} is not installed")
    return ", ".join([*lines, f"Python {platform.python_version()}"])


class Help:
    """The help in one language."""

    def __init__(self, lang: str = "en") -> None:
        self._zh = lang == "zh"

    def page(self) -> str:
        """`weighbridge --help`."""
        lines = [
            self._t(PURPOSE),
            "",
            *self._table({way: self._t(what) for way, what in WAYS.items()}),
            "",
            self._t("Modes"),
            *self._table({name: self._about(mode) for name, mode in MODES.items()}),
            "",
            self._t("Commands"),
            *self._table({name: self._t(what) for name, what in TOOLS.items()}),
        ]
        return "\n".join([*lines, *self._options(""), "", *self._wrapped(self._t(LOCUSTS))]) + "\n"

    def of_mode(self, mode: str) -> str:
        """`weighbridge MODE --help`."""
        example = " ".join(["weighbridge", mode, *MODES[mode].example])
        lines = [
            f"weighbridge {mode} [options]",
            f"{self._t('for example: ')}{example}",
            "",
            *self._wrapped(self._about(MODES[mode])),
        ]
        more = [*self._options(mode), "", *self._wrapped(self._t(LOCUSTS))]
        return "\n".join([*lines, *more]) + "\n"

    def demo(self) -> str:
        """What the demo does."""
        return self._t(DEMO)

    def simulator(self, parser: argparse.ArgumentParser, faults: Mapping[str, str]) -> str:
        """`weighbridge simulator --help`."""
        if self._zh:
            into_chinese(parser)
            of_faults = next(group for group in parser._action_groups if group.title == "故障")
            listed = "；".join(f"{name}（{self._t(what)}）" for name, what in faults.items())
            of_faults.description = f"NAME 可取：{listed}"
        return parser.format_help()

    def _t(self, text: str) -> str:
        return HELP[text] if self._zh else text

    def _about(self, mode: Mode) -> str:
        if not self._zh:
            return mode.about
        return f"{mode.question[1]}：{mode.sends[1]}".replace("`", "")

    def _options(self, mode: str) -> list[str]:
        """The options of a mode (empty: of all modes), by group."""
        lines = []
        for group, purpose in GROUPS.items():
            shown = {"-H, --host": self._t(HOST)} if group == "gateway" else {}
            for item in fields(Options):
                if item.metadata["group"] != group or item.name == "mode":
                    continue
                if not mode or mode in readers(item):
                    shown[flag(item.name)] = self._facts(item, whole=not mode)
            if shown:
                title = f"{group.capitalize()}: {purpose}"
                if self._zh:
                    title = "：".join(chinese.GROUPS[group])
                lines += ["", title, *self._table(shown)]
        return lines

    def _facts(self, item: "Field[Any]", whole: bool) -> str:
        """The help of an option, its choices and default, and on the `whole` page its modes."""
        default, choices = "", item.metadata["choices"]
        if item.default not in ("", False):
            default = f"{item.default:g}" if isinstance(item.default, float) else str(item.default)
        every = not whole or len(readers(item)) == len(MODES)
        modes = "" if every else modes_in_words(item, self._zh)
        if self._zh:
            if item.name == "lang":
                default = ""  # here it is the environment's, as its help says
            facts = [
                "：".join(chinese.OPTIONS[item.name]),
                f"可选 {'、'.join(choices)}" if choices else "",
                f"默认 {default}{' 秒' if item.metadata['seconds'] else ''}" if default else "",
                modes,
            ]
            return "；".join(filter(None, facts))
        facts = [
            str(item.metadata["help"]),
            f"one of {', '.join(choices)}" if choices else "",
            f"default {default}" if default else "",
            modes,
        ]
        return "; ".join(filter(None, facts))

    def _wrapped(self, text: str, width: int = WIDTH) -> list[str]:
        if self._zh:
            return wrapped(text, width)
        return textwrap.wrap(text, width, break_on_hyphens=False)

    def _table(self, rows: Mapping[str, str]) -> list[str]:
        wide = max(map(len, rows)) + 2
        lines = []
        for name, text in rows.items():
            first, *more = self._wrapped(text, WIDTH - wide - 2)
            lines.append(f"  {name:<{wide}}{first}")
            lines += [" " * (wide + 2) + line for line in more]
        return lines


def unknown(what: str, words: Collection[str]) -> str:
    """The error message for a first word that is neither a mode nor a command."""
    if what.startswith("-"):
        return f"{what} is where the mode must be: write weighbridge MODE {what} ..., e.g. rpm."
    near = nearest(what, words)
    hint = f"did you mean {near}?" if near else f"the modes are {', '.join(MODES)}."
    return f"{what} is neither a mode nor a command: {hint}"
