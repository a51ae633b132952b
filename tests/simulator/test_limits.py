"""Rate limits: the buckets by hand-worked cases, then on the wire."""

import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from simulator.limits import Bucket, Limits, duration
from tests.simulator.gateway import chat, running


def test_bucket() -> None:
    """60 a minute: 60 at once, then one a second."""
    bucket = Bucket(60, 0.0)
    for _ in range(60):
        assert bucket.wait_s(1, 0.0) == 0
        bucket.take(1, 0.0)
    assert bucket.wait_s(1, 0.0) == 1.0 and bucket.remaining(0.0) == 0
    assert bucket.wait_s(1, 0.75) == pytest.approx(0.25)
    assert bucket.wait_s(1, 1.0) == 0 and bucket.reset_s(1.0) == 59.0
    assert bucket.wait_s(10_000, 1.0) == 59.0  # more than it can hold waits until it is full


@given(
    st.integers(1, 10_000),
    st.lists(st.tuples(st.floats(0, 5), st.integers(1, 50)), max_size=60),
)
@settings(max_examples=60, deadline=None)
def test_retry_after_is_exact(rpm: int, steps: list[tuple[float, int]]) -> None:
    """At the stated wait a request is admitted, a moment before it is refused."""
    now = 0.0
    limits = Limits(rpm, 100, lambda: now)
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


def test_rpm_limit(log: Path) -> None:
    """After the burst a key is refused with a true Retry-After; another key is not."""
    with running(log, "--profile", "fast", "--rpm-limit", 120, "--seed", 1) as gateway:
        replies = [gateway.send(chat()) for _ in range(125)]
        refused = next(reply for reply in replies if reply.status == 429)
        assert [r.status for r in replies[:120]] == [200] * 120
        assert replies[0].headers["x-ratelimit-limit-requests"] == "120"
        assert replies[0].headers["x-ratelimit-remaining-requests"] == "119"
        assert refused.headers["x-ratelimit-remaining-requests"] == "0"
        assert refused.json["error"]["code"] == "rate_limit_exceeded"
        assert gateway.send(chat(), Authorization="Bearer another").status == 200
        wait_ms = int(gateway.send(chat()).headers.get("retry-after-ms", 0))
        assert 0 <= wait_ms <= 500
        time.sleep(wait_ms / 1000)
        assert gateway.send(chat()).status == 200
        faults = [row["fault"] for row in gateway.rows()]
    assert "rpm_limit" in faults


def test_tpm_limit(log: Path) -> None:
    """Tokens are limited by the real usage: what was reserved and not used is given back."""
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
    """With N in flight the next is a 429, and there are never more than N served."""
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
