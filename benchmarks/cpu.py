"""CPU of a request and of a stream: (a long run's - a short run's) / the requests between them.

User + system time of all the tool's processes, all it does included, its report too. The tools take
turns, so that what else the machine does falls on all of them.
"""

from collections import defaultdict
from pathlib import Path

from benchmarks.nginx import Nginx
from benchmarks.process import Failed
from benchmarks.results import Finding, save
from benchmarks.tools import Load, Tool, usable


def measure(target: Nginx, folder: Path, names: list[str], rounds: int, quick: bool) -> None:
    """Write results/cpu.json."""
    found: dict[tuple[str, str, str], list[float]] = defaultdict(list)
    tools = usable(names)
    for number in range(rounds):
        for stream in (False, True):
            for tool in tools:
                sizes = tool.streamed if stream else tool.plain
                if sizes is None:
                    continue
                what = "CPU per 200-chunk stream" if stream else "CPU per request"
                try:
                    cpu_ms, peak_mb = _marginal(tool, target, folder, sizes, stream)
                except Failed as error:
                    print(f"{tool.name}: {error}", flush=True)
                    continue
                print(f"round {number + 1}: {tool.name}: {what} {cpu_ms:.3f} ms", flush=True)
                found[tool.name, what, "ms"].append(cpu_ms)
                found[tool.name, "peak memory of one process", "MB"].append(peak_mb)
    save("cpu", [Finding(*key, tuple(values)) for key, values in found.items()], quick=quick)


def _marginal(
    tool: Tool, target: Nginx, folder: Path, sizes: tuple[int, int], stream: bool
) -> tuple[float, float]:
    url = target.streamed if stream else target.plain
    seen, cpu_s, peak = [], [], 0
    for size in sizes:
        used = tool.send(target, Load(url, size, stream=stream), folder / tool.name)
        seen.append(len(target.arrivals()))
        cpu_s.append(used.cpu_s)
        peak = max(peak, used.peak_rss_bytes)
    if seen[1] - seen[0] < (sizes[1] - sizes[0]) / 2:
        raise Failed(f"asked for {sizes} requests, the server saw {seen}")
    return (cpu_s[1] - cpu_s[0]) / (seen[1] - seen[0]) * 1000, peak / 1e6
