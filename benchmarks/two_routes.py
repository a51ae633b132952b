"""Does the interval contain what a proxy really adds? `python -m benchmarks.two_routes [CASE ...]`.

A proxy that delays each request by a known time is in front of the simulator; the reference goes
through the same proxy without a delay. One run with many models amounts to many runs of about 60
pairs: each model is a phase, judged by itself, with its own random order of pairs. The latency of
the provider (the simulator) varies lognormally and drifts by 25 %. We count how many 95 % intervals
of TTFT contain the truth, and how many runs report a difference where there is none.
"""

import argparse
import asyncio
import os
import subprocess
import sys
import tempfile
from collections.abc import Callable
from contextlib import suppress
from math import log
from pathlib import Path
from random import Random
from statistics import median
from typing import TYPE_CHECKING

from analysis.pairs.verdict import Conclusion, Verdict, judge_pairs
from analysis.reading.load import load
from analysis.report.two_routes import TwoRoutes
from benchmarks.tools import ROOT

if TYPE_CHECKING:
    from numpy.typing import NDArray

TTFT_S, SPREAD, SWING = 0.06, 0.3, 0.25
PROFILE = f"""
any_model = true
[latency]
ttft_s = {TTFT_S}
spread = {SPREAD}
drift_amplitude = {SWING}
drift_period_s = 20.0
"""
Delay = Callable[[Random], float]
CASES: dict[str, Delay] = {
    "20 ms each time": lambda dice: 0.02,
    "lognormal, median 20 ms, sigma 1": lambda dice: dice.lognormvariate(log(0.02), 1.0),
    "20 ms, and 1 s more in 1 %": lambda dice: 0.02 + (dice.random() < 0.01),
    "nothing": lambda dice: 0.0,
}


