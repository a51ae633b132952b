"""One crash trial: a run is killed with SIGKILL at a random moment, and what is left is judged.

Only the simulator's log judges. Every request that reached it is exactly one row. A request in
flight when its generator died may be `lost`: it had arrived, and its last byte was sent less than
MARGIN_S before the kill, or never. Everything else that was answered is finished.
"""

import contextlib
import io
import os
import random
import signal
import socket
import subprocess
import sys
import time
from collections import Counter
from dataclasses import dataclass, field
from pathlib import Path

import psutil

from analysis.__main__ import main as analysis
from analysis.reading.load import load
from loadshapes import modes
from tests.locust_run import ROOT, command, environment
from tests.simulated import Simulator

MARGIN_S = 1.0  # how far behind the server's log a client on a busy machine may be
SLO, TRACE = "slo.toml", "trace.jsonl"
FILES = {
    SLO: "success_rate = 0.9\n",
    TRACE: "".join(
        f'{{"at_s": {number * 0.03:.2f}, "prompt_tokens": 40, "max_tokens": 16}}\n'
        for number in range(150)
    ),
}
BEGIN_S = 60.0
END_S = 120.0
_OWN: dict[str, tuple[object, ...]] = {
    "ladder": ("--mode", "ladder", "--steps", "5,20,40,30,10", "--step-pause", 0),
    "ladder-hold": ("--mode", "ladder", "--steps", "4,8", "--hold", 4, "--step-pause", 0),
    "rpm": ("--mode", "rpm", "--target", 2400, "--duration", 5),
    "rpm-stream": ("--mode", "rpm", "--target", 1200, "--duration", 5, "--stream"),
    "rpm-cold": ("--mode", "rpm", "--target", 1200, "--duration", 5, "--connections", "cold"),
    "tpm": ("--mode", "tpm", "--target", 120000, "--duration", 5, "--tpm-plan", "seed",
            "--approx-prompt-tokens", 60),
    "cache": ("--mode", "cache", "--repeat", 30, "--prefix-tokens", 300),
    "tools": ("--mode", "tools", "--repeat", 30),
    "reasoning": ("--mode", "reasoning"),
    "vision": ("--mode", "vision"),
    "smoke": ("--mode", "smoke"),
    "interactive": ("--mode", "interactive", "-u", 4, "-r", 4, "-t", "5s"),
    "soak": ("--mode", "soak", "--search", "concurrency", "--target", 12, "--duration", 5),
    "capacity": ("--mode", "capacity", "--slo", SLO, "--target", "600,600,4800", "--duration", 1,
                 "--step-pause", 0.1),
    "replay": ("--mode", "replay", "--trace", TRACE),
    "limits": ("--mode", "limits", "--budget-tokens", 100_000, "--limits-most", 200),
    "budget": ("--mode", "rpm", "--target", 2400, "--duration", 5, "--budget-tokens", 100_000),
    "full": ("--mode", "full", "--quick", "--steps", "5,20", "--target", 600),
}  # fmt: skip
"""Plans that last for seconds and send much; of a mode that has none here its example is taken."""
WITHOUT_TASK_IDS = ("compat", "identity")
"""Their requests carry no task_id, by which a trial is judged; their own e2e tests kill them."""
MODES = _OWN | {
    name: ("--mode", name, *mode.example)
    for name, mode in modes.MODES.items()
    if name not in (*_OWN, *WITHOUT_TASK_IDS)
}
MODELS = {"reasoning": ",".join("abcdefgh"), "vision": ",".join("abcdefgh"), "smoke": "a,b,c,d,e,f"}
VICTIMS = ("local", "processes", "worker", "master", "all")
NO_WORKER = ("local", "processes", "master", "all")  # where to wait for the others takes minutes
VICTIMS_OF = {
    "interactive": VICTIMS[:2],
    "limits": NO_WORKER,
    "full": NO_WORKER,
}
LASTS_S = {"limits": 20.0, "full": 20.0}


@dataclass
class Trial:
    """What happens in trial `number`, all drawn from that number."""

    number: int
    mode: str = field(init=False)
    victim: str = field(init=False)
    moment_s: float = field(init=False)

    def __post_init__(self) -> None:
        dice = random.Random(f"chaos {self.number}")
        self.mode = list(MODES)[self.number % len(MODES)]
        self.victim = dice.choice(VICTIMS_OF.get(self.mode, VICTIMS))
        self.moment_s = dice.uniform(0.0, LASTS_S.get(self.mode, 4.5))

    def __str__(self) -> str:
        return f"{self.number}: {self.mode}, {self.victim} after {self.moment_s:.2f} s"

    @property
    def arguments(self) -> list[object]:
        """The run's options, without gateway and place."""
        return ["--model", MODELS.get(self.mode, "m"), *MODES[self.mode]]


