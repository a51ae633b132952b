"""The row: its columns, and that any value survives being written to and read from CSV."""

import csv
import io
from dataclasses import fields, replace
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from recording.record import COLUMNS, MEANINGS, TYPES, RequestRecord, clean, decode, encode
from tests.recording.rows import HOSTILE, records, row, texts

# Design section 6, in its order; ours are in this order too, with more between.
DESIGNED = (
    "schema_version, run_id, timestamp, worker, phase, mode, target, duration_s, model_requested, "
    "model_returned, task_id, request_index, scheduled_offset_s, sent_offset_s, send_lag_s, "
    "http_status, outcome, success, elapsed_sec, elapsed_from_due_s, ttft_s, first_visible_s, "
    "inter_chunk_p50_s, inter_chunk_max_s, chunks, response_bytes, connection_reused, "
    "prompt_tokens, completion_tokens, total_tokens, cached_tokens, cache_write_tokens, "
    "reasoning_tokens, api_cost, cost_source, finish_reason, content, reasoning_content_present, "
    "marker_ok, check, check_detail, error_type, error_message, retry_after_s, "
    "ratelimit_limit_requests, ratelimit_remaining_requests, ratelimit_limit_tokens, "
    "ratelimit_remaining_tokens, gateway_request_id, in_flight"
)


def through_csv(*rows: RequestRecord) -> list[RequestRecord]:
    """Written by the csv module to bytes of UTF-8, and read back."""
    text = io.StringIO(newline="")
    csv.writer(text).writerows(encode(each) for each in rows)
    back = text.getvalue().encode("utf-8").decode("utf-8")
    return [decode(cells) for cells in csv.reader(io.StringIO(back, newline=""))]


def expected(value: Any) -> Any:
    """What a value becomes: text without what CSV cannot hold; None for an empty optional text."""
    return clean(value) if isinstance(value, str) else value


@settings(max_examples=60)
@given(st.lists(records, min_size=1, max_size=3))
def test_any_record_is_read_back_from_csv_as_expected(given_rows: list[RequestRecord]) -> None:
    csv.field_size_limit(10**7)
    read_back = through_csv(*given_rows)
    assert len(read_back) == len(given_rows)
    for before, after in zip(given_rows, read_back, strict=True):
        for item in fields(RequestRecord):
            was, now = getattr(before, item.name), getattr(after, item.name)
            if was == "" and now is None:
                continue  # an empty text and no text are one empty cell
            assert now == expected(was), item.name
            assert type(now) is type(was)


@pytest.mark.parametrize("text", HOSTILE, ids=lambda text: repr(text[:12]))
def test_a_formula_is_read_back_unchanged_and_runs_in_no_spreadsheet(text: str) -> None:
    csv.field_size_limit(10**7)
    (read_back,) = through_csv(row(content=text, error_message=text))
    assert read_back.content == read_back.error_message == (clean(text) or None)
    cell = encode(row(content=text))[COLUMNS.index("content")]
    assert not cell.startswith(("=", "+", "-", "@", "\t", "\r"))


@given(texts)
def test_cleaned_text_is_utf8_without_nul_and_otherwise_the_same(text: str) -> None:
    cleaned = clean(text)
    cleaned.encode("utf-8")
    assert "\0" not in cleaned
    assert clean(cleaned) == cleaned
    if "\0" not in text and not any("\ud800" <= c <= "\udfff" for c in text):
        assert cleaned == text


def test_a_surrogate_pair_becomes_its_character() -> None:
    assert clean("\ud83d\ude00") == "😀"
    assert clean("a\ud83db") == "a\ufffdb"


def test_numbers_are_read_back_exactly() -> None:
    (read_back,) = through_csv(row(api_cost=0.1 + 0.2, elapsed_sec=1e-300, total_tokens=2**62))
    assert (read_back.api_cost, read_back.elapsed_sec, read_back.total_tokens) == (
        0.1 + 0.2,
        1e-300,
        2**62,
    )


def test_none_is_an_empty_cell_and_zero_is_0() -> None:
    cells = dict(zip(COLUMNS, encode(row(cached_tokens=0, api_cost=0.0)), strict=True))
    assert (cells["cached_tokens"], cells["api_cost"], cells["http_status"]) == ("0", "0.0", "")
    assert (cells["success"], cells["stream"], cells["marker_ok"]) == ("true", "false", "")


@pytest.mark.parametrize("number", [float("inf"), float("-inf"), float("nan")])
def test_nan_and_infinity_become_none(number: float) -> None:
    (read_back,) = through_csv(row(api_cost=number))
    assert read_back.api_cost is None


def test_a_negative_number_is_not_quoted_as_a_formula() -> None:
    assert encode(row(send_lag_s=-0.5))[COLUMNS.index("send_lag_s")] == "-0.5"


@pytest.mark.parametrize(
    ("name", "cell"),
    [
        ("request_index", "x"),
        ("request_index", ""),
        ("request_index", "1.0"),
        ("request_index", "1_000"),
        ("request_index", " 1"),
        ("total_tokens", "٣"),
        ("total_tokens", "'3"),
        ("elapsed_sec", "fast"),
        ("elapsed_sec", "1_0.0"),
        ("elapsed_sec", " 1.0"),
        ("api_cost", "1,5"),
        ("api_cost", "nan"),
        ("elapsed_sec", "inf"),
        ("elapsed_sec", "1e400"),
        ("success", ""),
        ("success", "True"),
        ("success", "1"),
        ("stream", "yes"),
        ("marker_ok", "no"),
        ("schema_version", ""),
    ],
)
def test_a_cell_that_we_cannot_have_written_is_refused_with_its_column(
    name: str, cell: str
) -> None:
    cells = encode(row())
    cells[COLUMNS.index(name)] = cell
    with pytest.raises(ValueError, match=f"^{name} is "):
        decode(cells)


@pytest.mark.parametrize("count", [0, 1, len(COLUMNS) - 1, len(COLUMNS) + 1])
def test_a_row_with_the_wrong_number_of_cells_is_refused(count: int) -> None:
    cells = (encode(row()) + [""])[:count]
    with pytest.raises(ValueError, match=f"{count} cells instead of {len(COLUMNS)}"):
        decode(cells)


@settings(max_examples=200)
@given(st.lists(st.text(max_size=5), min_size=len(COLUMNS), max_size=len(COLUMNS)))
def test_random_cells_are_read_or_a_value_error(cells: list[str]) -> None:
    try:
        decode(cells)
    except ValueError as error:
        assert str(error).split(" ")[0] in COLUMNS


def test_the_columns_are_those_of_the_design_in_its_order() -> None:
    designed = DESIGNED.split(", ")
    assert [name for name in COLUMNS if name in designed] == designed


def test_every_column_has_a_description_and_a_plain_type() -> None:
    assert set(MEANINGS) == set(COLUMNS) == set(TYPES)
    assert all(MEANINGS.values())
    assert set(TYPES.values()) <= {str, int, float, bool}


def test_a_record_is_immutable() -> None:
    with pytest.raises(AttributeError):
        row().outcome = "other"  # type: ignore[misc]
    assert replace(row(), outcome="other").outcome == "other"
