"""docs/reference/simulator.md: the simulator's profile keys, features and ledger, from its code."""

import inspect
import re
from dataclasses import MISSING, fields
from typing import Any

from simulator import profile
from simulator.dialects import DIALECTS
from simulator.faults import FAULTS
from simulator.features.table import FEATURES, states
from simulator.ledger import COLUMNS
from simulator.schedule import Window

_MODEL = profile.Model("any")
_COMMENTED = re.compile(r"^    (\w+): [^#]*?(?:# (.*))?$", re.MULTILINE)


def page() -> str:
    """The whole page."""
    parts = [
        "# The simulator: profile keys, features, ledger, dialects, faults\n\nThis page is made "
        "from the code. [The simulator](../how-to/simulator.md) explains how these things are "
        "used.",
        "## Profile keys\n\nA profile is a TOML file. At its top level it may have `currency` "
        "(by default `CNY`), `any_model = true` (every model name is served), and a table "
        '`[models."NAME"]` for each model, with its `owner`. The tables below apply to all models '
        "if they are at the top level, and to one model if they are below its table, as in "
        '`[models."NAME".latency]`. `[features]`, `[ports]` and `[[schedule]]` are allowed only at '
        "the top level.",
        *(_section(name, type(getattr(_MODEL, name))) for name in profile.SECTIONS),
        _section("ports", profile.Ports),
        _section("[schedule]", Window),
        "## Features\n\nThe table `[features]` of a profile sets features to one of their states, "
        'e.g. `stop = "ignored"`; all others work. A state affects only the requests in the second '
        "column.\n\n" + _features(),
        "## Ledger\n\nThe file of `--log` has one row per request to a model, in the order in "
        "which they ended.\n\n" + _table("column", COLUMNS),
        "## Dialects\n\n" + _table("`--dialect`", {name: _about(name) for name in DIALECTS}),
        "## Faults\n\n" + _table("`--fault`", FAULTS),
    ]
    return "\n\n".join(parts) + "\n"


def _section(name: str, kind: Any) -> str:
    comments = dict(_COMMENTED.findall(inspect.getsource(kind)))
    about = " ".join((inspect.getdoc(kind) or "").split())
    rows = ["| key | default | meaning |", "|---|---|---|"]
    for item in fields(kind):
        given = item.default is not None and item.default is not MISSING
        default = f"`{_toml(item.default)}`" if given else ""
        rows.append(f"| `{item.name}` | {default} | {comments.get(item.name, '')} |")
    return f"### `[{name}]`\n\n{about}\n\n" + "\n".join(rows)


def _toml(value: Any) -> str:
    return f"[{', '.join(map(str, value))}]" if isinstance(value, tuple) else str(value).lower()


def _features() -> str:
    rows = ["| feature | affects a request | states other than `works` |", "|---|---|---|"]
    for name, feature in FEATURES.items():
        others = [f"**{state}**: {_clause(text)}" for state, text in states(name).items()][1:]
        rows.append(f"| `{name}` | {feature.touches} | {'; '.join(others)} |")
    return "\n".join(rows)


def _clause(sentence: str) -> str:
    """The sentence within another one; "JSON" and the like keep their capitals."""
    first = sentence[:1] if sentence[1:2].isupper() else sentence[:1].lower()
    return first + sentence[1:].rstrip(".")


def _table(head: str, rows: dict[str, str]) -> str:
    lines = [f"| {head} | meaning |", "|---|---|"]
    return "\n".join([*lines, *(f"| `{name}` | {text} |" for name, text in rows.items())])


def _about(name: str) -> str:
    return (inspect.getdoc(DIALECTS[name]) or "").replace("\n", " ")
