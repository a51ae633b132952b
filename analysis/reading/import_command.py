"""The command `import`: a run folder from the seed's JSONL."""

import argparse
from pathlib import Path
from typing import Any

from recording.untrusted_text import printable


def add_command(commands: Any) -> None:
    """Declare the command and what it takes."""
    imports = commands.add_parser("import", help="make a run folder from the seed's JSONL")
    imports.add_argument("files", type=Path, nargs="+", metavar="JSONL")
    imports.add_argument("--results", type=Path, default=Path("results"), help="default: results")
    imports.add_argument("--run-id", help="default: the files' own")
    imports.add_argument("--currency", help="currency of the costs, e.g. CNY; default: not known")
    imports.set_defaults(command=_import)


def _import(options: argparse.Namespace) -> None:
    from analysis.reading import import_jsonl

    folder = import_jsonl.read(options.files, options.results, options.run_id, options.currency)
    print(printable(folder))
