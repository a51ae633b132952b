"""The commands `export` and `spans`: a run's requests in the formats of other tools."""

import argparse
from pathlib import Path
from typing import Any

from analysis.reading.load import load
from recording.counted import counted
from recording.errors import OperatorError
from recording.untrusted_text import printable

FORMATS = ("csv", "parquet", "jsonl", "seed")


def add_commands(commands: Any) -> None:
    """Declare them."""
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

    spans = commands.add_parser("spans", help="write the requests as OpenTelemetry spans")
    spans.add_argument("run", type=Path, metavar="RUN", help="the run's folder")
    spans.add_argument(
        "--output",
        type=Path,
        metavar="FILE",
        help="OTLP-JSON, with the GenAI semantic conventions; default: RUN/spans.jsonl",
    )
    spans.set_defaults(command=_spans)


def _export(options: argparse.Namespace) -> None:
    from analysis.export import article_jsonl, csv_parquet

    kind = options.format or options.output.suffix.lower().removeprefix(".")
    if kind not in FORMATS or (kind == "seed" and not options.format):
        raise OperatorError(
            f"--output {options.output} does not end in .csv, .parquet or .jsonl: name it so, "
            f"or give --format {'|'.join(FORMATS)}."
        )
    writers = {
        "csv": csv_parquet.write, "parquet": csv_parquet.write_parquet,
        "jsonl": csv_parquet.write_jsonl,
        "seed": article_jsonl.write,
    }  # fmt: skip
    writers[kind](load(options.run, 0 if options.recorded else None), options.output)
    print(printable(options.output))


def _spans(options: argparse.Namespace) -> None:
    from analysis.export import otlp

    run = load(options.run, 0)
    path = options.output or run.folder / "spans.jsonl"
    count = otlp.write(run, path)
    print(counted(count, "span"), printable(path), sep="\n")
