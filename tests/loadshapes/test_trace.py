"""The clock of a trace: its offsets, due times and window, worked out by hand."""

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from loadshapes.own_traffic.trace import due_times_s, moment_s, offsets_s, window_s


def test_timestamps_are_offsets_from_the_earliest() -> None:
    """In any order and with any offset from UTC; one without an offset is UTC."""
    rows = [
        {"timestamp": "2026-05-19T10:00:02+00:00"},
        {"timestamp": "2026-05-19T12:00:00+02:00"},
        {"timestamp": "2026-05-19T10:00:01.250"},
        {"timestamp": "2026-05-19T10:00:03Z"},
    ]
    assert offsets_s(rows) == [2.0, 0.0, 1.25, 3.0]


def test_at_s_keeps_the_time_before_the_first_request() -> None:
    assert offsets_s([{"at_s": 5}, {"at_s": 7.5}]) == [5.0, 7.5]


@pytest.mark.parametrize(
    ("row", "why"),
    [
        ({}, "needs one of"),
        ({"at_s": 1, "timestamp": "2026-05-19"}, "needs one of"),
        ({"at_s": True}, "a number of seconds"),
        ({"at_s": "1"}, "a number of seconds"),
        ({"at_s": -0.1}, "from 0"),
        ({"at_s": 10**400}, "from 0"),
        ({"timestamp": "yesterday"}, "ISO 8601"),
        ({"timestamp": True}, "ISO 8601"),
        ({"timestamp": -1}, "from 0"),
        ({"timestamp": 1e300}, "from 0"),
        ({"timestamp": None}, "ISO 8601"),
    ],
)
def test_a_malformed_time_is_refused_by_name(row: dict[str, Any], why: str) -> None:
    with pytest.raises(ValueError, match=why):
        moment_s(row)


def test_two_clocks_in_one_trace_are_refused() -> None:
    with pytest.raises(ValueError, match="use one of them"):
        offsets_s([{"at_s": 1}, {"timestamp": "2026-05-19T10:00:00"}])


def test_more_than_a_year_is_refused() -> None:
    rows = [{"timestamp": "2020-05-19T10:00:00"}, {"timestamp": "2026-05-19T10:00:00"}]
    with pytest.raises(ValueError, match="more than a year"):
        offsets_s(rows)


def test_due_times_are_divided_by_speed_and_sorted() -> None:
    assert due_times_s([3.0, 0.0, 1.0], 2.0) == (0.0, 0.5, 1.5)


@pytest.mark.parametrize(
    ("times", "window"),
    [((0.0, 1.0, 2.0, 3.0), 4.0), ((0.0,), 1.0), ((2.0, 2.0), 3.0), ((5.0, 7.0), 9.0)],
)
def test_the_window_ends_one_mean_gap_after_the_last_request(
    times: tuple[float, ...], window: float
) -> None:
    assert window_s(times) == window


@given(st.lists(st.floats(0, 1e7), min_size=1), st.floats(1e-3, 1e3))
def test_every_due_time_lies_inside_the_window(offsets: list[float], speed: float) -> None:
    times = due_times_s(offsets, speed)
    assert list(times) == sorted(times)
    assert times[-1] < window_s(times)


@pytest.mark.parametrize("unit", (1, 10**3, 10**6, 10**9), ids=("s", "ms", "us", "ns"))
def test_an_epoch_time_is_read_in_any_unit(unit: int) -> None:
    """The same two moments as in ISO 8601: 2026-01-01T00:00:00Z and a quarter second later."""
    rows = [{"timestamp": 1767225600 * unit + unit // 4 * n} for n in (0, 1)]
    assert moment_s(rows[0]) == moment_s({"timestamp": "2026-01-01T00:00:00Z"})
    if unit > 1:
        assert offsets_s(rows) == [0.0, 0.25]


def test_a_small_number_is_seconds_from_the_start_of_the_trace() -> None:
    assert offsets_s([{"timestamp": 5}, {"timestamp": 7.5}]) == [5.0, 7.5]
    with pytest.raises(ValueError, match="use one of them"):
        offsets_s([{"timestamp": 5}, {"timestamp": 1767225600}])
