"""How simultaneous a burst is: the time between the first and the last arrival of 100 requests."""

from collections import defaultdict
from pathlib import Path

from benchmarks.nginx import Nginx
from benchmarks.process import Failed
from benchmarks.results import Finding, save
from benchmarks.tools import WEIGHBRIDGE, Load, Tool, locust, usable

SIZE = 100


def _ladder(load: Load, folder: Path) -> list[str | Path]:
    return locust(load.base_url, folder, "--mode", "ladder", "--steps", f"1,{SIZE}")


def measure(target: Nginx, folder: Path, names: list[str], rounds: int, quick: bool) -> None:
    """Write results/burst.json."""
    samples: dict[str, list[float]] = defaultdict(list)
    ours = Tool(WEIGHBRIDGE.name, _ladder, WEIGHBRIDGE.plain, None)
    tools = [tool for tool in usable(names) if tool.open_loop and tool.name != ours.name]
    for _ in range(rounds):
        for tool in (ours, *tools):
            try:
                tool.send(target, Load(target.plain, SIZE, at_once=SIZE), folder / "tool")
            except Failed as error:
                print(f"{tool.name}: {error}", flush=True)
                continue
            arrivals = target.arrivals()[-SIZE:]
            spread_ms = (arrivals[-1] - arrivals[0]) * 1000
            print(f"{tool.name}: {SIZE} requests within {spread_ms:.1f} ms", flush=True)
            samples[tool.name].append(spread_ms)
    what = f"{SIZE} requests at once: first to last arrival"
    save("burst", [Finding(t, what, "ms", tuple(v)) for t, v in samples.items()], quick=quick)
