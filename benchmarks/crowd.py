"""Many at once: 1,000 requests to a 1.0 s server, and 5,000 slow streams in two processes."""

import contextlib
import csv
import os
import statistics
from pathlib import Path

import psutil

from benchmarks.delayed import delayed
from benchmarks.process import free_port, rss_bytes, run
from benchmarks.results import Finding, save
from benchmarks.tools import locust

ENV_KEY = {"OPENAI_API_KEY": "sk-bench"}


def measure(folder: Path, rounds: int, quick: bool) -> None:
    """Write results/crowd.json."""
    ours, truth, memory, ok = [], [], [], []
    for number in range(rounds):
        measured, served = _latency(folder / f"latency-{number}")
        print(f"1,000 in flight: P50 {measured:.4f} s, the server's own {served:.4f} s", flush=True)
        ours.append(measured)
        truth.append(served)
        many = 1000 if quick else 5000
        few_mb, few_ok = _streams(folder / f"few-{number}", 100, quick)
        many_mb, many_ok = _streams(folder / f"many-{number}", many, quick)
        memory.append((many_mb - few_mb) * 1000 / (many - 100))
        ok.append((few_ok + many_ok) / (many + 100) * 100)
        print(f"{many} streams: {memory[-1]:.1f} kB each, {ok[-1]:.2f} % whole", flush=True)
    tool = "weighbridge"
    findings = [
        Finding(tool, "P50 of 1,000 in flight on a 1.0 s server", "s", tuple(ours)),
        Finding(tool, "the same by the server's clock", "s", tuple(truth)),
        Finding(tool, "memory of a slow stream, two processes", "kB", tuple(memory)),
        Finding(tool, "slow streams that came whole", "%", tuple(ok)),
    ]
    save("crowd", findings, quick=quick)


def rows(folder: Path) -> list[dict[str, str]]:
    """All rows of the run in a results folder."""
    records: list[dict[str, str]] = []
    for path in folder.rglob("requests-*.csv"):
        if "@master" not in path.name:
            with path.open(newline="", encoding="utf-8") as file:
                records += csv.DictReader(file)
    return records


def _latency(folder: Path) -> tuple[float, float]:
    folder.mkdir(parents=True)
    with delayed(folder / "truth.csv", delay_s=1.0) as (base_url, _):
        command = locust(base_url, folder, "--mode", "ladder", "--steps", "1000", "--hold", "8")
        run(command, folder / "out.log", env={**os.environ, **ENV_KEY})
    served = [line.split(",") for line in (folder / "truth.csv").read_text().splitlines()]
    truth = statistics.median(float(answered) - float(arrived) for arrived, answered in served)
    measured = statistics.median(float(r["elapsed_sec"]) for r in rows(folder) if r["elapsed_sec"])
    return measured, truth


def _streams(folder: Path, count: int, quick: bool) -> tuple[float, int]:
    """Peak resident memory of all the tool's processes in MB, and the count of complete streams."""
    folder.mkdir(parents=True)
    peak = 0

    def watch(pid: int) -> None:
        nonlocal peak
        with contextlib.suppress(psutil.Error):
            children = psutil.Process(pid).children()
            workers = [c.pid for c in children if "analysis" not in c.cmdline()]
            peak = max(peak, rss_bytes(pid) + sum(map(rss_bytes, workers)))

    chunks, pace_s = (20, 0.5) if quick else (40, 0.75)
    with delayed(folder / "truth.csv", delay_s=1.0, pace_s=pace_s, chunks=chunks) as (_, base_url):
        steps = ["--mode", "ladder", "--steps", count, "--stream", "--timeout", 120]
        port = free_port()
        nodes = ["--processes", 2, "--master-port", port, "--master-bind-port", port]
        command = locust(base_url, folder, *steps, *nodes)
        run(command, folder / "out.log", env={**os.environ, **ENV_KEY}, watch=watch)
    whole = sum(r["outcome"] == "ok" and r["chunks"] == str(chunks) for r in rows(folder))
    return peak / 1e6, whole
