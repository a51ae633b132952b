"""A worker dies: whatever the server had received is one row, `ok` or `lost`, and never two.

The server's log is the oracle. A worker on the master's machine leaves its files in the run's
folder. One on another machine does not: only the rows that it had sent are left of it.
"""

import os
import random
import signal
import threading
import time
from collections import Counter
from collections.abc import Callable
from pathlib import Path

import pytest

from analysis.reading.load import load
from tests.chaos.trial import MARGIN_S, report
from tests.e2e.test_distributed import Fleet
from tests.simulated import Simulator

Start = Callable[..., Simulator]
PLANS: dict[str, tuple[object, ...]] = {
    "window": ("--mode", "rpm", "--target", 1200, "--duration", 8),
    "streams": ("--mode", "rpm", "--target", 1200, "--duration", 8, "--stream"),
    "held": ("--mode", "ladder", "--steps", "12", "--hold", 8),
    "soak": ("--mode", "soak", "--search", "concurrency", "--target", 12, "--duration", 8),
    "bursts": ("--mode", "ladder", "--steps", "40,41,42,43", "--step-pause", 0),
}
WHERE = ("here", "elsewhere")


class Hidden(threading.Thread):
    """Removes what a worker writes to the run's folder, as if it were on another machine."""

    def __init__(self, results: Path, name: str) -> None:
        super().__init__()
        self._results, self._name = results, name
        self.over = threading.Event()

    def run(self) -> None:
        while not self.over.wait(0.01):
            for mask in (f"requests-{self._name}.csv", f"in-flight-{self._name}-*.bin"):
                for path in self._results.glob(f"*/{mask}"):
                    path.unlink()


def survive(kind: str, where: str, gateway: Simulator, place: Path) -> None:
    dice = random.Random(f"lost worker {kind} {where}")
    plan = ("--model", "m", "--task-id-on-streams", *PLANS[kind])
    ships = Fleet(place / "results", 2, "-H", gateway.url, *plan)
    hidden = [Hidden(place / "results", f"worker-{i}") for i in range(2)]
    try:
        for thief in hidden if where == "elsewhere" else ():
            thief.start()
        began = ships.until_phase()
        most_s = 1.2 if kind == "bursts" else 6.0
        time.sleep(max(0.0, began + dice.uniform(0.2, most_s) - time.time()))
        os.kill(ships.workers[dice.randrange(2)].pid, signal.SIGKILL)
        killed = time.time()
        result = ships.finish()
        assert result.folder is not None and result.events("worker_lost"), result.text
        frame = load(result.folder).requests
        assert not frame.duplicated(["phase", "request_index"]).any()
        received = Counter(row["task_id"] for row in gateway.rows())
        assert max(received.values()) == 1, "sent twice"
        outcome = dict(zip(frame["task_id"], frame["outcome"], strict=True))
        odd = {task for task in received if outcome.get(task) not in ("ok", "lost")}
        assert not odd, f"the server has {len(odd)} of {len(received)} that no row tells of: {odd}"
        lost = {task for task, what in outcome.items() if what == "lost"}
        if where == "here":  # just what was in flight, by the server's clock
            assert len(lost - received.keys()) <= 2
            ends = {row["task_id"]: float(row["last_byte_unix_s"] or "inf")
                    for row in gateway.rows()}  # fmt: skip
            assert all(ends[task] >= killed - MARGIN_S for task in lost & ends.keys())
        print(f"\n{kind} {where}: {len(received)} received, {len(lost)} lost, of these "
              f"{len(lost & received.keys())} received")  # fmt: skip
        report(result.folder)
    finally:
        for thief in hidden:
            thief.over.set()
        ships.stop()


@pytest.mark.chaos
@pytest.mark.parametrize("where", WHERE)
@pytest.mark.parametrize("kind", PLANS)
def test_a_lost_worker(simulator: Start, tmp_path: Path, kind: str, where: str) -> None:
    """In open loop, in closed loop by time, and during bursts."""
    survive(kind, where, simulator("--profile", "fast", "--latency", 0.15), tmp_path)


@pytest.mark.long
def test_one_lost_worker_elsewhere(simulator: Start, tmp_path: Path) -> None:
    """The same, for the ordinary suite."""
    survive("held", "elsewhere", simulator("--profile", "fast", "--latency", 0.15), tmp_path)