async def serve(upstream: int, delay: Delay, seed: int) -> None:
    """Forwards requests to a port of this machine, each delayed; prints its own port."""
    dice = Random(seed)

    async def back(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        with suppress(OSError):
            while data := await reader.read(65_536):
                writer.write(data)
        writer.close()

    async def client(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        their_reader, their_writer = await asyncio.open_connection("127.0.0.1", upstream)
        pump = asyncio.create_task(back(their_reader, writer))
        with suppress(asyncio.IncompleteReadError, OSError):
            while True:
                head = await reader.readuntil(b"\r\n\r\n")
                fields = head.lower().partition(b"content-length:")[2].split(b"\r\n")[0]
                body = await reader.readexactly(int(fields or 0))
                await asyncio.sleep(delay(dice))
                their_writer.write(head + body)
        their_writer.close()
        await pump

    server = await asyncio.start_server(client, "127.0.0.1", 0)
    print(server.sockets[0].getsockname()[1], flush=True)
    await asyncio.get_running_loop().run_in_executor(None, sys.stdin.read)


def truth_s(delay: Delay, seed: int = 1) -> float:
    """The limit of the Hodges-Lehmann estimate: the median of all means of two differences."""
    import numpy as np

    draws = np.random.default_rng(seed)
    dice, count = Random(seed), 400_000

    def differences() -> "NDArray[np.float64]":
        swing = 1 + SWING * np.sin(draws.uniform(0, 2 * np.pi, count))
        ours, theirs = np.exp(SPREAD * draws.standard_normal((2, count)))
        added = np.array([delay(dice) for _ in range(count)])
        return np.asarray(added + swing * TTFT_S * (ours - theirs))

    return float(np.median((differences() + differences()) / 2))


def program(*arguments: object) -> tuple["subprocess.Popen[str]", int]:
    """Starts one of our servers; its port is the last word of its first line."""
    server = subprocess.Popen(
        [sys.executable, "-m", *map(str, arguments)],
        cwd=ROOT, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True,
    )  # fmt: skip
    assert server.stdout is not None
    line = server.stdout.readline().strip()
    return server, int(line.rpartition(" ")[2].removesuffix("/v1").rpartition(":")[2])


def verdicts(case: str, runs: int, folder: Path) -> list[list[Verdict]]:
    """The verdicts of `runs` runs of about 60 pairs, each judged by itself."""
    profile = folder / "provider.toml"
    profile.write_text(PROFILE)
    servers = []
    try:
        simulator, port = program("simulator", "--port", "0", "--profile", profile)
        servers.append(simulator)
        proxies = [program("benchmarks.two_routes", "--serve", port, name)
                   for name in (case, "nothing")]  # fmt: skip
        servers += [server for server, _ in proxies]
        gateway, reference = (f"http://127.0.0.1:{own}/v1" for _, own in proxies)
        models = ",".join(f"m{number:03}" for number in range(runs))
        subprocess.run(
            [sys.executable, "-m", "locust", "-f", ROOT / "locustfile.py", "--headless",
             "--results", folder, "--gateway", "gw", "--against", "ref", "--mode", "ladder",
             "--model", models, "--steps", "4", "--hold", "2.2", "--step-pause", "0", "--stream",
             "--max-tokens", "16", "--run-id", "live"],
            cwd=folder, check=True, stdout=subprocess.DEVNULL,
            timeout=60 + 15 * runs,
            env=os.environ | {"GW_BASE_URL": gateway, "GW_API_KEY": "sk-live",
                              "REF_BASE_URL": reference, "REF_API_KEY": "sk-reference",
                              "PYTHONPATH": str(ROOT)},
        )  # fmt: skip
    finally:
        for server in servers:
            server.kill()
            server.wait(10)
    routes = TwoRoutes.of(load(folder / "live"))
    assert routes is not None
    return [judge_pairs(rows).verdicts for _, rows in routes.rows.groupby("phase", sort=False)]


def summary(case: str, runs: list[list[Verdict]]) -> str:
    """One line: how many intervals contain the truth, and how often any difference was reported."""
    truth = truth_s(CASES[case])
    ttft = [next(verdict for verdict in run if verdict.metric == "ttft") for run in runs]
    bounds = [(v.low, v.high) for v in ttft if v.low is not None and v.high is not None]
    contained = sum(low <= truth <= high for low, high in bounds)
    differs = (Conclusion.ADDS, Conclusion.SAVES)
    shown = sum(verdict.conclusion in differs for verdict in ttft)
    anything = sum(any(verdict.conclusion in differs for verdict in run) for run in runs)
    unlike = sum(any(v.conclusion is Conclusion.NOT_COMPARABLE for v in run) for run in runs)
    pairs = sorted(verdict.pairs for verdict in ttft)
    halves_ms = [(high - low) * 500 for low, high in bounds]
    return (
        f"{case}: truth {truth * 1000:.1f} ms, contained in {contained} of {len(bounds)} "
        f"intervals; of {len(runs)} runs of {pairs[0]} to {pairs[-1]} pairs {shown} say that TTFT "
        "differs, "
        f"{anything} that anything does, {unlike} that something cannot be compared; median "
        f"interval +/- {median(halves_ms):.1f} ms"
    )


def main() -> None:
    """Runs the named cases, or all, and prints one line per case."""
    parser = argparse.ArgumentParser(prog="benchmarks.two_routes", description=__doc__)
    parser.add_argument("cases", nargs="*", default=list(CASES))
    parser.add_argument("--runs", type=int, default=200)
    parser.add_argument("--serve", nargs=2, metavar=("PORT", "CASE"), help=argparse.SUPPRESS)
    given = parser.parse_args()
    if given.serve:
        asyncio.run(serve(int(given.serve[0]), CASES[given.serve[1]], 7))
        return
    for case in given.cases:
        with tempfile.TemporaryDirectory(prefix="weighbridge-pairs-") as folder:
            print(summary(case, verdicts(case, given.runs, Path(folder))), flush=True)


if __name__ == "__main__":
    main()
