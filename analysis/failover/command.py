"""The commands `failover` and `hung-up`: a run beside the log of the upstreams behind its gateway.

Each joins the two, writes a page and its numbers as JSON, and prints its sentences.
"""

import argparse
from collections.abc import Callable, Iterable, Sequence
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, Any

from analysis.reading.load import load
from recording.chinese import in_language
from recording.chinese.parser import add_lang
from recording.untrusted_text import printable

if TYPE_CHECKING:
    from analysis.failover.checks import Check


def add_commands(commands: Any) -> None:
    """Declare both: they take the same options."""
    _add(
        commands.add_parser("failover", help="see what a gateway did when its upstream failed"),
        "exit with 1 if one is true of a fault, e.g. answered<0.99,wrong_streams>0",
        _failover,
    )
    _add(
        commands.add_parser(
            "hung-up", help="see whether the upstream went on with cancelled requests"
        ),
        "exit with 1 if one is true of a phase, e.g. went_on>0,went_on_s>2",
        _hung_up,
    )


def _add(
    parser: argparse.ArgumentParser, fail_on: str, command: Callable[[argparse.Namespace], bool]
) -> None:
    parser.add_argument("run", type=Path, metavar="RUN", help="the run's folder")
    parser.add_argument(
        "--upstream-log",
        type=Path,
        nargs="+",
        required=True,
        metavar="CSV",
        help="the --log of the simulator behind the gateway; of several, all of them",
    )
    parser.add_argument("--fail-on", default="", metavar="CONDITIONS", help=fail_on)
    add_lang(parser)
    parser.set_defaults(command=command)


def _failover(options: argparse.Namespace) -> bool:
    """Whether a condition of --fail-on is true. Raises RunError, ConditionError and OSError."""
    from analysis.failover import checks, page
    from analysis.failover.joined import join
    from analysis.failover.numbers import groups
    from analysis.failover.upstream_log import read
    from analysis.page.words import Words
    from rules.conditions import parse

    conditions = parse(options.fail_on, checks.METRICS)
    joined = join(load(options.run), read(options.upstream_log))
    by_fault = groups(joined)
    sentences = page.sentences(joined, by_fault, Words(options.lang, joined.run.currency))
    verdicts = checks.judge(joined, by_fault, conditions)
    paths = page.write(joined, by_fault, options.lang, [asdict(check) for check in verdicts])
    return _print(sentences, verdicts, paths, options.lang)


def _hung_up(options: argparse.Namespace) -> bool:
    """Whether a condition of --fail-on is true. Raises RunError, ConditionError and OSError."""
    from analysis.failover import hung_up_checks as checks
    from analysis.failover import hung_up_page as page
    from analysis.failover.hung_up import hung_up
    from analysis.failover.upstream_log import read
    from analysis.page.words import Words
    from rules.conditions import parse

    conditions = parse(options.fail_on, checks.METRICS)
    statement = hung_up(load(options.run), read(options.upstream_log))
    sentences = page.sentences(statement, Words(options.lang))
    verdicts = checks.judge(statement.phases, conditions)
    paths = page.write(statement, options.lang, [asdict(check) for check in verdicts])
    return _print(sentences, verdicts, paths, options.lang)


def _print(
    sentences: Sequence[str], verdicts: "Sequence[Check]", paths: Iterable[Path], lang: str
) -> bool:
    failed = [check for check in verdicts if not check.holds]
    verdict = list(map(str, failed))
    if verdicts and not failed:
        passed = "the check passed" if len(verdicts) == 1 else f"all {len(verdicts)} checks passed"
        verdict = [in_language(passed, lang)]
    print(*map(printable, [*sentences, *verdict, *paths]), sep="\n")
    return bool(failed)
