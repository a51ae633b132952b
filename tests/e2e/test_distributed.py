"""Master and workers: the same plan, the same totals; nothing lost or doubled under faults."""

import os
import shutil
import signal
import socket
import subprocess
import sys
import time
from collections import Counter
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from analysis.reading.load import load
from analysis.report.report import look
from analysis.report.verdicts import verdicts
from tests.locust_run import ROOT, LocustRun, command, environment, run
from tests.simulated import Simulator

Start = Callable[..., Simulator]


class Fleet:
    """A master and its workers as processes, all writing to one results folder."""

    def __init__(
        self, results: Path, workers: int, *arguments: object, started: int | None = None
    ) -> None:
        """`started`: how many of the workers that the master expects are started here."""
        self.results = results
        with socket.socket() as free:
            free.bind(("127.0.0.1", 0))
            self.port = free.getsockname()[1]
        self._log = (results.parent / f"fleet-{self.port}.log").open("w")
        self.master = self._start(
            *command("--master", "--expect-workers", workers, "--master-bind-port", self.port,
                     "--master-bind-host", "127.0.0.1", "--results", results, *arguments)
        )  # fmt: skip
        self.workers = [self.worker() for _ in range(workers if started is None else started)]

    def worker(self, *wrapper: str) -> "subprocess.Popen[bytes]":
        """Starts one more worker, under a wrapping command if given."""
        return self._start(
            *wrapper, sys.executable, "-m", "locust", "-f", str(ROOT / "locustfile.py"), "--worker",
            "--master-port", str(self.port),
        )  # fmt: skip

    def _start(self, *arguments: str) -> "subprocess.Popen[bytes]":
        return subprocess.Popen(
            arguments, cwd=ROOT, env=environment(DONT_FAKE_MONOTONIC="1"),
            stdout=self._log, stderr=self._log, stdin=subprocess.DEVNULL,
        )  # fmt: skip

    def until_phase(self) -> float:
        """Waits until the first phase has begun; returns its start in Unix seconds."""
        deadline = time.monotonic() + 120
        while time.monotonic() < deadline:
            for path in self.results.glob("*/events.jsonl"):
                if "phase_start" in path.read_text():
                    event: dict[str, Any] = self.outcome(0).events("phase_start")[0]
                    return float(event["t0_unix_s"])
            time.sleep(0.05)
        raise AssertionError("no phase began")

    def outcome(self, code: int) -> LocustRun:
        (folder,) = self.results.iterdir()
        return LocustRun(code, "", Path(self._log.name).read_text(), folder)

    def finish(self, timeout_s: float = 240) -> LocustRun:
        """Waits for the master's end."""
        code = self.master.wait(timeout_s)
        return self.outcome(code)

    def stop(self) -> None:
        for process in [self.master, *self.workers]:
            if process.poll() is None:
                process.send_signal(signal.SIGCONT)
                process.kill()
            process.wait()
        self._log.close()


@pytest.fixture
def fleet(tmp_path: Path) -> Iterator[Callable[..., Fleet]]:
    """Starts fleets; their processes end with the test."""
    fleets: list[Fleet] = []

    def start(workers: int, *arguments: object, started: int | None = None) -> Fleet:
        results = tmp_path / f"fleet-{len(fleets)}"
        fleets.append(Fleet(results, workers, *arguments, started=started))
        return fleets[-1]

    yield start
    for one in fleets:
        one.stop()


def served(gateway: Simulator) -> Counter[str]:
    """How often the server answered each task_id completely."""
    return Counter(row["task_id"] for row in gateway.rows() if row["status"] == "200")


def assert_exactly_once(result: LocustRun, gateway: Simulator, planned: int) -> None:
    """Every planned request is one row; exactly those that the server finished are `ok`."""
    assert result.folder is not None
    frame = load(result.folder).requests
    assert len(frame) == planned
    assert not frame.duplicated(["phase", "request_index"]).any()
    good = set(frame[frame["outcome"] == "ok"]["task_id"])
    truth = served(gateway)
    assert max(truth.values()) == 1
    # A killed process takes with it what was in flight: answered, but never received.
    assert good <= truth.keys()


def told(result: LocustRun) -> str:
    """The report's text before its numbers."""
    assert result.folder is not None
    return "\n".join(remark.text for remark in verdicts(look(load(result.folder))))


WINDOW = ("--mode", "rpm", "--model", "m", "--target", 600)


