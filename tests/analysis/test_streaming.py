"""Streams of a phase:

TPOT or none, pooled gaps, stalls, tails, and whether they are streams at all.
"""

from pathlib import Path
from random import Random
from typing import Any

import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from analysis.numbers import streaming
from analysis.numbers.streaming import gap_s, pooled
from analysis.reading.load import load
from analysis.report.report import compose, look
from analysis.report.run_checks import judge
from analysis.report.summary import Summary
from recording.record import RequestRecord
from rules import stream_timing
from rules.conditions import parse
from rules.objectives import good_enough
from rules.objectives import judge as attained
from rules.percentiles import USUAL
from rules.slo import parse as slo_of
from tests.analysis.runs import PHASE, make, phase, record


def stream(index: int, *times: float, tokens: int | None = None, **known: Any) -> RequestRecord:
    """A stream whose chunks came at these times, in seconds after it was sent."""
    timing = stream_timing.facts(list(times), 0.0)
    timing = {name: value for name, value in timing.items() if name != "chunks"} | {
        "chunks": len(times), "first_visible_s": times[0], "elapsed_sec": times[-1] + 0.001,
        "completion_tokens": len(times) if tokens is None else tokens, "stream": True,
    }  # fmt: skip
    flags = stream_timing.flags(stream_timing.facts(list(times), 0.0), timing["completion_tokens"])
    return record(index, **(timing | {"check": " ".join(flags) or None} | known))


def even(index: int, wait_s: float, gap: float, count: int = 20, **known: Any) -> RequestRecord:
    return stream(index, *(wait_s + n * gap for n in range(count)), **known)


def numbers(folder: Path, *records: RequestRecord, **made: Any) -> dict[str, Any]:
    (phase_numbers,) = [p.as_dict() for p in look(load(make(folder, *records, **made))).phases]
    return phase_numbers


def test_tpot_ends_at_the_last_token_and_leaves_out_the_tail(tmp_path: Path) -> None:
    """Ten tokens 20 ms apart, and half a second of bookkeeping before the last byte."""
    phase_numbers = numbers(tmp_path / "r", even(0, 0.3, 0.02, 10, elapsed_sec=0.98))
    assert phase_numbers["tpot_p50_s"] == pytest.approx(0.02)
    assert phase_numbers["tail_p50_s"] == pytest.approx(0.5)


@pytest.mark.parametrize("row", [
    stream(0, 0.3, 0.31, tokens=32),  # 31 tokens in the first chunk
    even(0, 1.0, 0.0),  # one clump
    stream(0, 0.5, tokens=16),  # one chunk
])  # fmt: skip
def test_streams_whose_chunks_hide_when_tokens_came_have_no_tpot(
    tmp_path: Path, row: RequestRecord
) -> None:
    """Neither in the numbers nor in an SLO or a check, which say why."""
    view = look(load(make(tmp_path / "r", row, plan=[phase(stream=True)])))
    assert (view.phases[0].tpot.p50_s, view.phases[0].tpot_unknown_count) == (None, 1)
    limits = slo_of({"tpot_p95_s": 5}, "slo").of(None, None)
    assert not good_enough(row, limits)
    assert attained([row] * 50, 50, 9, limits).missed == ("tpot_p95_s",)
    _, check = judge(view, parse("tpot_p95_s>5"))
    assert check.verdict == "unknown"
    assert "the chunks of 1 of 1 streams do not tell when tokens came" in str(check)


def test_an_unknown_tpot_counts_as_the_slowest(tmp_path: Path) -> None:
    """With one unknown in ten the median is known, and the P95 is not."""
    rows = [even(i, 0.3, 0.02) for i in range(9)] + [even(9, 1.0, 0.0)]
    phase_numbers = numbers(tmp_path / "r", *rows)
    assert phase_numbers["tpot_p50_s"] == pytest.approx(0.02)
    assert (phase_numbers["tpot_p95_s"], phase_numbers["tpot_unknown_count"]) == (None, 1)
    limits = slo_of({"tpot_p95_s": 5}, "slo").of(None, None)
    assert attained(rows, 10, 9, limits).missed == ("tpot_p95_s",)
    assert attained(rows[:9], 9, 9, limits).missed == ()


def test_hidden_reasoning_tokens_do_not_count_as_streamed(tmp_path: Path) -> None:
    """Of 100 output tokens 80 are hidden: 20 were streamed, 20 ms apart."""
    row = even(0, 0.3, 0.02, tokens=100, completion_tokens=100, reasoning_tokens=80)
    assert numbers(tmp_path / "r", row)["tpot_p50_s"] == pytest.approx(0.02)


