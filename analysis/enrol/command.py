"""`analysis enrol RUN`: the reference of a run, as a file."""

import argparse
import json
import re
from pathlib import Path
from typing import Any

from recording.chinese import in_language
from recording.chinese.parser import add_lang
from recording.counted import counted
from recording.errors import InputError
from recording.untrusted_text import printable

FOLDER = Path("references")
_ODD = re.compile(r"[^\w.@-]+")


def add_command(commands: Any) -> None:
    """Declare the command and what it takes."""
    enrol = commands.add_parser("enrol", help="make a reference for mode identity from a run")
    enrol.add_argument("run", type=Path, metavar="RUN", help="of --mode identity --enrol")
    enrol.add_argument("--model", default="", help="default: the run's only one")
    enrol.add_argument(
        "--output", type=Path, metavar="FILE", help="default: references/MODEL@HOST.json"
    )
    add_lang(enrol)
    enrol.set_defaults(command=run)


def run(options: argparse.Namespace) -> None:
    """Write the reference. Raises InputError."""
    from analysis.enrol import reference
    from analysis.reading.atomic_file import replace_text
    from analysis.reading.load import load
    from identity.looks import self_check

    try:
        profile = reference.of(load(options.run), options.model)
    except InputError as error:
        raise InputError(f"{options.run} {error}.") from None
    name = _ODD.sub("-", f"{profile.model}@{profile.host.partition(':')[0]}")
    path = options.output or FOLDER / f"{name}.json"
    replace_text(path, json.dumps(profile.as_dict(), ensure_ascii=False, indent=1) + "\n")
    print(printable(path))
    kinds = [cell.kind for cell in profile.cells]
    summary = (
        f"{counted(kinds.count('spread'), 'question')} with several answers, "
        f"{kinds.count('concentrated')} with one; its halves agree (p = {self_check(profile):.2g})"
    )
    print(in_language(summary, options.lang))
