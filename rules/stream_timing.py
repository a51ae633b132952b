"""Evaluates the arrival times of a stream's chunks: gaps, stalls, and whether tokens are resolved.

Pure. Times and limits are in seconds. Two terms are used throughout the program:

- a *gap* lies between two chunks that carried content, reasoning or a piece of a tool call;
- an *arrival* is a moment at which such chunks came; chunks less than SAME_S apart count as one
  arrival, in one packet or one read.

stream_buffered   the reply was held back and then released in one clump: its chunks came faster
                  than any model speaks (FASTEST_PER_S), and within a quarter of the wait before the
                  first. Nothing is said below FEWEST_CHUNKS chunks, or of a wait shorter than
                  SHORTEST_WAIT_S, unless there are MANY_CHUNKS and the wait is at least
                  SHORT_WAIT_S: a fast model's few tokens can come in one packet.
stream_coalesced  the stream came in several pieces, but with COALESCED tokens or more to each, so
                  times between tokens are not resolved. Nothing is said of fewer than FEWEST_TOKENS
                  tokens, or when all of it came within SHORT_WAIT_S.

Both describe a single stream. Whether a gateway streams is judged over many streams, and not when
our own event loop was late (analysis/numbers/streaming.py).
"""

from bisect import bisect_left
from collections.abc import Sequence
from math import floor, log10
from typing import Any, Protocol

SAME_S = 0.0001
FASTEST_PER_S = 5000.0
"""Twice the speed stated for the fastest inference sold today (about 2,500 tokens/s per stream)."""
CLUMP_SHARE = 0.25
FEWEST_CHUNKS, SHORTEST_WAIT_S = 5, 0.8
MANY_CHUNKS, SHORT_WAIT_S = 10, 0.2
COALESCED, FEWEST_TOKENS = 4, 8
"""This many tokens per arrival do not show when each came; streams with fewer tokens are not
judged.
"""
STALL_LIMIT_S = 0.5
PER_DECADE = 50
"""Buckets of gaps per factor of ten: each is 4.7 % wide, so a percentile is at most 2.4 % off."""