maybe = st.none() | st.integers(0, 60)


@settings(max_examples=60, deadline=None)
@given(st.lists(st.tuples(
    st.none() | st.floats(0, 2), st.none() | st.floats(0, 2), st.floats(0, 3), maybe, maybe, maybe,
    maybe, st.none() | st.booleans(),
), min_size=1, max_size=20))  # fmt: skip
def test_tpot_by_columns_is_tpot_by_rows(drawn: list[tuple[Any, ...]]) -> None:
    """It is implemented twice: row by row, and by columns."""
    names = ("ttft_s", "last_token_s", "elapsed_sec", "completion_tokens", "reasoning_tokens",
             "chunks", "arrivals", "reasoning_content_present")  # fmt: skip
    frame = pd.DataFrame(drawn, columns=list(names))
    for name in names[:3]:
        frame[name] = frame[name].astype("float64")
    for name in names[3:7]:
        frame[name] = frame[name].astype("Int64")
    frame[names[7]] = frame[names[7]].astype("boolean")
    for values, tpot_s in zip(drawn, streaming.tpot_s(frame), strict=True):
        row = record(0, stream=True, **dict(zip(names, values, strict=True)))
        tokens = stream_timing.streamed_tokens(
            row.completion_tokens, row.reasoning_tokens, row.reasoning_content_present
        )
        last_s = row.elapsed_sec if row.last_token_s is None else row.last_token_s
        pieces = row.chunks if row.arrivals is None else row.arrivals
        expected = stream_timing.tpot_s(row.ttft_s, last_s, tokens, pieces)
        assert (None if pd.isna(tpot_s) else tpot_s) == expected


