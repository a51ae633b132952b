"""The command line: `python -m analysis report|summary|check|compare|reconcile|...`.

Exit codes: 0 done, 1 a run failed a check, a comparison shows a regression, or a bill does not
agree, 2 the operator must change something; one sentence on stderr, after `weighbridge: `, says
what.
"""

import argparse
import math
import os
import sys
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

from analysis.enrol import command as enrol
from analysis.failover import command as failover
from analysis.failover import hung_up_command as hung_up
from analysis.features import command as features
from analysis.numbers.summarize import GROUPS, of_groups
from analysis.reading.load import Run, load
from analysis.reconcile import command
from analysis.watch import command as watch
from recording.chinese import asked_language, in_language
from recording.errors import OperatorError
from recording.untrusted_text import as_json, shown
from rules import percentiles, slo
from rules.conditions import parse

if TYPE_CHECKING:
    from analysis.report.view import View

FORMATS = ("csv", "parquet", "jsonl", "seed")


def main(arguments: Sequence[str] | None = None) -> int:
    """Run one command; returns the exit code."""
    options = _parser().parse_args(arguments)
    given = sys.argv[1:] if arguments is None else arguments
    lang = asked_language(given, os.environ)
    try:
        failed = options.command(options)
    except OperatorError as error:
        print(f"weighbridge: {shown(in_language(str(error), lang))}", file=sys.stderr)
        return 2
    except BrokenPipeError:
        sys.stderr.close()  # the reader of our output has gone: nothing is left to say
        return 0
    except OSError as error:
        where = error.filename or "a file"
        why = f"{where} cannot be used ({error.strerror}): give another path."
        print(f"weighbridge: {shown(why)}", file=sys.stderr)
        return 2
    except (AttributeError, KeyError, IndexError, TypeError, ValueError, RecursionError) as error:
        if os.environ.get("WEIGHBRIDGE_TRACEBACK"):
            raise
        why = (
            f"a file that was given cannot be read as what it should be ({type(error).__name__}: "
            f"{error}): restore it; WEIGHBRIDGE_TRACEBACK=1 shows where it was found."
        )
        print(f"weighbridge: {shown(why)}", file=sys.stderr)
        return 2
    return 1 if failed else 0


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="python -m analysis", description=__doc__.split("\n")[0])
    commands = parser.add_subparsers(required=True, metavar="COMMAND")

    report = commands.add_parser("report", help="write report.md, report.html and summary.json")
    report.add_argument("run", type=Path, metavar="RUN", help="the run's folder")
    report.add_argument("--lang", choices=["en", "zh"], default="en", help="default: en")
    report.add_argument("--output", type=Path, metavar="JSONL", help="export the rows as well")
    report.add_argument(
        "--share",
        type=Path,
        metavar="FILE",
        help="write a copy for others as well, .html or .md: no addresses, names of machines, of "
        "the run and its requests, and nothing in the gateway's own words",
    )
    report.add_argument("--print", action="store_true", help="print the numbers as well")
    _add_checks(report)
    _add_lenses(report)
    report.set_defaults(command=_report)

    summary = commands.add_parser("summary", help="print the numbers")
    summary.add_argument("run", type=Path, metavar="RUN", help="the run's folder")
    summary.add_argument("--json", action="store_true", help="as JSON")
    summary.add_argument("--lang", choices=["en", "zh"], default="en", help="default: en")
    summary.add_argument("--by", choices=["phase", *GROUPS], default="phase", help="default: phase")
    _add_lenses(summary)
    summary.set_defaults(command=_summary)

    check = commands.add_parser("check", help="see whether a run is complete and good enough")
    check.add_argument("run", type=Path, metavar="RUN", help="the run's folder")
    _add_checks(check)
    _add_lenses(check)
    check.set_defaults(command=_check, fail_on="")

    compare = commands.add_parser("compare", help="compare runs with the first one")
    compare.add_argument("runs", type=Path, nargs="+", metavar="RUN", help="two or more folders")
    compare.add_argument("--html", type=Path, metavar="PATH", help="write the page as HTML as well")
    compare.add_argument("--json", type=Path, metavar="PATH", help="write the findings as JSON")
    compare.add_argument("--lang", choices=["en", "zh"], default="en", help="default: en")
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
    timeline.add_argument("--lang", choices=["en", "zh"], default="en", help="default: en")
    timeline.set_defaults(command=_timeline)

    reconcile = commands.add_parser("reconcile", help="compare the costs with prices and a bill")
    command.add_arguments(reconcile)
    reconcile.set_defaults(command=command.run)

    export = commands.add_parser("export", help="write the rows as CSV, Parquet or JSONL")
    export.add_argument("run", type=Path, metavar="RUN", help="the run's folder")
    export.add_argument(
        "--output",
        type=Path,
        required=True,
        metavar="FILE",
        help="a name in .csv, .parquet or .jsonl: every column, one row per request",
    )
    export.add_argument(
        "--format",
        choices=FORMATS,
        help="whatever the name is; seed: the JSONL of the article's script, its fields",
    )
    export.add_argument(
        "--recorded",
        action="store_true",
        help="leave out what was planned and never sent, of which a stopped window has many",
    )
    export.set_defaults(command=_export)

    features.add_commands(commands)
    enrol.add_command(commands)
    watch.add_command(commands)
    failover.add_command(commands)
    hung_up.add_command(commands)

    spans = commands.add_parser("spans", help="write the requests as OpenTelemetry spans")
    spans.add_argument("run", type=Path, metavar="RUN", help="the run's folder")
    spans.add_argument(
        "--output",
        type=Path,
        metavar="FILE",
        help="OTLP-JSON, with the GenAI semantic conventions; default: RUN/spans.jsonl",
    )
    spans.set_defaults(command=_spans)

    imports = commands.add_parser("import", help="make a run folder from the seed's JSONL")
    imports.add_argument("files", type=Path, nargs="+", metavar="JSONL")
    imports.add_argument("--results", type=Path, default=Path("results"), help="default: results")
    imports.add_argument("--run-id", help="default: the files' own")
    imports.add_argument("--currency", help="currency of the costs, e.g. CNY; default: not known")
    imports.set_defaults(command=_import)
    return parser


