"""Compares this checkout with another, e.g. from before a change: what did the change cost?

    python -m benchmarks.checkouts ../before --rounds 5

CPU of a request and of a stream (marginal, as in benchmarks/cpu.py), the schedule error at 1,000
requests per second, and how simultaneous a burst of 100 is. The checkouts take turns, also at going
first in a round, and every figure is listed with its ratio within the round, so that other load of
the machine affects both. Both run with this environment's packages.
"""

import argparse
import shutil
import statistics
import sys
import tempfile
from collections import defaultdict
from collections.abc import Callable
from pathlib import Path

from benchmarks.nginx import Nginx, nginx
from benchmarks.process import run
from benchmarks.results import Finding, save
from benchmarks.schedule import errors_ms
from benchmarks.tools import KEY, MODEL, ROOT

Measure = Callable[[Nginx, Path, Path], float]
SIZES = {False: (2000, 10_000), True: (200, 1200)}
"""Requests in the short and the long run, plain and streamed."""


def main() -> None:
    """Measures both in turns and writes results/checkouts.json."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.checkouts")
    parser.add_argument("other", type=Path, help="the other checkout's folder")
    parser.add_argument("--rounds", type=int, default=5)
    given = parser.parse_args()
    roots = {"before": given.other.resolve(), "after": ROOT}
    samples: dict[tuple[str, str, str], list[float]] = defaultdict(list)
    with tempfile.TemporaryDirectory(prefix="weighbridge-bench-") as bench_folder:
        folder = Path(bench_folder)
        folder.chmod(0o755)  # nginx's workers run as another user
        with nginx(folder) as target:
            for number in range(given.rounds):
                for (what, unit), measure in MEASURES.items():
                    for name in sorted(roots, reverse=number % 2 == 0):
                        value = measure(target, roots[name], folder / "run")
                        samples[name, what, unit].append(value)
                        print(f"round {number + 1}: {name}: {what} {value:.3f} {unit}", flush=True)
    for what, unit in MEASURES:
        pairs = zip(samples["after", what, unit], samples["before", what, unit], strict=True)
        ratios = [after / before for after, before in pairs if before]
        if ratios:
            print(f"{what}: after / before {statistics.median(ratios):.3f} "
                  f"({min(ratios):.3f} to {max(ratios):.3f})")  # fmt: skip
    save(
        "checkouts", [Finding(*key, tuple(values)) for key, values in samples.items()], quick=False
    )


def _sent(target: Nginx, root: Path, folder: Path, url: str, *more: object) -> float:
    """Runs one checkout's locustfile against a target; returns the CPU seconds of all processes."""
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir(parents=True)
    target.forget()
    command = [
        sys.executable, "-m", "locust", "-f", root / "locustfile.py", "--headless", "-H", url,
        "--model", MODEL, "--max-tokens", "16", "--results", folder / "results", *map(str, more),
    ]  # fmt: skip
    env = {"OPENAI_API_KEY": KEY, "PATH": "/usr/bin:/bin", "HOME": str(folder)}
    return run(command, folder / "out.log", env=env, cwd=root, longest_s=300).cpu_s


def _cpu(stream: bool) -> Measure:
    def measure(target: Nginx, root: Path, folder: Path) -> float:
        url, spent, seen = target.streamed if stream else target.plain, [], []
        for size in SIZES[stream]:
            window = ("--mode", "rpm", "--target", size * 30, "--duration", 2, "--grace", 600)
            more = (*window, "--max-workers", 8, *(["--stream"] if stream else []))
            spent.append(_sent(target, root, folder, url, *more))
            seen.append(len(target.arrivals()))
        return (spent[1] - spent[0]) / (seen[1] - seen[0]) * 1000

    return measure


def _schedule(target: Nginx, root: Path, folder: Path) -> float:
    window = ("--mode", "rpm", "--target", 60_000, "--duration", 10, "--max-workers", 200)
    _sent(target, root, folder, target.plain, *window)
    errors = errors_ms(target.arrivals(), 1000)
    return errors[int(len(errors) * 0.99)]


def _burst(target: Nginx, root: Path, folder: Path) -> float:
    _sent(target, root, folder, target.plain, "--mode", "ladder", "--steps", "1,100")
    arrivals = target.arrivals()[-100:]
    return (arrivals[-1] - arrivals[0]) * 1000


MEASURES: dict[tuple[str, str], Measure] = {
    ("CPU per request", "ms"): _cpu(stream=False),
    ("CPU per 200-chunk stream", "ms"): _cpu(stream=True),
    ("schedule error P99 at 1000/s", "ms"): _schedule,
    ("100 requests at once: first to last arrival", "ms"): _burst,
}


if __name__ == "__main__":
    main()
