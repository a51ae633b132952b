"""Rate limits: the meters by hand-computed cases, then on the wire."""

import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from simulator.limits import KINDS, Bucket, FixedWindow, Limits, SlidingWindow, duration
from tests.simulator.gateway import Gateway, Reply, chat, running


def test_bucket() -> None:
    """60 per minute: 60 at once, then one per second."""
    bucket = Bucket(60, 0.0)
    for _ in range(60):
        assert bucket.wait_s(1, 0.0) == 0
        bucket.take(1, 0.0)
    assert bucket.wait_s(1, 0.0) == 1.0 and bucket.remaining(0.0) == 0
    assert bucket.wait_s(1, 0.75) == pytest.approx(0.25)
    assert bucket.wait_s(1, 1.0) == 0 and bucket.reset_s(1.0) == 59.0
    assert bucket.wait_s(10_000, 1.0) == 59.0  # more than it can hold waits until it is full


def test_fixed_window() -> None:
    """60 in a minute of the clock, however late in it, and 60 at once in the next minute."""
    window = FixedWindow(60, 130.0)
    window.take(60, 170.0)
    assert window.wait_s(1, 170.0) == 10.0 and window.remaining(170.0) == 0
    assert window.wait_s(1, 179.9) == pytest.approx(0.1)
    assert window.wait_s(60, 180.0) == 0 and window.remaining(180.0) == 60


def test_sliding_window() -> None:
    """What was taken is available again 60 s later, neither sooner nor all at once."""
    window = SlidingWindow(60, 0.0)
    window.take(40, 0.0)
    window.take(20, 30.0)
    assert window.wait_s(1, 30.0) == 30.0 and window.wait_s(41, 30.0) == 60.0
    assert window.remaining(60.0) == 40 and window.remaining(89.9) == 40
    assert window.remaining(90.0) == 60 and window.reset_s(90.0) == 0.0


def test_tokens_given_back_to_a_sliding_window_expire_with_those_taken() -> None:
    window = SlidingWindow(100, 0.0)
    window.take(90, 0.0)
    window.take(-70, 5.0)
    assert window.remaining(5.0) == 80
    assert window.remaining(59.0) == 80 and window.remaining(60.0) == 100
    assert window.remaining(64.0) == 100


@given(
    st.sampled_from(sorted(KINDS)),
    st.integers(1, 10_000),
    st.lists(st.tuples(st.floats(0, 30), st.integers(1, 50)), max_size=60),
)
@settings(max_examples=120, deadline=None)
def test_retry_after_is_exact(kind: str, rpm: int, steps: list[tuple[float, int]]) -> None:
    """After the stated wait a request is admitted; a moment earlier it is refused."""
    now = 0.0
    limits = Limits(rpm, 100, lambda: now, kind=kind)
    for pause_s, tokens in steps:
        now += pause_s
        refusal = limits.admit("k", tokens)
        if refusal is not None:
            if refusal.wait_s > 1e-3:
                now += refusal.wait_s - 1e-4
                assert limits.admit("k", tokens) is not None
            now += 2e-4
            assert limits.admit("k", tokens) is None


@pytest.mark.parametrize(
    ("seconds", "text"),
    [(0.0171, "18ms"), (1.0, "1s"), (1.5, "1.5s"), (360.0, "6m0s"), (59.99, "59.99s")],
)
def test_duration(seconds: float, text: str) -> None:
    """Durations are written as OpenAI writes them."""
    assert duration(seconds) == text


def until_refused(gateway: Gateway) -> Reply:
    """The first 429; on a slow machine the bucket gains tokens between two requests."""
    for _ in range(1000):
        reply = gateway.send(chat())
        if reply.status == 429:
            return reply
    raise AssertionError("no request was refused")