def _add_checks(parser: argparse.ArgumentParser) -> None:
    parser.add_argument(
        "--fail-on",
        metavar="CONDITIONS",
        help="exit with 1 if one is true, e.g. success_rate<0.99,p95_s>10,cost>0.5",
    )
    parser.add_argument("--junit", type=Path, metavar="XML", help="write the checks as JUnit XML")


def _add_lenses(parser: argparse.ArgumentParser) -> None:
    parser.add_argument(
        "--slo",
        type=Path,
        metavar="TOML",
        help="count goodput and attainment by these objectives (default: the run's own)",
    )
    parser.add_argument(
        "--warmup",
        type=float,
        metavar="S",
        help="leave the first seconds of every window out of its numbers (default: the run's own)",
    )
    parser.add_argument(
        "--percentiles",
        metavar="LIST",
        help="which percentiles the tables show, e.g. 50,90,99,99.9 (default: the run's own)",
    )


def _load(options: argparse.Namespace) -> Run:
    """The run, with `--slo`, `--warmup` and `--percentiles` in place of its own."""
    if options.warmup is not None and not 0 <= options.warmup < math.inf:
        raise OperatorError(
            f"--warmup must be a number of seconds, 0 or more, not {options.warmup}."
        )
    objectives = None if options.slo is None else slo.read(options.slo)
    run = load(options.run)
    if objectives is not None:
        run = replace(run, manifest={**run.manifest, "slo": objectives.as_dict()})
    if (conditions := getattr(options, "fail_on", None)) is not None:
        run = run.with_option("fail_on", conditions)
    if options.warmup is not None:
        run = run.with_option("warmup", options.warmup)
    if options.percentiles is not None:
        percentiles.parse(options.percentiles)
        run = run.with_option("percentiles", options.percentiles)
    named = (
        percentiles.of_name(one.metric) for one in parse(getattr(options, "fail_on", "") or "")
    )
    return replace(run, percents=tuple(percent for percent in named if percent is not None))


def _report(options: argparse.Namespace) -> bool:
    from analysis.export import article_jsonl
    from analysis.report import report, share, terminal

    judged = options.fail_on is not None or options.junit is not None
    parse(options.fail_on or "")
    run = _load(options)
    view = report.look(run, options.lang)
    if options.share:
        share.write(run, options.share, options.lang)
    paths = [*report.write(view)]
    if options.output:
        article_jsonl.write(run, options.output)
        paths.append(options.output)
    if options.share:
        paths.append(options.share)
    if options.print:
        print(terminal.of_phases(view), end="\n\n")
    print(*map(shown, paths), sep="\n", flush=True)
    return judged and _failed(view, options)


def _check(options: argparse.Namespace) -> bool:
    from analysis.report import report

    parse(options.fail_on)
    view = report.look(_load(options))
    return _failed(view, options, view.slo, aloud=True)


