"""The commands `report`, `summary` and `check`: one run, and what its report says about it."""

import argparse
import math
import sys
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

from analysis.numbers.summarize import GROUPS, of_groups
from analysis.reading.load import Run, load
from recording.chinese.parser import add_lang
from recording.errors import OperatorError
from recording.untrusted_text import as_json, printable
from rules import percentiles, slo
from rules.conditions import parse

if TYPE_CHECKING:
    from analysis.report.view import View


def add_commands(commands: Any) -> None:
    """Adds the three commands to `commands`, the program's subparsers."""
    report = commands.add_parser("report", help="write report.md, report.html and summary.json")
    report.add_argument("run", type=Path, metavar="RUN", help="the run's folder")
    add_lang(report)
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
    add_lang(summary)
    summary.add_argument("--by", choices=["phase", *GROUPS], default="phase", help="default: phase")
    _add_lenses(summary)
    summary.set_defaults(command=_summary)

    check = commands.add_parser("check", help="see whether a run is complete and good enough")
    check.add_argument("run", type=Path, metavar="RUN", help="the run's folder")
    add_lang(check)
    _add_checks(check)
    _add_lenses(check)
    check.set_defaults(command=_check, fail_on="")


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
    if (fail_on := getattr(options, "fail_on", None)) is not None:
        run = run.with_option("fail_on", fail_on)
    if options.warmup is not None:
        run = run.with_option("warmup", options.warmup)
    if options.percentiles is not None:
        percentiles.parse(options.percentiles)
        run = run.with_option("percentiles", options.percentiles)
    conditions = parse(getattr(options, "fail_on", "") or "")
    percents = (percentiles.of_name(condition.metric) for condition in conditions)
    return replace(run, percents=tuple(percent for percent in percents if percent is not None))


def _report(options: argparse.Namespace) -> bool:
    from analysis.export import article_jsonl
    from analysis.report import report, share, terminal

    gated = options.fail_on is not None or options.junit is not None
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
    print(*map(printable, paths), sep="\n", flush=True)
    return gated and _failed(view, options)


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
        plain = [{by: name} | numbers.as_dict() for name, numbers in groups]
        print(as_json({"run_id": run.run_id, "groups": plain}))
    else:
        print(terminal.text(view, groups, by))


def _check(options: argparse.Namespace) -> bool:
    from analysis.report import report

    parse(options.fail_on)
    view = report.look(_load(options), options.lang)
    return _failed(view, options, view.slo, aloud=True)


def _failed(
    view: "View",
    options: argparse.Namespace,
    objectives: slo.Slo | None = None,
    aloud: bool = False,
) -> bool:
    """Judges a run; True if it failed. `aloud` prints every check, not only the sentence."""
    from analysis.report import junit
    from analysis.report.check import sentence
    from analysis.report.run_checks import judge

    checks = judge(view, parse(options.fail_on or ""), objectives)
    if options.junit:
        junit.write(checks, view.run, options.junit)
        print(printable(options.junit), flush=True)
    if aloud:
        signs = {"passed": "通过", "failed": "未通过", "unknown": "未知"}
        for each in checks:
            sign = view.t(f"{each.verdict:8}", f"{signs[each.verdict]}  ")
            print(printable(f"{sign}{each.text(view.t)}"), flush=True)
    elif options.fail_on and all(each.passed for each in checks):
        passed = view.t(
            "the check passed" if len(checks) == 1 else f"all {len(checks)} checks passed",
            f"{len(checks)} 项检查全部通过",
        )
        print(passed, flush=True)
    if failure := sentence(checks, view.t):
        print(f"weighbridge: {printable(failure)}", file=sys.stderr)
    return bool(failure)
