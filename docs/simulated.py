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
        "# The simulator: profile keys, features, ledger, dialects, faults\n\nMade from the code "
        "by `make docs`. [The simulator](../how-to/simulator.md) says how they are used.",
        "## Profile keys\n\nTop level: `currency` (default `CNY`), `any_model` (serve every model "
        'name; default `false`), `[models."NAME"]` with `owner`. The tables below are at the top '
        'level for all models, or below one: `[models."NAME".latency]`; '
        "`[features]`, `[ports]` and `[[schedule]]` are allowed only at the top level.",
        *(_section(name, type(getattr(_MODEL, name))) for name in profile.SECTIONS),
        _section("ports", profile.Ports),
        _section("[schedule]", Window),
        "## Features\n\n`[features]` in a profile sets each to one of its states; features that "
        "are not "
        "named work. A state affects only the requests in the second column.\n\n" + _features(),
        "## Ledger\n\nOne row per request to a model, in the order in which they ended.\n\n"
        + _table("column", COLUMNS),
        "## Dialects\n\n" + _table("`--dialect`", {name: _about(name) for name in DIALECTS}),
        "## Faults\n\n" + _table("`--fault`", FAULTS),
    ]
    return "\n\n".join(parts) + "\n"


def _section(name: str, kind: Any) -> str:
    comments = dict(_COMMENTED.findall(inspect.getsource(kind)))
    about = (inspect.getdoc(kind) or "").split("\n")[0]
    rows = ["| key | default | meaning |", "|---|---|---|"]
    for item in fields(kind):
        given = item.default is not None and item.default is not MISSING
        default = f"`{item.default}`" if given else ""
        rows.append(f"| `{item.name}` | {default} | {comments.get(item.name, '')} |")
    return f"### `[{name}]`\n\n{about}\n\n" + "\n".join(rows)


def _features() -> str:
    rows = ["| feature | affects a request | states other than `works` |", "|---|---|---|"]
    for name, feature in FEATURES.items():
        others = [f"**{state}**: {_clause(text)}" for state, text in states(name).items()][1:]
        rows.append(f"| `{name}` | {feature.touches} | {'; '.join(others)} |")
    return "\n".join(rows)


def _clause(sentence: str) -> str:
    return sentence[:1].lower() + sentence[1:].rstrip(".")


def _table(head: str, rows: dict[str, str]) -> str:
    lines = [f"| {head} | meaning |", "|---|---|"]
    return "\n".join([*lines, *(f"| `{name}` | {text} |" for name, text in rows.items())])


def _about(name: str) -> str:
    return (inspect.getdoc(DIALECTS[name]) or "").replace("\n", " ")
