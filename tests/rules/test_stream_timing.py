"""What arrival times give: gaps, stalls, arrivals, and which streams are called buffered."""

from random import Random
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from rules.stream_timing import bucket_of, facts, flags, sketch, upper_s

SENT = 100.0
gaps = st.lists(st.floats(0, 1e3) | st.sampled_from([0.0, 1e-6, 1e-5, 0.5, 1.0]), max_size=60)


def times(wait_s: float, *steps_s: float) -> list[float]:
    """Times of chunks: one after a wait, then one after each step."""
    stamps = [SENT + wait_s]
    for step_s in steps_s:
        stamps.append(stamps[-1] + step_s)
    return stamps


@given(gaps)
def test_every_gap_is_counted_once_in_the_bucket_that_holds_it(gaps_s: list[float]) -> None:
    counted: dict[int, int] = {}
    for gap in gaps_s:  # slowly, gap by gap
        bucket = next(b for b in range(1000) if gap < upper_s(b))
        counted[bucket] = counted.get(bucket, 0) + 1
        assert bucket_of(gap) == bucket
    counts = dict(map(int, part.split(":")) for part in sketch(sorted(gaps_s)).split())
    assert counts == counted


def test_a_bucket_is_less_than_five_per_cent_wide() -> None:
    assert all(upper_s(b + 1) / upper_s(b) < 1.05 for b in range(500))


def test_the_gaps_of_200000_chunks_are_a_short_text() -> None:
    dice = Random(1)
    gaps_s = sorted(dice.lognormvariate(-4, 1) for _ in range(200_000))
    assert len(sketch(gaps_s)) < 3000


def test_the_facts_of_a_stream_are_those_worked_by_hand() -> None:
    known = facts(times(0.3, 0.02, 0.0, 0.00005, 0.02, 0.7, 0.02), SENT, 0.5)
    assert (known["ttft_s"], known["last_token_s"]) == (0.3, 1.06005)
    assert (known["chunks"], known["arrivals"], known["stalls"]) == (7, 5, 1)
    assert (known["inter_chunk_p50_s"], known["inter_chunk_max_s"]) == (0.02, 0.7)


def test_a_stream_of_one_chunk_or_none_has_no_gaps() -> None:
    assert facts([], SENT) == {"chunks": 0}
    single = facts(times(0.3), SENT)
    assert (single["arrivals"], single["stalls"], single["chunk_gaps"]) == (1, 0, None)
    assert single["ttft_s"] == single["last_token_s"] == 0.3


def flagged(stamps: list[float], tokens: int | None = None) -> list[str]:
    return list(flags(facts(stamps, SENT), tokens))


HELD = [
    times(1.0, *[0.0] * 29),  # one packet
    times(1.0, *[0.0001] * 29),  # one write an event, 10,000 tokens/s
    times(0.3, *[0.0] * 19),  # 20 events in one packet
    times(0.8, *[0.0] * 4),  # the shortest that can be told
    times(20.0, *[0.0001] * 1999),
]
STREAMED = [
    times(1.0, *[0.1 / 15] * 15),  # a fast model: 16 tokens in 100 ms
    times(2.053, *[0.294 / 41] * 41),  # the article's stream: 42 chunks, 2.347 s in all
    times(1.0, *[1 / 2500] * 99),  # the fastest inference there is
    times(0.03, *[0.0] * 29),  # all at once, at once: a short reply of a fast server, or a cache's
    times(0.79, *[0.0] * 8),  # too few chunks for so short a wait
    times(5.0, *[0.0] * 3),  # four chunks
    times(5.0),
    times(0.2, *[0.05, 0.0] * 10),
]


@pytest.mark.parametrize("stamps", HELD)
def test_a_buffered_reply_is_flagged(stamps: list[float]) -> None:
    assert flagged(stamps) == flagged(stamps, len(stamps)) == ["stream_buffered"]


@pytest.mark.parametrize("stamps", STREAMED)
def test_a_real_or_undecidable_stream_is_not_flagged_as_buffered(stamps: list[float]) -> None:
    assert "stream_buffered" not in flagged(stamps)
    assert "stream_buffered" not in flagged(stamps, 4000)  # thought unseen: no faster for it


@pytest.mark.parametrize(("stamps", "tokens", "expected"), [
    (times(0.32, 0.01), 32, ["stream_coalesced"]),  # 31 tokens in the first chunk
    (times(0.2, *[0.4] * 4), 160, ["stream_coalesced"]),  # 32 tokens a chunk
    (times(0.2, *[0.0] * 9, 0.3, *[0.0] * 9), 20, ["stream_coalesced"]),  # in two packets
    (times(0.2, *[0.03] * 19), 60, []),  # three a chunk: speculative decoding
    (times(0.2, *[0.03] * 19), None, []),
    (times(0.3, 0.1), 6, []),  # too few to say anything
    (times(0.01, 0.001, 0.001), 100, []),  # over before anybody could wait
])  # fmt: skip
def test_tokens_that_came_together_are_flagged(
    stamps: list[float], tokens: int | None, expected: list[str]
) -> None:
    assert flagged(stamps, tokens) == expected


def test_the_flag_of_a_buffered_stream_says_why() -> None:
    (why,) = flags(facts(HELD[0], SENT), None).values()
    assert why == "30 chunks within 0.0 ms, after 1.000 s without one"


def test_a_stream_without_text_has_no_flags() -> None:
    empty: dict[str, Any] = facts([], SENT)
    assert flags(empty, 0) == {}