@pytest.mark.long
def test_one_two_and_three_generators_send_the_same(
    simulator: Start, fleet: Callable[..., Fleet], tmp_path: Path
) -> None:
    """Local, --processes 2 and master + 3 workers: equal task_ids, tokens and cost."""
    totals = []
    plan = ("--mode", "rpm", "--model", "m,n", "--target", "600,1500", "--duration", 1,
            "--task-id-prefix", "same")  # fmt: skip
    for how in ("local", "processes", "workers"):
        gateway = simulator("--profile", "fast", "--latency", "0.05")
        arguments = ("-H", gateway.url, *plan)
        if how == "workers":
            result = fleet(3, *arguments).finish()
        else:
            more = ("--processes", 2) if how == "processes" else ()
            result = run(*arguments, *more, results=tmp_path / how)
        assert result.code == 0, result.text
        assert result.folder is not None
        frame = load(result.folder).requests
        assert Counter(frame["outcome"]) == {"ok": len(frame)}
        rows = gateway.rows()
        totals.append((
            sorted(row["task_id"] for row in rows),
            sum(int(row["total_tokens"]) for row in rows),
            len(frame),
            round(sum(float(row["cost"] or 0) for row in rows), 9),
            round(float(frame["api_cost"].sum()), 9),
        ))  # fmt: skip
    assert totals[0] == totals[1] == totals[2]
    assert totals[0][3] == totals[0][4]


@pytest.mark.long
def test_a_burst_is_released_together_across_workers(
    simulator: Start, fleet: Callable[..., Fleet]
) -> None:
    """Three workers' shares of one step are all in the server at the same time."""
    gateway = simulator("--profile", "fast", "--latency", "1.0")
    result = fleet(
        3, "-H", gateway.url, "--mode", "ladder", "--model", "m", "--steps", "60"
    ).finish()
    assert result.code == 0, result.text
    assert max(int(row["in_flight"]) for row in gateway.rows()) == 60
    rows = result.rows()
    assert {row.worker for row in rows} == {"worker-0", "worker-1", "worker-2"}
    assert result.folder is not None
    (step,) = look(load(result.folder)).phases
    sent = [row.sent_offset_s or 0.0 for row in rows if row.worker.startswith("worker")]
    assert step.release_skew_s == pytest.approx(max(sent) - min(sent), abs=1e-6)
    # On the server's clock none arrived before we say that it was sent.
    t0 = result.events("phase_start")[0]["t0_unix_s"]
    arrived = {row["task_id"]: float(row["arrival_unix_s"]) - t0 for row in gateway.rows()}
    assert all(arrived[row.task_id or ""] > (row.sent_offset_s or 0) - 0.02 for row in rows)


def test_a_killed_worker_loses_only_what_was_in_flight(
    simulator: Start, fleet: Callable[..., Fleet]
) -> None:
    """kill -9 during a window: the run ends, reports it, and every request is one row."""
    gateway = simulator("--profile", "fast", "--latency", "0.8")
    ships = fleet(3, "-H", gateway.url, *WINDOW, "--duration", 8)
    began = ships.until_phase()
    time.sleep(max(0.0, began + 3 - time.time()))
    os.kill(ships.workers[1].pid, signal.SIGKILL)
    result = ships.finish()
    assert result.code == 0, result.text
    (lost,) = result.events("worker_lost")
    assert f"A worker was lost: {lost['worker']}" in told(result)
    assert_exactly_once(result, gateway, 80)
    assert result.folder is not None
    frame = load(result.folder).requests
    lost = frame[frame["outcome"] == "lost"]
    assert 0 < len(lost) <= 5
    assert "it may have been sent, and paid for" in set(lost["error_message"]).pop()
    assert f"{len(lost)} requests were held by a process that died or was lost" in told(result)
    # Nothing that the dead worker finished is missing: all else that was answered is lost.
    finished = set(frame[frame["outcome"] == "ok"]["task_id"])
    assert served(gateway).keys() - finished <= set(lost["task_id"])


@pytest.mark.long
def test_a_frozen_worker_comes_back(simulator: Start, fleet: Callable[..., Fleet]) -> None:
    """SIGSTOP for 10 s: the worker sends late, and nothing is lost or doubled."""
    gateway = simulator("--profile", "fast", "--latency", "0.2")
    ships = fleet(2, "-H", gateway.url, *WINDOW, "--duration", 8)
    began = ships.until_phase()
    time.sleep(max(0.0, began + 1 - time.time()))
    os.kill(ships.workers[0].pid, signal.SIGSTOP)
    time.sleep(10)
    os.kill(ships.workers[0].pid, signal.SIGCONT)
    result = ships.finish()
    assert result.code == 0, result.text
    assert_exactly_once(result, gateway, 80)
    rows = [row for row in result.rows() if row.send_lag_s is not None]
    assert max(row.send_lag_s or 0 for row in rows) > 6
    assert result.events("worker_back")
    assert "stalled in rpm/m/600" in told(result)
    assert "A worker was lost" not in told(result)


