"""The rows of a run as one CSV with the recorder's own columns, whatever parts they came in."""

import csv
from pathlib import Path

from analysis.atomic import replacing
from analysis.load import Run, rows
from recording.record import COLUMNS, RequestRecord, encode

_BATCH_ROWS = 20_000


def write(run: Run, path: Path) -> None:
    """Write the run as CSV, replacing `path` in one step. Raises OSError."""
    with replacing(path) as file:
        out = csv.writer(file)
        out.writerow(COLUMNS)
        for begin in range(0, len(run.requests), _BATCH_ROWS):
            for row in rows(run.requests[begin : begin + _BATCH_ROWS]):
                out.writerow(encode(RequestRecord(**row)))
