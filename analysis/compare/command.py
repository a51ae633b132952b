"""The commands `compare` and `timeline`: two runs or more, side by side or one after another."""

import argparse
import math
import sys
from pathlib import Path
from typing import Any

from analysis.reading.load import load
from recording.chinese import in_language
from recording.chinese.parser import add_lang
from recording.errors import OperatorError
from recording.untrusted_text import as_json, printable


def add_commands(commands: Any) -> None:
    """Declare them."""
    compare = commands.add_parser("compare", help="compare runs with the first one")
    compare.add_argument("runs", type=Path, nargs="+", metavar="RUN", help="two or more folders")
    compare.add_argument("--html", type=Path, metavar="PATH", help="write the page as HTML as well")
    compare.add_argument("--json", type=Path, metavar="PATH", help="write the findings as JSON")
    add_lang(compare)
    compare.add_argument("--force", action="store_true", help="compare runs with unlike plans too")
    compare.add_argument(
        "--fail-on-regression",
        nargs="?",
        const="all",
        metavar="NUMBERS",
        help="exit with 1 where one of these is shown to be worse, e.g. p95_s,success_rate "
        "(alone: any)",
    )
    compare.add_argument(
        "--tolerance",
        type=float,
        default=0.0,
        metavar="SHARE",
        help="a change up to this share is no regression, e.g. 0.05 (default: 0)",
    )
    compare.add_argument("--seed", type=int, default=0, help="of the resampling; default: 0")
    compare.set_defaults(command=_compare)

    timeline = commands.add_parser("timeline", help="join runs of different hours into one table")
    timeline.add_argument("runs", type=Path, nargs="+", metavar="RUN", help="the runs' folders")
    timeline.add_argument(
        "--output", type=Path, default=Path("timeline"), metavar="DIR", help="default: timeline"
    )
    add_lang(timeline)
    timeline.set_defaults(command=_timeline)


def _compare(options: argparse.Namespace) -> bool:
    from analysis.compare import comparison, page
    from analysis.page import html, markdown
    from analysis.page.words import Words
    from analysis.reading.atomic_file import replace_text

    gate = options.fail_on_regression
    numbers = comparison.numbers_of(gate)
    if len(options.runs) < 2:
        raise OperatorError(
            "compare takes two runs or more: name the baseline first, then the others."
        )
    if not 0 <= options.tolerance < math.inf:
        raise OperatorError(
            f"--tolerance must be a share, 0 or more (0.1: 10%), not {options.tolerance:g}."
        )
    if options.seed < 0:
        raise OperatorError(f"--seed must be a whole number, 0 or more, not {options.seed}.")
    runs = [load(folder) for folder in options.runs]
    compared = comparison.compare(runs, options.seed, options.force)
    t = Words(options.lang, runs[0].currency)
    document = page.compose(compared, t)
    print(markdown.render(document), end="", flush=True)
    content = as_json(page.as_dict(compared)) + "\n"
    for path, text in ((options.html, html.render(document)), (options.json, content)):
        if path is not None:
            replace_text(path, text)
            print(printable(path), flush=True)
    worse = compared.regressions(numbers, options.tolerance) if gate is not None else []
    for finding in worse:
        print(
            f"weighbridge: {printable(page.sentence(finding, t))}{t.stop}",
            file=sys.stderr,
        )
    if gate is not None and not worse:
        _require_compared(compared.untested(numbers), gate == "all", len(numbers), options.lang)
    return bool(worse)


def _require_compared(untested: dict[str, str], any_will_do: bool, gated: int, lang: str) -> None:
    """Refuse to pass numbers that no phase could compare: they show neither a regression nor its
    absence. With `any_will_do` one compared number is enough, and success_rate must be among
    them. Raises OperatorError.
    """
    if not untested:
        return
    name, why = next(iter(untested.items()))
    what = f"{name} could be compared in no phase"
    if any_will_do and len(untested) == gated:
        what = "no number could be compared"
    elif any_will_do and "success_rate" in untested:
        what, why = "success_rate could be compared in no phase", untested["success_rate"]
    elif any_will_do:
        for name, why in untested.items():
            text = f"note: {name} could be compared in no phase ({why})."
            print(f"weighbridge: {printable(in_language(text, lang))}", file=sys.stderr)
        return
    raise OperatorError(
        f"--fail-on-regression: {what} ({why}): make both runs longer, or name others."
    )


def _timeline(options: argparse.Namespace) -> None:
    from analysis.compare import timeline

    written = timeline.write([load(run) for run in options.runs], options.output, options.lang)
    print(*map(printable, written), sep="\n")
