"""`analysis watch RUN...`: does a model differ day after day, in runs of mode identity?"""

import argparse
import sys
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

from analysis.page.words import Words, integer
from identity.looks import Verdict
from identity.watch import DAYS, by_day, watched
from recording.chinese.parser import add_lang
from recording.errors import InputError
from recording.untrusted_text import printable, quoted

if TYPE_CHECKING:
    from analysis.reading.load import Run

Compared = tuple[str, str]
"""What a run was held against: when a reference was made (empty: it was a second route, live) and
over which host; both empty: nothing."""


@dataclass(frozen=True, slots=True)
class Watched:
    """What is judged by itself: a model over a route, with or without a reference. One says nothing
    of another: the vendor's own day clears no relay."""

    model: str
    route: str
    kind: str


@dataclass(frozen=True, slots=True)
class Audit:
    """What one run says of it."""

    began: datetime
    verdict: Verdict
    compared: Compared


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
    add_lang(watch)
    watch.set_defaults(command=run)


def run(options: argparse.Namespace) -> bool:
    """Print the days of each model and route; whether one differs day after day, or cannot be
    judged. Raises InputError."""
    if options.days < 1:
        raise InputError(f"--days {options.days} is no number of days: give 1 or more.")
    t, alarms = Words(options.lang), list[str]()
    for watched_model, audits in _audits(options.runs).items():
        last = max(audits, key=lambda audit: audit.began).compared
        counted = [audit for audit in audits if audit.compared == last]
        days = by_day([(audit.began.astimezone(UTC).date(), audit.verdict) for audit in counted])
        verdict, name = watched(days, options.days), _name(t, watched_model, last)
        print(printable(f"{name}{t.colon}{_verdict(t, verdict)}"))
        print(
            *(f"  {day}  {_verdict(t, verdict_of_day)}" for day, verdict_of_day in days.items()),
            sep="\n",
        )
        if others := [audit.compared for audit in audits if audit.compared != last]:
            print(printable(f"  {_left_out(t, others)}"))
        alarms += _alarm(t, name, verdict, options.days)
    for alarm in alarms:
        print(f"weighbridge: {printable(alarm)}", file=sys.stderr)
    return bool(alarms)


def _alarm(t: Words, name: str, verdict: Verdict, days: int) -> list[str]:
    """Why it alarms; empty: it does not."""
    if verdict is Verdict.DIFFERS:
        return [
            t(
                f"{name}: differs on each of the last {days} days that it was asked; see these "
                "runs' reports for what differs.",
                f"{name}：最近 {days} 个提问日每天都有差异；差异何在，见这些运行的报告。",
            )
        ]
    if verdict is Verdict.NOT_ENOUGH:
        return [
            t(
                f"{name}: no day without a difference is among the last {days}, and too few have a "
                "verdict; ask again.",
                f"{name}：最近 {days} 个提问日没有一天未见差异，有判定的日子又太少；请再次提问。",
            )
        ]
    return []


def _name(t: Words, watched_model: Watched, compared: Compared) -> str:
    return t(
        f"{quoted(watched_model.model, 60)} over {watched_model.route}, {_compared(t, compared)}",
        f"{quoted(watched_model.model, 60)}，经 {watched_model.route}，{_compared(t, compared)}",
    )


def _compared(t: Words, compared: Compared) -> str:
    when, host = compared[0][:16].replace("T", " "), quoted(compared[1], 60)
    if when:
        return t(f"against the reference of {when} over {host}", f"对照 {when} 经 {host} 的参照")
    if compared[1]:
        return t(f"beside {host}", f"与 {host} 成对提问")
    return t("without a reference", "没有参照")


def _left_out(t: Words, others: Sequence[Compared]) -> str:
    counts = Counter(_compared(t, compared) for compared in others)
    kinds = t.join(name + t.aside(integer(n)) for name, n in counts.items())
    return t(
        f"not counted, because they were compared with something else: {kinds}",
        f"因比较对象不同而未计入：{kinds}",
    )


def _verdict(t: Words, verdict: Verdict) -> str:
    from analysis.report.sections.identity import WORDS

    return t(*WORDS[verdict])


def _audits(folders: list[Path]) -> dict[Watched, list[Audit]]:
    """What the runs say, by what each asked. Raises InputError."""
    from analysis.reading.load import load
    from analysis.reading.moment import moment
    from analysis.report import identity
    from analysis.report.report import look

    audits: dict[Watched, list[Audit]] = {}
    for folder in folders:
        loaded = load(folder)
        began, results = moment(loaded.manifest["started_at"]), identity.numbers(look(loaded))
        if began is None or not results:
            raise InputError(f"{folder} has no requests of mode identity: leave it out.")
        compared = _of(loaded)
        kind = "reference" if compared[0] else "route" if compared[1] else ""
        for result in results:
            verdict = Verdict.NOT_SHOWN if result.judged else Verdict.NOT_ENOUGH
            if result.differing:
                verdict = Verdict.DIFFERS
            watched_model = Watched(result.model, _host(loaded.base_url), kind)
            audits.setdefault(watched_model, []).append(Audit(began, verdict, compared))
    return audits


def _of(loaded: "Run") -> Compared:
    """What the run was held against."""
    enrolled, second = loaded.manifest.get("enrolled"), loaded.manifest.get("reference")
    if isinstance(enrolled, dict):
        return str(enrolled.get("ended")), str(enrolled.get("host"))
    return ("", _host(str(second["base_url"]))) if second else ("", "")


def _host(url: str | None) -> str:
    """A URL's host, and its port where that is not a usual one."""
    parts = urlsplit(url or "")
    host = parts.hostname or "?"
    return f"{host}:{parts.port}" if parts.port else host
