"""The command `python -m analysis hung-up RUN --upstream-log LOG`: two files and sentences."""

import argparse
from collections.abc import Mapping, Sequence
from dataclasses import asdict
from pathlib import Path
from types import MappingProxyType
from typing import TYPE_CHECKING, Any

from analysis.reading.load import load
from recording.untrusted_text import shown
from rules.conditions import Metric, Where, parse

if TYPE_CHECKING:
    from analysis.failover.checks import Check
    from analysis.failover.hung_up import HungUp

METRICS: Mapping[str, Metric] = MappingProxyType({
    "went_on": Metric("went_on", Where.EVERY, "cancelled requests that the upstream went on with"),
    "went_on_s": Metric("went_on_max_s", Where.EVERY, "for how long at most", "s"),
    "asked_after": Metric("asked_after", Where.EVERY, "attempts begun after we had hung up"),
    "charged": Metric("charged", Where.EVERY, "what the upstreams charged for them", "money"),
})  # fmt: skip


def add_command(commands: Any) -> None:
    """Declare the command and what it takes."""
    parser: argparse.ArgumentParser = commands.add_parser(
        "hung-up", help="see whether the upstream went on with cancelled requests"
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
        help="exit with 1 if one is true of a phase, e.g. went_on>0,went_on_s>2",
    )
    parser.add_argument("--lang", choices=["en", "zh"], default="en", help="default: en")
    parser.set_defaults(command=run)


def run(options: argparse.Namespace) -> bool:
    """Join, write the statement, print its sentences; whether a condition of --fail-on is true.

    Raises RunError, ConditionError and OSError.
    """
    from analysis.failover import hung_up_page as page
    from analysis.failover.hung_up import hung_up
    from analysis.failover.upstream_log import read
    from analysis.page.words import Words

    conditions = parse(options.fail_on, METRICS)
    said = hung_up(load(options.run), read(options.upstream_log))
    judged = _judged(said.found, conditions)
    failed = [one for one in judged if not one.holds]
    verdict = [f"all {len(judged)} checks passed"] if judged and not failed else failed
    paths = page.write(said, options.lang, [asdict(one) for one in judged])
    print(*map(shown, [*page.sentences(said, Words("en")), *verdict, *paths]), sep="\n")
    return bool(failed)


def _judged(found: "Sequence[HungUp]", conditions: Sequence[Any]) -> "list[Check]":
    """Every condition on every phase; what is not known fails."""
    from analysis.failover.checks import Check

    checks = []
    for condition in conditions:
        for one in found:
            value = getattr(one, METRICS[condition.metric].number)
            number = None if value is None or not one.arrived else float(value)
            holds = number is not None and not condition.met(number)
            why = "no cancelled request reached an upstream"
            checks.append(Check(str(condition), f"{one.phase}, {one.when}", number, holds, why))
    return checks