@pytest.mark.long
def test_a_late_worker_waits_for_the_next_run(
    simulator: Start, fleet: Callable[..., Fleet]
) -> None:
    """A worker that joins during a window gets nothing to send, and disturbs nothing."""
    gateway = simulator("--profile", "fast", "--latency", "0.2")
    ships = fleet(2, "-H", gateway.url, *WINDOW, "--duration", 120)
    ships.until_phase()
    ships.workers.append(ships.worker())
    for _ in range(600):
        if ships.outcome(0).events("worker_late"):
            break
        time.sleep(0.2)
    time.sleep(2)
    ships.master.send_signal(signal.SIGINT)
    result = ships.finish()
    assert result.code == 1, result.text
    assert_exactly_once(result, gateway, 1200)
    sent = [row for row in result.rows() if row.outcome != "dropped"]
    assert {row.worker for row in sent} == {"worker-0", "worker-1"}
    assert {row.outcome for row in sent} == {"ok"}
    assert len(result.events("worker_late")) == 1
    assert "joined during the run and got no requests to send" in told(result)


@pytest.mark.long
@pytest.mark.skipif(shutil.which("faketime") is None, reason="faketime is not installed")
def test_a_worker_whose_clock_is_wrong_sends_on_time(
    simulator: Start, fleet: Callable[..., Fleet]
) -> None:
    """A wall clock 3 s ahead is measured, and its requests arrive when they are due."""
    gateway = simulator("--profile", "fast", "--latency", "0.2")
    ships = fleet(2, "-H", gateway.url, *WINDOW, "--duration", 5, started=1)
    ships.workers.append(ships.worker("faketime", "-f", "+3s"))
    result = ships.finish()
    assert result.code == 0, result.text
    (start,) = result.events("phase_start")
    assert sorted(round(offset) for offset in start["clock_offsets_s"]) == [-3, 0]
    arrived = {row["task_id"]: float(row["arrival_unix_s"]) for row in gateway.rows()}
    late = [
        arrived[row.task_id or ""] - start["t0_unix_s"] - (row.scheduled_offset_s or 0)
        for row in result.rows()
    ]
    assert len(arrived) == 50
    assert min(late) > -0.05  # uncorrected, half of them would be 3 s early
    assert "ahead of the master's" in told(result)


@pytest.mark.long
def test_workers_stop_when_their_master_is_killed(
    simulator: Start, fleet: Callable[..., Fleet]
) -> None:
    """Orphans stop sending within seconds; what they finished is in their part files."""
    gateway = simulator("--profile", "fast", "--latency", "0.2")
    ships = fleet(2, "-H", gateway.url, *WINDOW, "--duration", 60)
    began = ships.until_phase()
    time.sleep(max(0.0, began + 2 - time.time()))
    os.kill(ships.master.pid, signal.SIGKILL)
    before = -1
    for _ in range(60):  # the workers find out after about 6 s
        sent = len(gateway.rows())
        if sent == before:
            break
        before = sent
        time.sleep(2)
    assert len(gateway.rows()) == before < 400
    assert ships.master.wait() != 0
    result = ships.outcome(-9)
    assert result.folder is not None
    frame = load(result.folder).requests
    assert set(frame[frame["outcome"] == "ok"]["task_id"]) == served(gateway).keys()
    assert "The run was interrupted" in told(result)


@pytest.mark.parametrize(
    "processes", [pytest.param((), marks=pytest.mark.long), ("--processes", 2)]
)
def test_ctrl_c_in_a_terminal_finishes_what_is_in_flight(
    simulator: Start, tmp_path: Path, processes: tuple[object, ...]
) -> None:
    """SIGINT reaches the whole process group: every request is a row, those sent are `ok`."""
    gateway = simulator("--profile", "fast", "--latency", "3")
    results = tmp_path / "results"
    pressed = subprocess.Popen(
        command("--results", results, "-H", gateway.url, *WINDOW, "--duration", 60, *processes),
        env=environment(), start_new_session=True,
        stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True,
    )  # fmt: skip
    for _ in range(1200):
        if gateway.rows():  # the first has been answered, and thirty more are in flight
            break
        time.sleep(0.1)
    os.killpg(pressed.pid, signal.SIGINT)
    out, _ = pressed.communicate(timeout=240)
    assert pressed.returncode == 1, out
    (folder,) = results.iterdir()
    assert (folder / "report.html").exists(), out
    result = LocustRun(1, out, "", folder)
    assert_exactly_once(result, gateway, 600)
    frame = load(folder).requests
    assert set(frame["outcome"]) == {"ok", "dropped"}
    assert set(frame[frame["outcome"] == "ok"]["task_id"]) == served(gateway).keys()
