"""`analysis watch RUN...`: does a model differ day after day, in runs of mode identity?"""

import argparse
import sys
from datetime import UTC, date
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from identity.looks import Verdict
from identity.watch import DAYS, by_day, watched
from recording.errors import InputError
from recording.untrusted_text import quoted, shown


def add_command(commands: Any) -> None:
    """Declare the command and what it takes."""
    watch = commands.add_parser("watch", help="see whether a model differs day after day")
    watch.add_argument("runs", type=Path, nargs="+", metavar="RUN", help="of --mode identity")
    watch.add_argument(
        "--days",
        type=int,
        default=DAYS,
        metavar="N",
        help="alarm where it differs on each of the last N days (UTC); default: %(default)s",
    )
    watch.set_defaults(command=run)


def run(options: argparse.Namespace) -> bool:
    """Print the days of each model and route; whether one differs day after day, or cannot be
    judged. Raises InputError."""
    if options.days < 1:
        raise InputError(f"--days {options.days} is no number of days: give 1 or more.")
    alarms = []
    for asked, audits in _audits(options.runs).items():
        days = by_day(audits)
        verdict = watched(days, options.days)
        print(shown(f"{asked} {verdict}:"))
        print(*(f"  {day}  {own}" for day, own in days.items()), sep="\n")
        if verdict is Verdict.DIFFERS:
            alarms.append(
                f"{asked} differs on each of the last {options.days} days that it was "
                "asked: see these runs' reports for what differs."
            )
        elif verdict is Verdict.NOT_ENOUGH:
            alarms.append(
                f"{asked} has no day without a difference among the last "
                f"{options.days}, and too few days with a verdict: ask again."
            )
    print(*(f"weighbridge: {shown(alarm)}" for alarm in alarms), sep="\n", end="\n" * bool(alarms),
          file=sys.stderr)  # fmt: skip
    return bool(alarms)


def _audits(folders: list[Path]) -> dict[str, list[tuple[date, Verdict]]]:
    """By what was asked: a model, over a route, against a reference or without one. One of them
    says nothing of another: the vendor's own day clears no relay."""
    from analysis.reading.load import load
    from analysis.reading.moment import moment
    from analysis.report import identity
    from analysis.report.report import look

    audits: dict[str, list[tuple[date, Verdict]]] = {}
    for folder in folders:
        loaded = load(folder)
        began, judged = moment(loaded.manifest["started_at"]), identity.numbers(look(loaded))
        if began is None or not judged:
            raise InputError(f"{folder} has no requests of mode identity: leave it out.")
        for result in judged:
            verdict = Verdict.NOT_SHOWN if result.judged else Verdict.NOT_ENOUGH
            if result.differing:
                verdict = Verdict.DIFFERS
            how = "without a reference" if result.audit is None else "against a reference"
            route = urlsplit(loaded.base_url or "").hostname or "an unknown route"
            port = urlsplit(loaded.base_url or "").port
            asked = f"{quoted(result.model, 60)} over {route}{f':{port}' if port else ''}, {how},"
            audits.setdefault(asked, []).append((began.astimezone(UTC).date(), verdict))
    return audits
