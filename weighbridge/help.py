"""The help of the command `weighbridge`, by group or by mode; versions; mistyped commands."""

import platform
import textwrap
from collections.abc import Collection
from dataclasses import fields
from importlib.metadata import PackageNotFoundError
from importlib.metadata import version as installed

from loadshapes.modes import MODES
from recording.manifest import git_commit, project_version
from settings.command_line import nearest
from settings.option import GROUPS, flag, modes_in_words, readers
from settings.options import Options

WIDTH = 100
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
DEMO = (
    "weighbridge: the demo asks the embedded simulator for a burst of 100, a window of 10 s and "
    "each probe once: about 50 seconds, without a key or any cost."
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


def page() -> str:
    """`weighbridge --help`."""
    lines = [
        "Load tests for OpenAI-compatible LLM gateways that also count the money.",
        "",
        "  weighbridge MODE [options]    run a mode: results/<run id>/report.html has the numbers",
        "  weighbridge MODE --help       the options that the mode reads",
        "  weighbridge COMMAND [...]     one of the tools below",
        "",
        "Modes",
        *_table({name: mode.about for name, mode in MODES.items()}),
        "",
        "Commands",
        *_table(TOOLS),
    ]
    return "\n".join([*lines, *_options(""), "", *textwrap.wrap(LOCUSTS, WIDTH)]) + "\n"


def of_mode(mode: str) -> str:
    """`weighbridge MODE --help`."""
    example = " ".join(["weighbridge", mode, *MODES[mode].example])
    lines = [
        f"weighbridge {mode} [options]",
        f"for example: {example}",
        "",
        *textwrap.wrap(MODES[mode].about, WIDTH),
    ]
    return "\n".join([*lines, *_options(mode), "", *textwrap.wrap(LOCUSTS, WIDTH)]) + "\n"


def unknown(what: str, words: Collection[str]) -> str:
    """The error message for a first word that is neither a mode nor a command."""
    if what.startswith("-"):
        return f"{what} is where the mode must be: write weighbridge MODE {what} ..., e.g. rpm."
    near = nearest(what, words)
    hint = f"did you mean {near}?" if near else f"the modes are {', '.join(MODES)}."
    return f"{what} is neither a mode nor a command: {hint}"


def _options(mode: str) -> list[str]:
    """The options of a mode (empty: of all modes), by group."""
    lines = []
    for group, purpose in GROUPS.items():
        shown = {"-H, --host": HOST} if group == "gateway" else {}
        for item in fields(Options):
            if item.metadata["group"] != group or item.name == "mode":
                continue
            modes = readers(item)
            if mode and mode not in modes:
                continue
            facts = [str(item.metadata["help"])]
            if item.metadata["choices"]:
                facts.append(f"one of {', '.join(item.metadata['choices'])}")
            if item.default not in ("", False):
                facts.append(f"default {item.default:g}" if isinstance(item.default, float)
                             else f"default {item.default}")  # fmt: skip
            if not mode and len(modes) < len(MODES):
                facts.append(modes_in_words(item))
            shown[flag(item.name)] = "; ".join(facts)
        if shown:
            lines += ["", f"{group.capitalize()}: {purpose}", *_table(shown)]
    return lines


def _table(rows: dict[str, str]) -> list[str]:
    wide = max(map(len, rows)) + 2
    lines = []
    for name, text in rows.items():
        first, *more = textwrap.wrap(text, WIDTH - wide - 2, break_on_hyphens=False)
        lines.append(f"  {name:<{wide}}{first}")
        lines += [" " * (wide + 2) + line for line in more]
    return lines
