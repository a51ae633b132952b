"""The command line: `python -m analysis report|summary|export|import`.

Exit codes: 0 done, 2 the operator must change something (one sentence says what).
"""

import argparse
import json
import sys
from collections.abc import Sequence
from pathlib import Path

from analysis.load import RunError, load

_BY = {"phase": "phase", "model": "model_requested", "task-prefix": "task_prefix"}


def main(arguments: Sequence[str] | None = None) -> int:
    """Run one command; returns the exit code."""
    options = _parser().parse_args(arguments)
    try:
        options.command(options)
    except RunError as error:
        print(error, file=sys.stderr)
        return 2
    except BrokenPipeError:
        sys.stderr.close()  # the reader of our output has gone: nothing is left to say
        return 0
    except OSError as error:
        print(f"{error.filename or 'A file'}: {error.strerror}.", file=sys.stderr)
        return 2
    return 0


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="python -m analysis", description=__doc__.split("\n")[0])
    commands = parser.add_subparsers(required=True, metavar="COMMAND")

    report = commands.add_parser("report", help="write report.md, report.html and summary.json")
    report.add_argument("run", type=Path, metavar="RUN", help="the run's folder")
    report.add_argument("--lang", choices=["en", "zh"], default="en", help="default: en")
    report.add_argument("--output", type=Path, metavar="JSONL", help="export the rows as well")
    report.set_defaults(command=_report)

    summary = commands.add_parser("summary", help="print the numbers")
    summary.add_argument("run", type=Path, metavar="RUN", help="the run's folder")
    summary.add_argument("--json", action="store_true", help="as JSON")
    summary.add_argument("--by", choices=list(_BY), default="phase", help="default: phase")
    summary.set_defaults(command=_summary)

    export = commands.add_parser("export", help="write the rows as the seed's JSONL")
    export.add_argument("run", type=Path, metavar="RUN", help="the run's folder")
    export.add_argument("--output", type=Path, required=True, metavar="JSONL")
    export.set_defaults(command=_export)

    imports = commands.add_parser("import", help="make a run folder of the seed's JSONL")
    imports.add_argument("files", type=Path, nargs="+", metavar="JSONL")
    imports.add_argument("--results", type=Path, default=Path("results"), help="default: results")
    imports.add_argument("--run-id", help="default: the files' own")
    imports.add_argument("--currency", help="what the costs are in, e.g. CNY; default: not known")
    imports.set_defaults(command=_import)
    return parser


def _report(options: argparse.Namespace) -> None:
    from analysis import report, seed

    run = load(options.run)
    for path in report.write(run, options.lang):
        print(path)
    if options.output:
        seed.write(run, options.output)
        print(options.output)


def _summary(options: argparse.Namespace) -> None:
    from analysis import report, summarize, terminal

    run = load(options.run)
    whole = options.by == "phase"
    groups = summarize.of_run(run, summarize.PHASE if whole else (_BY[options.by],))
    if options.json:
        found = report.summary(run) if whole else {"run_id": run.run_id, "groups": groups}
        print(json.dumps(found, ensure_ascii=False, indent=2, allow_nan=False))
    else:
        print(terminal.text(report.look(run), groups, _BY[options.by]))


def _export(options: argparse.Namespace) -> None:
    from analysis import seed

    seed.write(load(options.run), options.output)
    print(options.output)


def _import(options: argparse.Namespace) -> None:
    from analysis import importing

    print(importing.read(options.files, options.results, options.run_id, options.currency))


if __name__ == "__main__":
    sys.exit(main())