def facts(
    times: Sequence[float], sent: float, stall_limit_s: float = STALL_LIMIT_S
) -> dict[str, Any]:
    """The columns of a record about the times of a stream's chunks; `sent` is when it began."""
    gaps = sorted(late - early for early, late in zip(times, times[1:], strict=False))
    if not times:
        return {"chunks": 0}
    return {
        "ttft_s": round(times[0] - sent, 6),
        "last_token_s": round(times[-1] - sent, 6),
        "chunks": len(times),
        "arrivals": 1 + len(gaps) - bisect_left(gaps, SAME_S),
        "stalls": len(gaps) - bisect_left(gaps, stall_limit_s),
        "inter_chunk_p50_s": round(gaps[(len(gaps) + 1) // 2 - 1], 6) if gaps else None,
        "inter_chunk_max_s": round(gaps[-1], 6) if gaps else None,
        "chunk_gaps": sketch(gaps) or None,
    }


def sketch(gaps: Sequence[float]) -> str:
    """Gaps in ascending order as `bucket:count` with spaces between (see `chunk_gaps`).

    It has at most a few hundred parts, however long the stream, because each bucket occurs once.
    """
    parts, place, count = [], 0, len(gaps)
    while place < count:
        bucket = bucket_of(gaps[place])
        end = bisect_left(gaps, upper_s(bucket), place + 1)
        parts.append(f"{bucket}:{end - place}")
        place = end
    return " ".join(parts)


def bucket_of(gap_s: float) -> int:
    """The bucket of a gap: 0 below 1 us, else the b with 10^((b-1)/50) <= us < 10^(b/50)."""
    if gap_s < 1e-6:
        return 0
    bucket = floor(log10(gap_s * 1e6) * PER_DECADE) + 1
    if gap_s >= upper_s(bucket):  # the logarithm's last binary digit
        return bucket + 1
    return bucket - 1 if bucket > 1 and gap_s < upper_s(bucket - 1) else bucket


def upper_s(bucket: int) -> float:
    """The upper end of a bucket, seconds (exclusive)."""
    return float(10 ** (bucket / PER_DECADE - 6))


def middle_s(bucket: int) -> float:
    """The value assumed for a bucket's gaps, seconds: the geometric middle; 0 below 1 us."""
    return (upper_s(bucket) * upper_s(bucket - 1)) ** 0.5 if bucket else 0.0


def flags(known: dict[str, Any], tokens: int | None) -> dict[str, str]:
    """`stream_buffered` or `stream_coalesced` of one stream, and why.

    `known` are its `facts`; `tokens` are the streamed tokens, None: unknown.
    """
    chunks = known["chunks"]
    if not chunks:
        return {}
    wait_s, last_s = known["ttft_s"], known["last_token_s"]
    spread_s = last_s - wait_s
    if judgeable(chunks, wait_s) and clump(chunks, wait_s, spread_s):
        return {
            "stream_buffered": f"{chunks} chunks within {spread_s * 1000:.1f} ms, after "
            f"{wait_s:.3f} s without one"
        }
    tokens_streamed = max(chunks, tokens or 0)
    arrivals = known["arrivals"]
    if (
        tokens_streamed >= FEWEST_TOKENS
        and last_s >= SHORT_WAIT_S
        and tokens_streamed >= COALESCED * arrivals
    ):
        times = "moment" if arrivals == 1 else "moments"
        return {"stream_coalesced": f"{tokens_streamed} tokens came at {arrivals} {times}"}
    return {}


def judgeable(chunks: int, wait_s: float) -> bool:
    """Whether a stream is long enough to distinguish a held reply from a fast one."""
    if chunks >= MANY_CHUNKS:
        return wait_s >= SHORT_WAIT_S
    return chunks >= FEWEST_CHUNKS and wait_s >= SHORTEST_WAIT_S


def clump(chunks: int, wait_s: float, spread_s: float) -> bool:
    """Whether the chunks came faster than a model speaks, and in a small part of the wait."""
    return spread_s <= min(CLUMP_SHARE * wait_s, (chunks - 1) / FASTEST_PER_S)


def tpot_s(
    first_s: float | None, last_s: float | None, tokens: int | None, pieces: int | None
) -> float | None:
    """The time per output token after the first: (last - first) / (tokens - 1). None: unknown.

    `tokens` are the streamed tokens, `pieces` their arrivals (or the chunks, if a row has no
    arrivals; None if neither is known). A single piece has no time between tokens, and with more
    than COALESCED tokens per piece the arrival of each token is unknown.
    """
    if first_s is None or last_s is None or tokens is None or tokens < 2:
        return None
    if pieces is not None and (pieces < 2 or tokens > COALESCED * pieces):
        return None
    return (last_s - first_s) / (tokens - 1)


def streamed_tokens(
    completion: int | None, reasoning: int | None, reasoning_shown: bool | None
) -> int | None:
    """Output tokens that came in chunks, without reasoning whose text was not sent.

    If there are more reasoning than completion tokens, reasoning is counted separately.
    """
    if completion is None or reasoning_shown or not reasoning or reasoning > completion:
        return completion
    return completion - reasoning


class Timed(Protocol):
    """What is read of a row: columns of recording/record.py."""

    @property
    def stream(self) -> bool: ...
    @property
    def elapsed_sec(self) -> float | None: ...
    @property
    def ttft_s(self) -> float | None: ...
    @property
    def last_token_s(self) -> float | None: ...
    @property
    def chunks(self) -> int | None: ...
    @property
    def arrivals(self) -> int | None: ...
    @property
    def completion_tokens(self) -> int | None: ...
    @property
    def reasoning_tokens(self) -> int | None: ...
    @property
    def reasoning_content_present(self) -> bool | None: ...


def tokens_of(row: Timed) -> int | None:
    """The streamed tokens of a row."""
    return streamed_tokens(
        row.completion_tokens, row.reasoning_tokens, row.reasoning_content_present
    )


def tpot_of(row: Timed) -> float | None:
    """The TPOT of a stream's row; None: unknown, or it has none.

    Rows of older versions lack the time of the last token and use that of the last byte.
    """
    last_s = row.elapsed_sec if row.last_token_s is None else row.last_token_s
    pieces = row.chunks if row.arrivals is None else row.arrivals
    return tpot_s(row.ttft_s, last_s, tokens_of(row), pieces) if row.stream else None


def tpot_unknown(row: Timed) -> bool:
    """Whether a stream should have a TPOT but it is unknown; below two tokens there is none."""
    tokens = tokens_of(row)
    return row.stream and not (tokens is not None and tokens < 2) and tpot_of(row) is None
