"""How well a fixed rate is kept, and how high it can be, judged by the target's log of arrivals.

The error of an arrival is its distance from an even grid of the same rate, placed so that the
median error is zero; the log's resolution is 1 ms. A rate is sustained if the P99 of the error is
at most 5 ms and the rate over the whole run is within 1 %.
"""

import statistics
from collections import defaultdict
from pathlib import Path

from benchmarks.nginx import Nginx
from benchmarks.process import Failed
from benchmarks.results import Finding, save
from benchmarks.tools import WEIGHBRIDGE, Load, Tool, usable

LIMIT_MS = 5.0
RATES = (500, 1000, 1500, 2000, 2500, 3000, 3500, 4000)


def errors_ms(arrivals: list[float], rate_per_s: float) -> list[float]:
    """How far each arrival is from the grid, ascending."""
    drift = [at - number / rate_per_s for number, at in enumerate(arrivals)]
    middle = statistics.median(drift)
    return sorted(abs(value - middle) * 1000 for value in drift)


def measure(target: Nginx, folder: Path, names: list[str], rounds: int, quick: bool) -> None:
    """Write results/schedule.json."""
    samples: dict[tuple[str, str, str], list[float]] = defaultdict(list)
    seconds = 5 if quick else 20
    tools = [tool for tool in usable(names) if tool.open_loop]
    for _ in range(rounds):
        for tool in tools:
            for rate in (200, 1000) if tool is WEIGHBRIDGE else (200,):
                try:
                    p50, p99 = _error(tool, target, folder, rate, seconds)
                except Failed as error:
                    print(f"{tool.name}: {error}", flush=True)
                    continue
                print(f"{tool.name} at {rate}/s: P50 {p50:.2f} ms, P99 {p99:.2f} ms", flush=True)
                samples[tool.name, f"schedule error P50 at {rate}/s", "ms"].append(p50)
                samples[tool.name, f"schedule error P99 at {rate}/s", "ms"].append(p99)
        highest = _highest(target, folder, 3 if quick else 10)
        samples["weighbridge", "highest rate with P99 error of at most 5 ms", "1/s"].append(highest)
    save("schedule", [Finding(*key, tuple(values)) for key, values in samples.items()], quick=quick)


def _error(tool: Tool, target: Nginx, folder: Path, rate: int, seconds: int) -> tuple[float, float]:
    planned = rate * seconds
    tool.send(target, Load(target.plain, planned, rate_per_s=rate), folder / "tool")
    arrivals = target.arrivals()
    if len(arrivals) < planned * 0.99:
        raise Failed(f"{planned} requests were ordered, the server saw {len(arrivals)}")
    errors = errors_ms(arrivals, rate)
    return errors[len(errors) // 2], errors[int(len(errors) * 0.99)]


def _highest(target: Nginx, folder: Path, seconds: int) -> float:
    best = 0.0
    for rate in RATES:
        try:
            _, p99 = _error(WEIGHBRIDGE, target, folder, rate, seconds)
        except Failed:
            break
        arrivals = target.arrivals()
        reached = (len(arrivals) - 1) / (arrivals[-1] - arrivals[0])
        print(f"weighbridge at {rate}/s: reached {reached:.0f}/s, P99 {p99:.2f} ms", flush=True)
        if p99 > LIMIT_MS or reached < rate * 0.99:
            break
        best = rate
    return best
