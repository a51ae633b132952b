"""The fast reader reads what the slow one reads, or declines the file."""

import csv
import io
from pathlib import Path

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from analysis.reading import parts
from analysis.reading.columns import Declined, read
from analysis.reading.parts import RunError, read_slowly
from recording.bilingual import Bilingual
from recording.record import COLUMNS, TYPES, RequestRecord, encode
from tests.analysis.runs import failed, record

HOSTILE = (
    "", "'", "''", "'=1", '"', '""', " ", " 5", "5 ", "\t5", "0x1F", "1_0", "+1", "-0", "007", "1.",
    ".5", "1e5", "1E5", "1e400", "nan", "NaN", "inf", "-", "e", "٣", "true", "True", " true", "\r",
    "\n", "\r\n", "a\rb", 'a"b', "\0", "\ufeff", "9223372036854775807", "9223372036854775808",
    "-9223372036854775808", "99999999999999999999999999", "0.1", "ok",
)  # fmt: skip
CELLS = st.one_of(st.sampled_from(HOSTILE), st.text(max_size=8), st.floats().map(repr))


def written(rows: list[list[str]], quoting: int = csv.QUOTE_MINIMAL) -> bytes:
    out = io.StringIO(newline="")
    csv.writer(out, quoting=quoting).writerows(rows)  # type: ignore[arg-type]
    return out.getvalue().encode()


@st.composite
def texts(draw: st.DrawFn) -> bytes:
    """CSV of two rows: some cells hostile, quoted in one way or another, some bytes changed."""
    rows = [encode(record(0)), encode(failed(1, error_message="no\nreply"))]
    for _ in range(draw(st.integers(0, 4))):
        row, place = draw(st.integers(0, 1)), draw(st.integers(0, len(COLUMNS) - 1))
        rows[row][place] = draw(CELLS)
    text = bytearray(written(rows, draw(st.sampled_from([csv.QUOTE_MINIMAL, csv.QUOTE_ALL]))))
    for _ in range(draw(st.integers(0, 3))):
        place = draw(st.integers(0, len(text)))
        text[place : place + draw(st.integers(0, 1))] = draw(
            st.one_of(
                st.sampled_from([b'"', b",", b"\r", b"\n", b" ", b"'", b"\xff", b"\xed\xa0\x80"]),
                st.binary(max_size=2),
            )
        )
    return bytes(text[: parts._end(bytes(text))])


@given(texts())
@example(written([encode(record(0))]).replace(b"2.0,", b" 2.0,"))
@example(written([encode(record(0, timestamp="", worker="", model_returned=""))]))
@example(written([encode(record(0, total_tokens=-(2**63)))]))
@example(b"\xef\xbb\xbf" + written([encode(record(0))]))
@example(written([encode(record(0, content="x" * 140_000))]))
@example(written([encode(record(0))]).replace(b"\r\n", b"\r" + written([encode(record(1))])))
def test_the_fast_reader_reads_what_the_slow_one_reads_or_declines(text: bytes) -> None:
    if not text:
        return
    try:
        fast_rows = read(text)
    except Declined:
        return
    slow = read_slowly(Path("nowhere.csv"), 0, text)
    assert fast_rows.to_pylist() == slow.to_pylist()
    assert fast_rows.schema == slow.schema


RECORDED = st.builds(
    record,
    st.integers(0, 2**31),
    content=st.none() | st.text(st.characters(exclude_characters="\0"), max_size=30),
    error_type=st.none() | st.text(st.characters(exclude_characters="\0"), max_size=5),
    elapsed_sec=st.none() | st.floats(0, 1e6),
    target=st.none() | st.integers(0, 2**62),
    marker_ok=st.none() | st.booleans(),
)


@given(st.lists(RECORDED, min_size=1, max_size=5))
def test_the_fast_reader_never_declines_what_the_recorder_writes(
    records: list[RequestRecord],
) -> None:
    """Otherwise big runs would be read a row at a time."""
    text = written([encode(one) for one in records])
    assert read(text).to_pylist() == read_slowly(Path("x"), 0, text).to_pylist()


@pytest.mark.parametrize("size", [1, 7, 100, 999, 10_000])
def test_rows_do_not_depend_on_where_a_file_is_cut_into_blocks(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, size: int
) -> None:
    path = tmp_path / "requests-a.csv"
    records = [record(i, content=f'"{i}"\n\n, \r' * (i % 3)) for i in range(9)]
    path.write_bytes(written([list(COLUMNS), *(encode(one) for one in records)]) + b'torn,"')
    monkeypatch.setattr(parts, "STRETCH_BYTES", size)
    remarks: list[Bilingual] = []
    rows = [row for table in parts.tables(path, remarks) for row in table.to_pylist()]
    assert [row["request_index"] for row in rows] == list(range(9))
    assert [row["content"] for row in rows] == [one.content or None for one in records]
    assert len(remarks) == 1 and "torn last line" in remarks[0].en


def test_a_fault_in_a_late_block_is_named_by_its_line_in_the_file(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = tmp_path / "requests-a.csv"
    rows = [list(COLUMNS), *(encode(record(i, content="two\nlines")) for i in range(50))]
    rows[41][COLUMNS.index("http_status")] = "0x1F"
    path.write_bytes(written(rows))
    monkeypatch.setattr(parts, "STRETCH_BYTES", 1000)
    with pytest.raises(RunError, match="line 82: http_status is '0x1F', not int"):
        list(parts.tables(path, []))


def test_columns_have_only_the_four_types_that_the_fast_reader_reads() -> None:
    assert set(TYPES.values()) == {str, int, float, bool}
