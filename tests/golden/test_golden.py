"""The whole of the golden runs (`make golden`): every mode, 100 at once, and a starved generator.

Each prints how far its times are from the simulator's log, with the noise floor of bare sockets.
"""

from collections.abc import Callable
from pathlib import Path

import pytest

from loadshapes.modes import MODES
from tests.examples import with_files
from tests.golden import starving
from tests.golden.test_subset import STREAMS, assert_kept_or_told, numbers
from tests.golden.truth import assert_equal, by_task, errors, floor, most_at_once, ours, table
from tests.locust_run import run
from tests.simulated import Simulator

pytestmark = pytest.mark.golden
Start = Callable[..., Simulator]
BOTH = pytest.mark.parametrize("stream", [False, True], ids=["plain", "stream"])


# Modes compat and billing ask for refusals, identity names no request: tests/e2e holds their rows
# against the log, and test_billing.py every number of the bill.
OTHERS = ("compat", "billing", "identity")


@pytest.mark.parametrize("mode", [mode for mode in MODES if mode not in OTHERS])
def test_every_mode_equals_the_log(simulator: Start, tmp_path: Path, mode: str) -> None:
    """With the article's models and their latencies, prices, caches and reasoning."""
    gateway = simulator("--seed", 11)
    result = run(
        "-H", gateway.url, "--mode", mode,
        *with_files(MODES[mode].example, tmp_path),
        "--task-id-on-streams", "--seed", 11,
        "--task-id-prefix", "gold", results=tmp_path / "r", timeout_s=900,
    )  # fmt: skip
    assert result.code == 0, result.text
    truth = by_task(gateway)
    assert_equal(result, truth)
    at_once = most_at_once(truth)
    quick = simulator("--profile", "fast", "--latency", 0.5)
    bare = errors(floor(quick, at_once, max(20, at_once), stream=False), by_task(quick))
    print(table(f"\n{mode}, up to {at_once} at once", errors(ours(result), truth), bare))


@BOTH
@pytest.mark.parametrize("connections", ["warm", "cold"])
def test_a_hundred_at_once_equal_the_log(
    thinker: Start, tmp_path: Path, stream: bool, connections: str
) -> None:
    """A closed loop of 100; streams run at 50 tokens per second each."""
    gateway = thinker()
    arguments = STREAMS if stream else [word for word in STREAMS if word != "--stream"]
    result = run(
        "-H", gateway.url, *arguments, "--steps", 100, "--hold", 10, "--connections", connections,
        results=tmp_path / "r",
    )  # fmt: skip
    assert result.code == 0, result.text
    truth = by_task(gateway, "gold")
    assert_equal(result, truth)
    mine = errors(ours(result), truth)
    bare = errors(floor(gateway, 100, 400, stream), by_task(gateway, "floor"))
    (phase,) = numbers(result)
    kind = "streams at 50 tokens/s" if stream else "plain requests"
    lag, limited = phase["loop_lag_p99_s"], phase["generator_limited"]
    print(table(f"\n100 {kind}, {connections}: loop lag p99 {lag} s, limited: {limited}",
                mine, bare))  # fmt: skip
    assert_kept_or_told(phase, mine, bare)


@BOTH
@pytest.mark.parametrize("rpm", [3000, 6000])
def test_requests_are_sent_when_they_are_due(
    thinker: Start, tmp_path: Path, rpm: int, stream: bool
) -> None:
    """An open-loop window: send offsets against the gateway's arrivals."""
    gateway = thinker(thoughts=20)
    result = run(
        "-H", gateway.url, "--mode", "rpm", "--model", "m", "--target", rpm, "--duration", 10,
        "--max-tokens", 200, "--task-id-on-streams", "--task-id-prefix", "gold",
        *["--stream"] * stream, results=tmp_path / "r",
    )  # fmt: skip
    assert result.code == 0, result.text
    truth = by_task(gateway, "gold")
    assert_equal(result, truth)
    assert len(truth) == rpm // 6
    mine = errors(ours(result), truth)
    bare = errors(floor(gateway, 50, 400, stream), by_task(gateway, "floor"))
    (phase,) = numbers(result)
    lag, limited = phase["send_lag_p99_s"], phase["generator_limited"]
    print(table(f"\n{rpm} RPM, stream: {stream}: send lag p99 {lag} s, limited: {limited}",
                mine, bare))  # fmt: skip
    assert_kept_or_told(phase, mine, bare)


# ---- a starved generator

LOADS: dict[str, tuple[object, ...]] = {
    "closed": ("--mode", "ladder", "--steps", 30, "--hold", 6),
    "streams": ("--mode", "ladder", "--steps", 30, "--hold", 6, "--stream"),
    "window": ("--mode", "rpm", "--target", 3600, "--duration", 6),
    "burst": ("--mode", "ladder", "--steps", 60),
}
COMMON = ("--model", "m", "--max-tokens", 200, "--task-id-on-streams")


WAYS: dict[str, starving.Starve] = {
    "stopped": starving.stopped,
    "hogged": starving.hogged,
    "quota": starving.quota,
}


@pytest.mark.parametrize("load", LOADS)
@pytest.mark.parametrize("how", WAYS)
def test_a_starved_generator_is_called_limited(
    thinker: Start, tmp_path: Path, load: str, how: str
) -> None:
    """By stops, by busy neighbours on its only core, by a tiny quota; its counts stay exact."""
    if how == "quota" and not starving.can_have_quota():
        pytest.skip("no cgroup with a CPU quota can be made here")
    gateway = thinker()
    result = starving.run(
        "-H", gateway.url, *LOADS[load], *COMMON, results=tmp_path / "r", starve=WAYS[how]
    )
    assert result.code == 0, result.text
    assert_equal(result, by_task(gateway))
    (phase,) = numbers(result)
    print(
        f"\n{how}, {load}: loop lag p99 {phase['loop_lag_p99_s']} s, "
        f"send lag p99 {phase['send_lag_p99_s']} s"
    )
    assert phase["generator_limited"] is True
