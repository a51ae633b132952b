"""Whether memory grows with the length of a run: resident memory after several request counts."""

import os
from pathlib import Path

from benchmarks.nginx import Nginx
from benchmarks.process import rss_bytes, run
from benchmarks.results import Finding, save
from benchmarks.tools import KEY, WEIGHBRIDGE, Load


def measure(target: Nginx, folder: Path, quick: bool) -> None:
    """Write results/soak.json."""
    marks = (2_000, 5_000, 10_000) if quick else (10_000, 100_000, 1_000_000)
    folder.mkdir(parents=True)
    target.forget()
    part = folder / "results"
    seen: dict[int, float] = {}
    line_bytes = 0.0

    def watch(pid: int) -> None:
        nonlocal line_bytes
        for path in part.glob("*/requests-*.csv"):
            if not line_bytes and path.stat().st_size > 500_000:
                lines = path.read_bytes()[:400_000].split(b"\n")
                line_bytes = sum(map(len, lines[1:-1])) / (len(lines) - 2) + 1
            for mark in marks:
                if line_bytes and mark not in seen and path.stat().st_size >= mark * line_bytes:
                    seen[mark] = rss_bytes(pid) / 1e6
                    print(f"about {mark:,} requests: {seen[mark]:.1f} MB", flush=True)

    command = WEIGHBRIDGE.command(Load(target.plain, int(marks[-1] * 1.05)), folder)
    command[command.index("--grace") + 1] = "7200"
    env = {**os.environ, "OPENAI_API_KEY": KEY}
    run(command, folder / "out.log", env=env, longest_s=7200, watch=watch)
    findings = [
        Finding("weighbridge", f"resident memory after {mark:,} requests", "MB", (mb,))
        for mark, mb in seen.items()
    ]
    save("soak", findings, quick=quick)