def test_percentiles_of_pooled_gaps_are_those_of_all_gaps() -> None:
    """Against the sorted gaps themselves, within 2.4 %."""
    dice = Random(7)
    streams = [
        [dice.lognormvariate(-4, 1.2) for _ in range(dice.randint(1, 80))] for _ in range(50)
    ]
    counts = pooled([stream_timing.sketch(sorted(gaps)) for gaps in streams])
    every = sorted(gap for gaps in streams for gap in gaps)
    for percent in (1, 50, 95, 99):
        exact = every[max(0, -(-percent * len(every) // 100) - 1)]
        assert gap_s(counts, percent) == pytest.approx(exact, rel=0.024)


@given(st.lists(st.floats(0.0, 50.0), min_size=1, max_size=30))
def test_no_percentile_of_gaps_exceeds_the_longest_gap(gaps_s: list[float]) -> None:
    longest_s = round(max(gaps_s), 6)
    counts = pooled([stream_timing.sketch(sorted(gaps_s))])
    percentile_s = gap_s(counts, 99, longest_s)
    assert percentile_s is not None and percentile_s <= longest_s


@pytest.mark.parametrize("cells", [[], [None], ["", None]])
def test_no_gaps_have_no_percentile(cells: list[str | None]) -> None:
    assert gap_s(pooled(cells), 50) is None


def test_damaged_cells_of_gaps_are_skipped() -> None:
    assert pooled(["20:3", "99999999:1 -4:2"]).sum() == 3


def test_stalls_are_counted_and_noted(tmp_path: Path) -> None:
    """Every fifth stream stops for a second, which no median of gaps would show."""
    still = [0.2, 0.21, 0.22, 1.23, 1.24]
    rows = [stream(i, *(still if i % 5 == 0 else [0.2, 0.21, 0.22, 0.23, 0.24])) for i in range(20)]
    view = look(load(make(tmp_path / "r", *rows)))
    phase_numbers = view.phases[0].as_dict()
    assert (phase_numbers["stalls"], phase_numbers["stalled_streams"]) == (4, 4)
    assert phase_numbers["itl_p50_s"] == pytest.approx(0.01, rel=0.024)
    assert phase_numbers["itl_p99_s"] == pytest.approx(1.01, rel=0.024)  # 4 of 80 gaps
    (note,) = [v.text for v in Summary.of(view).verdicts if "streams stalled" in v.text]
    assert "4 of 20 streams stalled for more than 0.5 s, the longest for 1.01" in note
    assert parse("stalls>3")[0].met(phase_numbers["stalls"])


def test_gaps_of_the_warm_up_are_left_out(tmp_path: Path) -> None:
    early = even(0, 0.1, 0.9, 3, scheduled_offset_s=0.0)
    late = even(200, 0.1, 0.02, 3, scheduled_offset_s=20.0)
    phase_numbers = numbers(tmp_path / "r", early, late, options={"warmup": 10.0})
    assert phase_numbers["itl_p99_s"] == pytest.approx(0.02, rel=0.024)


def bad(view: Any) -> list[str]:
    return [v.text for v in Summary.of(view).verdicts if v.level == "bad"]


def test_a_gateway_that_buffers_its_streams_is_bad_on_page_one(tmp_path: Path) -> None:
    """With share and interval; Wilson's of 19 in 20 begins at 76 %."""
    rows = [even(i, 1.0, 0.0) for i in range(19)] + [even(19, 1.0, 0.03)]
    view = look(load(make(tmp_path / "r", *rows)))
    (text,) = bad(view)
    assert text.startswith("The gateway does not stream gpt-5.4-nano: 19 of 20 streams (95 % ")
    assert "interval 76%-99%" in text
    page = compose(look(load(tmp_path / "r"), "zh"))
    assert any("并未真正流式" in getattr(block, "text", "") for block in page.sections[0].blocks)


@pytest.mark.parametrize("rows", [
    [even(i, 1.0, 0.0) for i in range(4)],  # too few to say
    [even(i, 0.1, 0.0) for i in range(50)],  # over at once: a fast server, or a cache
    [even(i, 1.0, 0.1 / 15, 16) for i in range(50)],  # a fast model after a queue
    [even(i, 1.0, 0.0 if i % 3 == 0 else 0.02) for i in range(60)],  # a third: flagged, no verdict
    [even(i, 3.0, 0.0, 4) for i in range(50)],  # four chunks
])  # fmt: skip
def test_replies_that_may_be_streams_are_not_accused(
    tmp_path: Path, rows: list[RequestRecord]
) -> None:
    assert bad(look(load(make(tmp_path / "r", *rows)))) == []


def test_a_late_generator_does_not_accuse_the_gateway_of_buffering(tmp_path: Path) -> None:
    """It read chunks long after they had come: the clumps are its own."""
    end = {"at": "2026-11-24T00:02:00+00:00", "event": "phase_end", "phase": PHASE,
           "generator": {"loop_lag_p99_s": 0.9}}  # fmt: skip
    rows = [even(i, 1.0, 0.0, send_lag_s=0.9) for i in range(30)]
    run = make(tmp_path / "r", *rows, events=[end, {**end, "event": "run_end"}])
    view = look(load(run))
    assert view.phases[0].generator_limited
    assert not any("does not stream" in text for text in bad(view))


def test_a_lag_too_small_to_clump_chunks_does_not_excuse_buffering(tmp_path: Path) -> None:
    """18 ms is large beside the gaps in a clump, which are 0, but cannot clump half a second."""
    end = {"at": "2026-11-24T00:02:00+00:00", "event": "phase_end", "phase": PHASE,
           "generator": {"loop_lag_p99_s": 0.018}}  # fmt: skip
    rows = [even(i, 1.0, 0.000002) for i in range(30)]
    view = look(load(make(tmp_path / "r", *rows, events=[end, {**end, "event": "run_end"}])))
    assert view.phases[0].generator_limited
    assert any("does not stream" in text for text in bad(view))


def test_output_tokens_per_second_are_computed_per_phase_and_per_request(tmp_path: Path) -> None:
    """The sum over the wall clock, and each request's over its own latency."""
    rows = [record(i, completion_tokens=10 * (i + 1), elapsed_sec=2.0, done_offset_s=8.0)
            for i in range(4)]  # fmt: skip
    phase_numbers = numbers(tmp_path / "r", *rows)
    assert phase_numbers["output_per_s"] == 100 / 8
    assert phase_numbers["request_output_p50_per_s"] == 10.0
    assert phase_numbers["request_output_p5_per_s"] == 5.0


def test_percentiles_given_by_the_operator_appear_everywhere(tmp_path: Path) -> None:
    """In the tables, in summary.json beside the usual ones, and in conditions."""
    rows = [record(i, elapsed_sec=(i + 1) / 1000) for i in range(1000)]
    run = make(tmp_path / "r", *rows, options={"percentiles": "50,90,99.9"})
    view = look(load(run))
    phase_numbers = view.phases[0].as_dict()
    assert (phase_numbers["latency_p90_s"], phase_numbers["latency_p99_9_s"]) == (0.9, 0.999)
    assert phase_numbers["latency_p95_s"] == 0.95
    tables = [block for section in compose(view).sections for block in section.blocks]
    heads = {head for table in tables for head in getattr(table, "headers", ())}
    assert {"P90 latency", "P99.9 latency"} <= heads and "P95 latency" not in heads
    (_, check) = judge(view, parse("p99_9_s>0.9985"))
    assert check.verdict == "failed" and "p99_9_s is 0.999 s" in str(check)
    assert look(load(run)).percents != USUAL
