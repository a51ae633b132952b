"""The command `python -m analysis failover RUN --upstream-log LOG`: two files and sentences."""

import argparse
from pathlib import Path
from typing import Any

from analysis.reading.load import load
from recording.untrusted_text import shown


def add_command(commands: Any) -> None:
    """Declare the command and what it takes."""
    parser: argparse.ArgumentParser = commands.add_parser(
        "failover", help="see what a gateway did when its upstream failed"
    )
    parser.add_argument("run", type=Path, metavar="RUN", help="the run's folder")
    parser.add_argument(
        "--upstream-log",
        type=Path,
        nargs="+",
        required=True,
        metavar="CSV",
        help="the --log of the simulator behind the gateway; of several, all of them",
    )
    parser.add_argument("--lang", choices=["en", "zh"], default="en", help="default: en")
    parser.set_defaults(command=run)


def run(options: argparse.Namespace) -> None:
    """Join, write the statement, print its sentences. Raises RunError and OSError."""
    from analysis.failover import page
    from analysis.failover.joined import join
    from analysis.failover.numbers import groups
    from analysis.failover.upstream_log import read
    from analysis.page.words import Words

    joined = join(load(options.run), read(options.upstream_log))
    found = groups(joined)
    said = page.sentences(joined, found, Words("en", joined.run.currency))
    print(*map(shown, [*said, *page.write(joined, found, options.lang)]), sep="\n")
