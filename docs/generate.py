"""Writes the parts of the documentation that follow from code: `make docs`.

The README's table of columns, docs/options.md and docs/outcomes.md. A test sees that they are
what the code says.
"""

import inspect
import sys
from dataclasses import fields
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
sys.path.insert(0, str(ROOT))

from loadshapes.options import Options  # noqa: E402
from recording import outcome  # noqa: E402
from recording.record import MEANINGS, TYPES  # noqa: E402

BEGIN, END = "<!-- columns: made by `make docs` -->", "<!-- /columns -->"


def columns() -> str:
    """The record's columns as a Markdown table."""
    rows = [f"| `{name}` | {TYPES[name].__name__} | {text} |" for name, text in MEANINGS.items()]
    return "\n".join(["| column | type | meaning |", "|---|---|---|", *rows])


def options() -> str:
    """docs/options.md."""
    rows = []
    for item in fields(Options):
        flag = "--" + item.name.replace("_", "-")
        shown = "" if item.default in ("", False) else f"`{item.default}`"
        choices = ", ".join(f"`{c}`" for c in item.metadata.get("choices", ()) if c)
        text = item.metadata["help"] + (f" ({choices})" if choices else "")
        rows.append(f"| `{flag}` | {shown} | {text} |")
    head = (
        "# Options\n\nEvery option also comes from the environment as `WEIGHBRIDGE_<NAME>` (upper "
        "case, `_` for `-`) and from Locust's own configuration files. Locust's options stay what "
        "they are.\n\n| option | default | meaning |\n|---|---|---|\n"
    )
    return head + "\n".join(rows) + "\n"


def outcomes() -> str:
    """docs/outcomes.md."""
    tree = inspect.getdoc(outcome) or ""
    body = tree.split("\n\n", 1)[1]
    return (
        "# Outcomes\n\nHow a planned request can end. The set is closed: every row's `outcome` is "
        "one of these names, and `success` is true for `ok` alone.\n\n```text\n"
        + body.rstrip()
        + "\n```\n"
    )


def readme(text: str) -> str:
    """The README with its table of columns renewed."""
    before, rest = text.split(BEGIN)
    return f"{before}{BEGIN}\n{columns()}\n{END}{rest.split(END)[1]}"


def pages() -> dict[Path, str]:
    """Every generated page and what it should hold."""
    front = ROOT / "README.md"
    return {
        front: readme(front.read_text(encoding="utf-8")),
        ROOT / "docs" / "options.md": options(),
        ROOT / "docs" / "outcomes.md": outcomes(),
    }


if __name__ == "__main__":
    for path, content in pages().items():
        path.write_text(content, encoding="utf-8")