def test_rpm_limit(log: Path) -> None:
    """After the burst a key is refused with an exact Retry-After; another key is not refused."""
    with running(log, "--profile", "fast", "--rpm-limit", 120, "--seed", 1) as gateway:
        replies = [gateway.send(chat()) for _ in range(120)]
        refused = until_refused(gateway)
        assert [r.status for r in replies[:120]] == [200] * 120
        assert replies[0].headers["x-ratelimit-limit-requests"] == "120"
        assert replies[0].headers["x-ratelimit-remaining-requests"] == "119"
        assert refused.headers["x-ratelimit-remaining-requests"] == "0"
        assert refused.json["error"]["code"] == "rate_limit_exceeded"
        assert gateway.send(chat(), Authorization="Bearer another").status == 200
        wait_ms = int(until_refused(gateway).headers["retry-after-ms"])
        assert 0 <= wait_ms <= 500
        time.sleep(wait_ms / 1000)
        assert gateway.send(chat()).status == 200
        faults = [row["fault"] for row in gateway.rows()]
    assert "rpm_limit" in faults


def test_tpm_limit(log: Path) -> None:
    """Tokens are limited by real usage: what was reserved and not used is given back."""
    with running(log, "--profile", "fast", "--tpm-limit", 1000) as gateway:
        first = gateway.send(chat(max_tokens=800))
        used = 1000 - int(gateway.send(chat(max_tokens=10)).headers["x-ratelimit-remaining-tokens"])
        assert first.json["usage"]["total_tokens"] + 10 <= used < 100
        refused = gateway.send(chat("word " * 1200, max_tokens=10))
        assert refused.status == 429 and refused.headers["retry-after"]
        assert gateway.rows()[-1]["fault"] == "tpm_limit"


def test_lying_retry_after(log: Path) -> None:
    """--retry-after-lie states a multiple of the true wait."""
    with running(log, "--profile", "fast", "--rpm-limit", 1, "--retry-after-lie", 0.1) as gateway:
        gateway.send(chat())
        assert int(gateway.send(chat()).headers["retry-after"]) <= 6


def test_max_concurrency(log: Path) -> None:
    """With N in flight the next request is a 429, and never more than N are served at once."""
    arguments = ("--profile", "fast", "--latency", 0.5, "--max-concurrency", 5)
    with running(log, *arguments) as gateway:
        with ThreadPoolExecutor(12) as pool:
            replies = list(pool.map(lambda _: gateway.send(chat()), range(12)))
        statuses = sorted(reply.status for reply in replies)
        assert statuses == [200] * 5 + [429] * 7
        rows = gateway.rows()
        assert gateway.send(chat()).status == 200
    assert [row["fault"] for row in rows].count("concurrency_limit") == 7
    assert max(int(row["in_flight"]) for row in rows if row["status"] == "200") == 5


@given(st.lists(st.tuples(st.floats(0, 20), st.integers(1, 40)), max_size=80))
@settings(max_examples=60, deadline=None)
def test_a_sliding_window_never_lets_more_through_in_any_minute(
    steps: list[tuple[float, int]],
) -> None:
    """Judged by summing what was admitted in every 60 s."""
    now, admitted = 0.0, list[tuple[float, int]]()
    limits = Limits(None, 100, lambda: now, kind="sliding")
    for pause_s, tokens in steps:
        now += pause_s
        if limits.admit("k", tokens) is None:
            admitted.append((now, tokens))
    for end, _ in admitted:
        assert sum(n for at, n in admitted if end - 60 < at <= end) <= 100


@pytest.mark.parametrize("kind", sorted(KINDS))
def test_limit_kind(log: Path, kind: str) -> None:
    """Each kind limits requests on the wire and says when to retry."""
    arguments = ("--profile", "fast", "--rpm-limit", 5, "--limit-kind", kind)
    with running(log, *arguments) as gateway:
        replies = [gateway.send(chat()) for _ in range(12)]
    assert 5 <= sum(reply.status == 200 for reply in replies) <= 10  # a minute may end in between
    refused = next(reply for reply in replies if reply.status == 429)
    waits = {"bucket": 12_000, "fixed": 60_000, "sliding": 60_000}
    assert 0 < int(refused.headers["retry-after-ms"]) <= waits[kind]
