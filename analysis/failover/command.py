"""The command `python -m analysis failover RUN --upstream-log LOG`: writes two files."""

import argparse
from dataclasses import asdict
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
    parser.add_argument(
        "--fail-on",
        default="",
        metavar="CONDITIONS",
        help="exit with 1 if one is true of a fault, e.g. answered<0.99,wrong_streams>0",
    )
    parser.add_argument("--lang", choices=["en", "zh"], default="en", help="default: en")
    parser.set_defaults(command=run)


def run(options: argparse.Namespace) -> bool:
    """Join, write the statement, print its sentences; whether a condition of --fail-on is true.

    Raises RunError, ConditionError and OSError.
    """
    from analysis.failover import checks, page
    from analysis.failover.joined import join
    from analysis.failover.numbers import groups
    from analysis.failover.upstream_log import read
    from analysis.page.words import Words
    from rules.conditions import parse

    conditions = parse(options.fail_on, checks.METRICS)
    joined = join(load(options.run), read(options.upstream_log))
    found = groups(joined)
    said = page.sentences(joined, found, Words("en", joined.run.currency))
    judged = checks.judge(joined, found, conditions)
    failed = [one for one in judged if not one.holds]
    verdict = [f"all {len(judged)} checks passed"] if judged and not failed else failed
    paths = page.write(joined, found, options.lang, [asdict(one) for one in judged])
    print(*map(shown, [*said, *verdict, *paths]), sep="\n")
    return bool(failed)
