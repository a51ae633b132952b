"""The wall clock jumps while requests are in flight: no duration has the jump, no row is lost.

Durations come from a monotonic clock; the wall clock is only for labels. It is set forward and back
by hours under the running generator, as by an NTP daemon or by hand.
"""

import os
import random
import subprocess
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import pandas
import pytest

from analysis.reading.load import load
from tests.chaos.trial import judge
from tests.locust_run import ROOT, command, environment
from tests.simulated import Simulator

Start = Callable[..., Simulator]
TRIALS = max(2, int(os.environ.get("WEIGHBRIDGE_TRIALS", "36")) // 12)
LIBRARY = next(iter(sorted(Path("/usr/lib").glob("*/faketime/libfaketimeMT.so.1"))), None)
DURATIONS = ("elapsed_sec", "elapsed_from_due_s", "first_byte_s", "ttft_s", "inter_chunk_max_s",
             "send_lag_s", "sent_offset_s", "done_offset_s", "scheduled_offset_s")  # fmt: skip
LONGEST_S = 100.0  # of any duration; the jumps are longer
MODES: dict[str, tuple[object, ...]] = {
    "window": ("--mode", "rpm", "--target", 1200, "--duration", 6),
    "streams": ("--mode", "rpm", "--target", 600, "--duration", 6, "--stream"),
    "ladder": ("--mode", "ladder", "--steps", "5,10,20,12,6", "--step-pause", 0.7),
    "soak": ("--mode", "soak", "--search", "concurrency", "--target", 8, "--duration", 6),
}

pytestmark = pytest.mark.skipif(LIBRARY is None, reason="libfaketime is not installed")


@contextmanager
def jumping(offset: Path, dice: random.Random) -> Iterator[None]:
    """Repeatedly sets the clock of the process that reads this file by up to three hours."""
    over = threading.Event()

    def jump() -> None:
        while not over.wait(dice.uniform(0.2, 1.5)):
            hours = dice.choice([-1, 1]) * dice.uniform(0.1, 3)
            fresh = offset.with_suffix(".new")
            fresh.write_text(f"{hours * 3600:+.0f}s\n", encoding="utf-8")
            fresh.replace(offset)

    hand = threading.Thread(target=jump)
    hand.start()
    try:
        yield
    finally:
        over.set()
        hand.join()


def survive(number: int, gateway: Simulator, place: Path) -> None:
    """One run with a clock that jumps, judged by the simulator, whose clock does not."""
    dice = random.Random(f"clock {number}")
    plan = MODES[list(MODES)[number % len(MODES)]]
    offset = place / "offset"
    offset.write_text("+0s\n", encoding="utf-8")
    env = environment(
        LD_PRELOAD=str(LIBRARY), FAKETIME_TIMESTAMP_FILE=str(offset), FAKETIME_NO_CACHE="1",
        FAKETIME_DONT_FAKE_MONOTONIC="1",
    )  # fmt: skip
    began = pandas.Timestamp.now("UTC")
    with jumping(offset, dice):
        completed = subprocess.run(
            command("-H", gateway.url, "--model", "m", *plan, "--task-id-on-streams",
                    "--results", place / "results"),
            cwd=ROOT, env=env, stdin=subprocess.DEVNULL, capture_output=True, text=True,
            timeout=240,
        )  # fmt: skip
    assert completed.returncode == 0, completed.stdout + completed.stderr
    (folder,) = (place / "results").iterdir()
    judge(folder, gateway, [])
    frame = load(folder).requests
    assert set(frame["outcome"]) == {"ok"}
    assert len(frame) == len(gateway.rows()) > 0
    for name in DURATIONS:
        durations = frame[name].dropna()
        assert durations.between(-1.0, LONGEST_S).all(), (name, durations.min(), durations.max())
    # The labels did jump, or this trial showed nothing.
    labels = pandas.to_datetime(frame["timestamp"], utc=True)
    assert (labels - began).abs().max() > pandas.Timedelta(seconds=LONGEST_S)


@pytest.mark.chaos
@pytest.mark.parametrize("number", range(TRIALS))
def test_a_clock_that_jumps(simulator: Start, tmp_path: Path, number: int) -> None:
    """By hours, forward and back, in windows, ladders and soaks."""
    survive(number, simulator("--profile", "fast", "--latency", 0.15), tmp_path)


def test_one_clock_that_jumps(simulator: Start, tmp_path: Path) -> None:
    """The same, for the ordinary suite."""
    survive(1, simulator("--profile", "fast", "--latency", 0.15), tmp_path)
