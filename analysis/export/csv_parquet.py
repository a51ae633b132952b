"""The rows of a run as one table with the recorder's own columns."""

import csv
import json
from pathlib import Path
from typing import TYPE_CHECKING

from analysis.reading.atomic_file import replacing, reserving
from analysis.reading.load import Run
from recording.record import COLUMNS, MEANINGS, TYPES, RequestRecord, encode

if TYPE_CHECKING:
    import pyarrow as pa

_UNITS = {
    "_s": "s", "_sec": "s", "_tokens": "tokens", "_requests": "requests", "_bytes": "bytes",
}  # fmt: skip


def write(run: Run, path: Path) -> None:
    """Write the run as CSV, replacing `path` in one step. Raises OSError."""
    with replacing(path) as file:
        out = csv.writer(file)
        out.writerow(COLUMNS)
        for table in run.rows.tables():
            out.writerows(encode(RequestRecord(**row)) for row in table.to_pylist())


def write_parquet(run: Run, path: Path) -> None:
    """Write the run as Parquet, replacing `path` in one step. Raises OSError.

    Each field's metadata says its `meaning` and, where it has one, its `unit`.
    """
    import pyarrow.parquet

    schema = _schema(run.currency)
    with reserving(path) as new, pyarrow.parquet.ParquetWriter(new, schema) as file:
        for table in run.rows.tables():
            file.write_table(table.cast(schema))


def write_jsonl(run: Run, path: Path) -> None:
    """Write the run as JSON, one object per line, replacing `path` in one step. Raises OSError.

    Unknown values are null. `article_jsonl.write` has the article's fields instead.
    """
    with replacing(path) as file:
        for table in run.rows.tables():
            for row in table.to_pylist():
                cells = {name: row[name] for name in COLUMNS}
                file.write(json.dumps(cells, ensure_ascii=False, separators=(",", ":")) + "\n")


def _schema(currency: str | None) -> "pa.Schema":
    import pyarrow as pa

    types = {str: pa.string(), bool: pa.bool_(), int: pa.int64(), float: pa.float64()}
    return pa.schema(
        [
            pa.field(n, types[TYPES[n]], metadata=_metadata(n, currency), nullable=True)
            for n in COLUMNS
        ]
    )


def _metadata(name: str, currency: str | None) -> dict[str, str]:
    units = [unit for end, unit in _UNITS.items() if name.endswith(end)]
    if name.endswith("_cost") and currency:
        units = [currency]
    return {"meaning": MEANINGS[name]} | ({"unit": units[0]} if units else {})
