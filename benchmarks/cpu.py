"""CPU of a request and of a stream: (long run - short run) / difference in requests.

User + system time of all the tool's processes, for everything it does, including its report. The
tools take turns, so that other load of the machine affects all of them.
"""

from collections import defaultdict
from pathlib import Path

from benchmarks.nginx import Nginx
from benchmarks.process import Failed
from benchmarks.results import Finding, save
from benchmarks.tools import Load, Tool, usable


def measure(target: Nginx, folder: Path, names: list[str], rounds: int, quick: bool) -> None:
    """Write results/cpu.json."""
    samples: dict[tuple[str, str, str], list[float]] = defaultdict(list)
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
                samples[tool.name, what, "ms"].append(cpu_ms)
                samples[tool.name, "peak memory of one process", "MB"].append(peak_mb)
    save("cpu", [Finding(*key, tuple(values)) for key, values in samples.items()], quick=quick)


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
        raise Failed(f"{sizes} requests were ordered, the server saw {seen}")
    return (cpu_s[1] - cpu_s[0]) / (seen[1] - seen[0]) * 1000, peak / 1e6