def _failed(
    view: "View",
    options: argparse.Namespace,
    objectives: slo.Slo | None = None,
    aloud: bool = False,
) -> bool:
    """Judge a run; whether it failed. `aloud` prints every check, not only the sentence."""
    from analysis.report import check, junit

    checks = check.judge(view, parse(options.fail_on or ""), objectives)
    if options.junit:
        junit.write(checks, view.run, options.junit)
        print(shown(options.junit), flush=True)
    if aloud:
        print(*(shown(f"{one.verdict:8}{one}") for one in checks), sep="\n", flush=True)
    elif options.fail_on and all(one.passed for one in checks):
        passed = view.t(f"all {len(checks)} checks passed", f"{len(checks)} 项检查全部通过")
        print(passed, flush=True)
    if sentence := check.sentence(checks):
        print(f"weighbridge: {shown(sentence)}", file=sys.stderr)
    return bool(sentence)


def _summary(options: argparse.Namespace) -> None:
    from analysis.report import report, terminal
    from analysis.report.summary import Summary

    run = _load(options)
    view = report.look(run, options.lang)
    if options.by == "phase":
        print(as_json(Summary.of(view).as_dict()) if options.json else terminal.of_phases(view))
        return
    by = GROUPS[options.by]
    groups = of_groups(run, by)
    if options.json:
        found = [{by: name} | numbers.as_dict() for name, numbers in groups]
        print(as_json({"run_id": run.run_id, "groups": found}))
    else:
        print(terminal.text(view, groups, by))


def _compare(options: argparse.Namespace) -> bool:
    from analysis.compare import comparison as compare
    from analysis.compare import page as compare_page
    from analysis.page import html, markdown
    from analysis.page.words import Words
    from analysis.reading.atomic_file import replacing

    asked = options.fail_on_regression
    numbers = compare.numbers_of(asked)
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
    found = compare.compare([load(folder) for folder in options.runs], options.seed, options.force)
    t = Words(options.lang, found.runs[0].currency)
    page = compare_page.compose(found, t)
    print(markdown.render(page), end="", flush=True)
    content = as_json(compare_page.as_dict(found)) + "\n"
    for path, text in ((options.html, html.render(page)), (options.json, content)):
        if path is not None:
            with replacing(path) as file:
                file.write(text)
            print(shown(path), flush=True)
    worse = found.regressions(numbers, options.tolerance) if asked is not None else []
    for finding in worse:
        print(
            f"weighbridge: {shown(compare_page.sentence(finding, replace(t, lang='en')))}.",
            file=sys.stderr,
        )
    if asked is not None and not worse:
        _see_that_they_were_compared(found.untested(numbers), asked == "all", len(numbers))
    return bool(worse)


def _see_that_they_were_compared(untested: dict[str, str], any_will_do: bool, asked: int) -> None:
    """What could not be compared shows no regression, and no absence of one: OperatorError."""
    if not untested:
        return
    name, why = next(iter(untested.items()))
    what = f"{name} could be compared in no phase"
    if any_will_do and len(untested) == asked:
        what = "no number could be compared"
    elif any_will_do and "success_rate" in untested:
        what, why = "success_rate could be compared in no phase", untested["success_rate"]
    elif any_will_do:
        for name, why in untested.items():
            text = f"weighbridge: note: {name} could be compared in no phase ({why})."
            print(shown(text), file=sys.stderr)
        return
    raise OperatorError(
        f"--fail-on-regression: {what} ({why}): make both runs longer, or name others."
    )


def _timeline(options: argparse.Namespace) -> None:
    from analysis.compare import timeline

    written = timeline.write([load(run) for run in options.runs], options.output, options.lang)
    print(*map(shown, written), sep="\n")


def _spans(options: argparse.Namespace) -> None:
    from analysis.export import otlp

    run = load(options.run, 0)
    path = options.output or run.folder / "spans.jsonl"
    count = otlp.write(run, path)
    print(f"{count:,} spans", shown(path), sep="\n")


def _export(options: argparse.Namespace) -> None:
    from analysis.export import article_jsonl, csv_parquet

    kind = options.format or options.output.suffix.lower().removeprefix(".")
    if kind not in FORMATS or (kind == "seed" and not options.format):
        raise OperatorError(
            f"--output {options.output} has no suffix of ours: name it .csv, .parquet or .jsonl, "
            f"or say --format {'|'.join(FORMATS)}."
        )
    writers = {
        "csv": csv_parquet.write, "parquet": csv_parquet.write_parquet,
        "jsonl": csv_parquet.write_jsonl,
        "seed": article_jsonl.write,
    }  # fmt: skip
    writers[kind](load(options.run, 0 if options.recorded else None), options.output)
    print(shown(options.output))


def _import(options: argparse.Namespace) -> None:
    from analysis.reading import import_jsonl

    made = import_jsonl.read(options.files, options.results, options.run_id, options.currency)
    print(shown(made))


if __name__ == "__main__":
    sys.exit(main())
