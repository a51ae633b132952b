"""The part of the golden runs that the ordinary suite can afford; `make golden` runs all of them.

Counts, tokens and money must be equal. Times are asserted only in relation to the noise of bare
sockets in the same minute, and to what the run's own verdict promises.
"""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from analysis.reading.load import load
from analysis.report.report import look
from tests.golden import starving
from tests.golden.truth import Errors, assert_equal, by_task, errors, floor, ours, table
from tests.locust_run import LocustRun, run
from tests.simulated import Simulator

Start = Callable[..., Simulator]
STREAMS = ("--mode", "ladder", "--model", "m", "--max-tokens", 200, "--stream",
           "--task-id-on-streams", "--task-id-prefix", "gold")  # fmt: skip


def numbers(result: LocustRun) -> list[dict[str, Any]]:
    """The numbers of the run's phases in the report."""
    assert result.folder is not None
    return [phase.as_dict() for phase in look(load(result.folder)).phases]


def assert_kept_or_told(
    phase: dict[str, Any], mine: dict[str, Errors], bare: dict[str, Errors]
) -> None:
    """Times are off by at most a few times the limits and the noise, or the numbers say so.

    This does not need a quiet machine: on a busy one the verdict is `generator-limited`, and one
    stall alone, which is no verdict but may hold up every stream that is open, is the longest lag.
    """
    if phase["generator_limited"]:
        return
    for name, limit in (
        ("latency_s", phase["loop_lag_limit_s"]),
        ("ttft_s", phase["loop_lag_limit_s"]),
        ("gap_p50_s", phase["chunk_lag_limit_s"]),
    ):
        if name in mine:
            told_s = 3 * limit + phase["loop_lag_max_s"]
            assert mine[name].p99_s <= told_s + 5 * bare[name].p99_s, name


@pytest.mark.long
def test_a_whole_programme_equals_the_log(thinker: Start, tmp_path: Path) -> None:
    """Every mode of `full`, plain and streamed, row by row and in the report's sums."""
    gateway = thinker("--tokens-per-s", 0, "--ttft", 0.05, thoughts=9)
    result = run(
        "-H", gateway.url, "--mode", "full", "--quick", "--model", "m", "--steps", "1,9",
        "--task-id-on-streams", "--task-id-prefix", "gold", "--target", 300,
        results=tmp_path / "results",
    )  # fmt: skip
    assert result.code == 0, result.text
    assert_equal(result, by_task(gateway))
    assert {row.mode for row in result.rows()} >= {
        "smoke", "ladder", "rpm", "tpm", "cache", "tools", "reasoning", "vision",
    }  # fmt: skip


def test_streams_are_timed_as_the_gateway_sent_them(thinker: Start, tmp_path: Path) -> None:
    """TTFT, gaps and latency of ten streams at a time, compared with the noise of bare sockets."""
    gateway = thinker()
    result = run("-H", gateway.url, *STREAMS, "--steps", 10, "--hold", 3, results=tmp_path / "r")
    assert result.code == 0, result.text
    truth = by_task(gateway, "gold")
    assert_equal(result, truth)
    mine = errors(ours(result), truth)
    bare = errors(floor(gateway, 10, 20, stream=True), by_task(gateway, "floor"))
    print(table("10 streams at 50 tokens/s", mine, bare))
    (phase,) = numbers(result)
    assert phase["loop_lag_p99_s"] is not None
    assert_kept_or_told(phase, mine, bare)


@pytest.mark.long
def test_a_generator_that_is_starved_says_so(thinker: Start, tmp_path: Path) -> None:
    """Stopped for two thirds of the time: a closed loop of streams has no send lag to show it."""
    gateway = thinker()
    result = starving.run(
        "-H", gateway.url, *STREAMS, "--steps", 5, "--hold", 3,
        results=tmp_path / "r", starve=starving.stopped,
    )  # fmt: skip
    assert result.code == 0, result.text
    assert_equal(result, by_task(gateway))
    (phase,) = numbers(result)
    assert phase["send_lag_p99_s"] is None
    assert phase["generator_limited"] is True
    assert "is generator-limited, do not trust it" in result.text
