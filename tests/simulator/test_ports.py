"""Two ports of one process, and a provider that drifts."""

from math import pi, sin
from pathlib import Path
from typing import Any

import pytest

from simulator import latency, profile
from tests.simulator.gateway import Gateway, chat, running

LONG = "word " * 2100 + "\nReply exactly: ok"


def both(log: Path, shared: str, *arguments: object) -> Any:
    path = log.parent / "ports.toml"
    text = (profile.PROFILES / "fast.toml").read_text(encoding="utf-8")
    path.write_text(f"{text}\n[ports]\n{shared}\n")
    return running(log, "--profile", path, "--also-port", 0, *arguments)


def second(gateway: Gateway) -> int:
    """The other port, which the simulator prints on its second line."""
    assert gateway.process.stdout is not None
    line = gateway.process.stdout.readline().decode()
    assert line.startswith("simulator ready ")
    return int(line.split(":")[-1].partition("/")[0])


def test_the_ledger_tells_the_ports_apart(log: Path) -> None:
    """The same request has the same answer at both ports; ids and ports differ."""
    with both(log, "") as gateway:
        other = second(gateway)
        texts = [gateway.send(chat("Tell me"), port=port).text for port in (None, other)]
        rows = gateway.rows()
    assert texts[0] == texts[1]
    assert [int(row["port"]) for row in rows] == [gateway.port, other]
    assert len({row["request_id"] for row in rows}) == 2


@pytest.mark.parametrize("shared", [False, True])
def test_one_bucket_for_both(log: Path, shared: bool) -> None:
    """With share_limits two requests at one port, with any keys, leave none for the other port."""
    rule = "share_limits = true" if shared else ""
    with both(log, rule, "--rpm-limit", 2) as gateway:
        other = second(gateway)
        for key in ("one", "two") if shared else ("one", "one"):
            assert gateway.send(chat(), Authorization=f"Bearer {key}").status == 200
        assert gateway.send(chat(), Authorization="Bearer one").status == 429
        status = gateway.send(chat(), port=other, Authorization="Bearer one").status
    assert status == (429 if shared else 200)


@pytest.mark.parametrize("shared", [False, True])
def test_one_cache_for_both(log: Path, shared: bool) -> None:
    with both(log, "share_cache = true" if shared else "") as gateway:
        other = second(gateway)
        gateway.send(chat(LONG))
        usage = gateway.send(chat(LONG), port=other).json["usage"]
    assert (usage["prompt_tokens_details"]["cached_tokens"] > 0) == shared


def test_drift_is_a_sine_of_all_times() -> None:
    """It draws no random numbers, and without an amplitude nothing changes."""
    rule = profile.Latency(ttft_s=0.4, tokens_per_s=50.0, drift_amplitude=0.25, drift_period_s=8.0)
    for at_s in (0.0, 1.0, 2.0, 6.0, 8.0):
        factor = latency.drift(rule, at_s)
        assert factor == pytest.approx(1 + 0.25 * sin(2 * pi * at_s / 8))
        slowed = latency.drifted(rule, factor)
        assert slowed.ttft_s == pytest.approx(0.4 * factor)
        assert latency.token_s(slowed, 10) == pytest.approx(0.2 * factor)
    assert latency.drift(profile.Latency(ttft_s=0.4), 3.0) == 1.0


@pytest.mark.parametrize("table", [{"drift_amplitude": 1.0}, {"drift_period_s": 0}])
def test_a_drift_that_makes_times_zero_is_refused(table: dict[str, float]) -> None:
    with pytest.raises(profile.ProfileError, match="drift_amplitude must be below 1"):
        profile.parse({"any_model": True, "latency": table}, "p")


def test_the_ledger_has_the_drift(log: Path) -> None:
    """Each request took at least as much longer as its factor says."""
    text = (
        "any_model = true\n[latency]\nttft_s = 0.1\ndrift_amplitude = 0.5\ndrift_period_s = 1.0\n"
    )
    (log.parent / "drift.toml").write_text(text)
    with running(log, "--profile", log.parent / "drift.toml") as gateway:
        for _ in range(10):
            gateway.send(chat())
        rows = gateway.rows()
    factors = [float(row["latency_factor"]) for row in rows]
    assert min(factors) < 0.9 and max(factors) > 1.1
    for row, factor in zip(rows, factors, strict=True):
        took_s = float(row["first_byte_unix_s"]) - float(row["arrival_unix_s"])
        assert took_s >= 0.1 * factor - 0.001
