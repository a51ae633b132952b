"""The rows as Parquet and as JSONL: the same cells, and the meaning of each column."""

import json
from pathlib import Path

import pyarrow.parquet as pq

from analysis.__main__ import main
from analysis.reading.load import load, rows
from recording.record import COLUMNS, MEANINGS
from tests.analysis.runs import everything


def test_parquet_holds_the_rows_their_meanings_and_units(tmp_path: Path) -> None:
    folder, out = everything(tmp_path / "r"), tmp_path / "new" / "rows.parquet"
    assert main(["export", str(folder), "--output", str(out)]) == 0
    table = pq.read_table(out)
    assert table.to_pylist() == rows(load(folder).requests)
    metadata_of = {n: table.schema.field(n).metadata for n in COLUMNS}
    assert {n: metadata_of[n][b"meaning"].decode() for n in COLUMNS} == MEANINGS
    units = {
        n: metadata_of[n].get(b"unit") for n in ("ttft_s", "prompt_tokens", "api_cost", "content")
    }
    assert units == {
        "ttft_s": b"s", "prompt_tokens": b"tokens", "api_cost": b"CNY", "content": None
    }  # fmt: skip
    assert out.stat().st_mode & 0o777 == 0o600


def test_jsonl_holds_every_column_of_every_row(tmp_path: Path) -> None:
    """The recorder's cells; what is unknown is null."""
    folder, out = everything(tmp_path / "r"), tmp_path / "rows.jsonl"
    assert main(["export", str(folder), "--output", str(out)]) == 0
    exported = [json.loads(line) for line in out.read_text(encoding="utf-8").splitlines()]
    assert exported == rows(load(folder).requests)
    assert all(tuple(row) == COLUMNS for row in exported)
    assert any(row["ttft_s"] is None for row in exported)
