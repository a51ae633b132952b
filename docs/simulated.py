"""docs/reference/simulator.md: the simulator's profile keys, ledger and dialects, from its code."""

import inspect
import re
from dataclasses import fields

from simulator import profile
from simulator.dialects import DIALECTS
from simulator.faults import FAULTS
from simulator.ledger import COLUMNS

_COMMENTED = re.compile(r"^    (\w+): [^#]*?(?:# (.*))?$", re.MULTILINE)


def page() -> str:
    """The whole page."""
    parts = [
        "# The simulator: profile keys, ledger, dialects, faults\n\nMade from the code by "
        "`make docs`. [The simulator](../simulator.md) says how they are used.",
        "## Profile keys\n\nTop level: `currency` (default `CNY`), `any_model` (serve every model "
        'name; default `false`), `[models."NAME"]` with `owner`. The tables below stand at the top '
        'level for all models, or below one: `[models."NAME".latency]`.',
        *(_section(name) for name in profile.SECTIONS),
        "## Ledger\n\nOne row per chat request, in the order in which they ended.\n\n"
        + _table("column", COLUMNS),
        "## Dialects\n\n" + _table("`--dialect`", {name: _about(name) for name in DIALECTS}),
        "## Faults\n\n" + _table("`--fault`", FAULTS),
    ]
    return "\n\n".join(parts) + "\n"


def _section(name: str) -> str:
    kind = type(getattr(profile.Model("any"), name))
    comments = dict(_COMMENTED.findall(inspect.getsource(kind)))
    about = (inspect.getdoc(kind) or "").split("\n")[0]
    rows = ["| key | default | meaning |", "|---|---|---|"]
    for item in fields(kind):
        default = "" if item.default is None else f"`{item.default}`"
        rows.append(f"| `{item.name}` | {default} | {comments.get(item.name, '')} |")
    return f"### `[{name}]`\n\n{about}\n\n" + "\n".join(rows)


def _table(head: str, rows: dict[str, str]) -> str:
    lines = [f"| {head} | meaning |", "|---|---|"]
    return "\n".join([*lines, *(f"| `{name}` | {text} |" for name, text in rows.items())])


def _about(name: str) -> str:
    return (inspect.getdoc(DIALECTS[name]) or "").replace("\n", " ")