class Crash:
    """The processes of one trial's run. `killed` holds when each generator died, Unix seconds."""

    def __init__(self, trial: Trial, gateway: Simulator, place: Path) -> None:
        self.killed: list[float] = []
        self._results = place / "results"
        self._log = (place / "run.log").open("w")
        for name, text in FILES.items():
            (place / name).write_text(text, encoding="utf-8")
        arguments_of_trial = [place / word if word in FILES else word for word in trial.arguments]
        given = [
            "--results",
            self._results,
            "-H",
            gateway.url,
            "--task-id-on-streams",
            *arguments_of_trial,
        ]
        self._generators: list[subprocess.Popen[bytes]] = []
        with socket.socket() as free:
            free.bind(("127.0.0.1", 0))
            port = free.getsockname()[1]
        if trial.victim == "local":
            self.master = self._start(command(*given))
        elif trial.victim == "processes":
            self.master = self._start(
                command("--processes", 2, "--master-bind-port", port, "--master-port", port, *given)
            )
        else:
            self.master = self._start(
                command("--master", "--master-bind-host", "127.0.0.1", "--master-bind-port", port,
                        "--expect-workers", 2, *given)
            )  # fmt: skip
            worker = [sys.executable, "-m", "locust", "-f", str(ROOT / "locustfile.py"),
                      "--worker", "--master-port", str(port)]  # fmt: skip
            self._generators = [self._start(worker) for _ in range(2)]

    def _start(self, arguments: list[str]) -> "subprocess.Popen[bytes]":
        return subprocess.Popen(
            arguments, cwd=ROOT, env=environment(), stdin=subprocess.DEVNULL,
            stdout=self._log, stderr=self._log, start_new_session=True,
        )  # fmt: skip

    @property
    def folder(self) -> Path:
        """The run's folder, once there is one."""
        (folder,) = self._results.iterdir()
        return folder

    def until_phase(self) -> None:
        """Wait until the first phase has begun."""
        deadline = time.monotonic() + BEGIN_S
        while time.monotonic() < deadline:
            if any(b"phase_start" in p.read_bytes() for p in self._results.glob("*/events.jsonl")):
                return
            time.sleep(0.02)
        raise AssertionError("no phase began: " + Path(self._log.name).read_text())

    def strike(self, trial: Trial) -> None:
        """Kills the victim now, and waits for the end of the rest of the run."""
        dice = random.Random(f"strike {trial.number}")
        if trial.victim in ("local", "processes", "all"):
            self._kill(self.master, *self._generators)
        elif trial.victim == "worker":
            self._kill(self._generators[dice.randrange(2)])
            self.master.wait(END_S)
        else:
            os.killpg(self.master.pid, signal.SIGKILL)
            time.sleep(dice.uniform(0.0, 3.0))  # orphans work on for a while; what they do counts
            self._kill(*self._generators)

    def _kill(self, *processes: "subprocess.Popen[bytes]") -> None:
        for process in processes:
            for child in psutil.Process(process.pid).children(recursive=True):
                with contextlib.suppress(psutil.NoSuchProcess):
                    child.kill()
            with contextlib.suppress(ProcessLookupError):
                os.killpg(process.pid, signal.SIGKILL)
        self.killed.append(time.time())

    def end(self) -> None:
        """Ends all remaining processes."""
        for process in [self.master, *self._generators]:
            with contextlib.suppress(ProcessLookupError):
                os.killpg(process.pid, signal.SIGKILL)
            process.wait(10)
        self._log.close()


def report(folder: Path) -> str:
    """What `python -m analysis report` says about a folder that it must be able to read."""
    output = io.StringIO()
    with contextlib.redirect_stdout(output), contextlib.redirect_stderr(output):
        code = analysis(["report", str(folder), "--print"])
    assert code == 0, output.getvalue()
    return output.getvalue()


def judge(folder: Path, gateway: Simulator, killed: list[float]) -> None:
    """Everything sent is a row, everything finished stays finished, the rest is readable."""
    frame = load(folder).requests
    assert not frame.duplicated(["phase", "request_index"]).any()
    logged = [row for row in gateway.rows() if row["task_id"]]
    assert max(Counter(row["task_id"] for row in logged).values(), default=1) == 1, "sent twice"
    missing = {row["task_id"] for row in logged} - set(frame["task_id"])
    assert not missing, f"the server has them, and no row: {missing}"
    unsure = ["dropped", "cancelled", "lost"]  # whether a lost worker had sent it, nobody knows
    finished = set(frame[~frame["outcome"].isin(unsure)]["task_id"])
    assert finished <= {row["task_id"] for row in logged}, "a row nobody sent"
    lost = [
        row for row in logged
        if row["task_id"] not in finished and row["status"] == "200" and not row["fault"]
        and not any(
            float(row["arrival_unix_s"]) <= at + 0.2
            and float(row["last_byte_unix_s"] or "inf") >= at - MARGIN_S
            for at in killed
        )
    ]  # fmt: skip
    assert not lost, [(row["task_id"], row["last_byte_unix_s"]) for row in lost]
    report(folder)
