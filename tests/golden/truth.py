"""Compares a run with the simulator's log: what must be equal, and how far off the times are."""

import csv
import subprocess
import sys
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal
from fractions import Fraction
from itertools import accumulate

from analysis.numbers.percentile import nearest_rank
from analysis.reading.load import load
from analysis.report.report import look
from recording.record import RequestRecord
from tests.locust_run import CANARY, ROOT, LocustRun
from tests.simulated import Simulator

Seen = Mapping[str, str]
COUNTS = ("prompt_tokens", "completion_tokens", "total_tokens", "cached_tokens",
               "reasoning_tokens")  # fmt: skip
THINKER = """
any_model = true
[latency]
ttft_s = {ttft_s}
tokens_per_s = {tokens_per_s}
[prices]
input = 3.0
cached_input = 0.3
output = 15.0
decimals = 9
[reasoning]
tokens = {thoughts}
"""


def by_task(gateway: Simulator, prefix: str = "") -> dict[str, Seen]:
    """The log's rows by task_id, for ids with this prefix; each must occur once."""
    rows = [row for row in gateway.rows() if row["task_id"].startswith(prefix)]
    by_id = {row["task_id"]: row for row in rows}
    assert len(by_id) == len(rows), "a task_id was sent twice"
    return by_id


def most_at_once(truth: Mapping[str, Seen]) -> int:
    """The most of the log's requests in flight at one moment."""
    moments = [(float(seen["arrival_unix_s"]), 1) for seen in truth.values()]
    moments += [(float(seen["last_byte_unix_s"]), -1) for seen in truth.values()]
    return max(accumulate(change for _, change in sorted(moments)), default=0)


def assert_equal(result: LocustRun, truth: Mapping[str, Seen]) -> None:
    """Counts, ids, tokens, money and texts equal the log exactly, row by row and in sum."""
    rows = [row for row in result.rows() if row.outcome != "dropped"]
    assert {row.task_id for row in rows} == set(truth)
    assert len(rows) == len(truth) > 0
    for row in rows:
        logged_row = truth[row.task_id or ""]
        assert row.outcome == "ok", (row.task_id, row.outcome, row.error_message)
        assert (row.http_status, row.model_requested) == (
            int(logged_row["status"]),
            logged_row["model"],
        )
        assert (row.stream, row.max_tokens) == (
            logged_row["stream"] == "1",
            int(logged_row["max_tokens"]),
        )
        assert (row.finish_reason, row.gateway_request_id) == (
            logged_row["finish_reason"], logged_row["request_id"],
        )  # fmt: skip
        for name in COUNTS:
            assert getattr(row, name) == int(logged_row[name]), (row.task_id, name)
        assert (row.api_cost, row.cost_source) == (float(logged_row["cost"]), "body")
        if row.stream:
            assert row.chunks == len(token_times(logged_row)), row.task_id
    _assert_sums(result, rows, truth)


def _assert_sums(
    result: LocustRun, rows: Sequence[RequestRecord], truth: Mapping[str, Seen]
) -> None:
    assert result.folder is not None
    for phase in look(load(result.folder)).phases:
        mine = [truth[row.task_id or ""] for row in rows if row.phase == phase.phase]
        assert (phase.sent, phase.success) == (len(mine), len(mine))
        for name in COUNTS:
            assert getattr(phase, name) == sum(int(seen[name]) for seen in mine), (
                phase.phase,
                name,
            )
        # A sum of money is that of the decimals, without what binary sums leave.
        assert phase.cost_sum == float(sum(Decimal(seen["cost"]) for seen in mine))


def token_times(seen: Seen) -> list[float]:
    """When the gateway sent each event with text, reasoning or a tool call (Unix seconds).

    The other events are the role before them, and the finish and the usage after them.
    """
    return [float(moment) for moment in seen["chunk_times_unix_s"].split(";")][1:-2]


# ---- times


@dataclass(frozen=True, slots=True)
class Measured:
    """One request as a client timed it, in seconds; None if it has no such time."""

    task_id: str
    sent_unix_s: float
    latency_s: float
    ttft_s: float | None = None
    gap_p50_s: float | None = None
    gap_max_s: float | None = None


def ours(result: LocustRun) -> list[Measured]:
    """Every sent row of a run."""
    began = {event["phase"]: event["t0_unix_s"] for event in result.events("phase_start")}
    return [
        Measured(
            row.task_id or "", began[row.phase] + (row.sent_offset_s or 0), row.elapsed_sec or 0,
            row.ttft_s, row.inter_chunk_p50_s, row.inter_chunk_max_s,
        )
        for row in result.rows() if row.outcome != "dropped"
    ]  # fmt: skip


def floor(gateway: Simulator, connections: int, requests: int, stream: bool) -> list[Measured]:
    """The same from the client of bare sockets, in a separate process."""
    ran = subprocess.run(
        [sys.executable, "-m", "tests.golden.bare", gateway.url, CANARY, str(connections),
         str(requests), *["--stream"] * stream],
        cwd=ROOT, capture_output=True, text=True, timeout=180,
    )  # fmt: skip
    assert ran.returncode == 0, ran.stderr
    csv.field_size_limit(1 << 24)
    exchanges = []
    for row in csv.DictReader(ran.stdout.splitlines()):
        times = [float(moment) for moment in row["token_times_unix_s"].split(";") if moment]
        gap_p50, gap_max = gaps(times)
        exchanges.append(
            Measured(
                row["task_id"], float(row["sent_unix_s"]), float(row["latency_s"]),
                float(row["ttft_s"]) if row["ttft_s"] else None, gap_p50, gap_max,
            )
        )  # fmt: skip
    return exchanges


def gaps(times: Sequence[float]) -> tuple[float | None, float | None]:
    """The median (nearest rank) and the longest gap between moments."""
    gaps_s = sorted(late - early for early, late in zip(times, times[1:], strict=False))
    return (gaps_s[(len(gaps_s) + 1) // 2 - 1], gaps_s[-1]) if gaps_s else (None, None)


def _told(name: str, seen: Seen) -> float:
    """What a punctual client on its own socket would have measured by the gateway's log."""
    arrival = float(seen["arrival_unix_s"])
    if name == "latency_s":
        return float(seen["last_byte_unix_s"]) - arrival
    if name == "ttft_s":
        return float(seen["first_token_unix_s"]) - arrival
    if name == "sent_unix_s":
        return arrival
    gap_s = gaps(token_times(seen))[name == "gap_max_s"]
    assert gap_s is not None
    return gap_s


@dataclass(frozen=True, slots=True)
class Errors:
    """The distribution of |measured - logged|, seconds."""

    count: int
    p50_s: float
    p99_s: float
    max_s: float


QUANTITIES = ("sent_unix_s", "latency_s", "ttft_s", "gap_p50_s", "gap_max_s")


def errors(measured: Iterable[Measured], truth: Mapping[str, Seen]) -> dict[str, Errors]:
    """The errors of each time, row by row."""
    rows, by_name = list(measured), {}
    for name in QUANTITIES:
        known = [(row, getattr(row, name)) for row in rows if getattr(row, name) is not None]
        off = sorted(abs(value - _told(name, truth[row.task_id])) for row, value in known)
        if off:
            by_name[name] = Errors(len(off), _rank(off, 50), _rank(off, 99), off[-1])
    return by_name


def _rank(ordered: Sequence[float], percent: int) -> float:
    rank = nearest_rank(ordered, Fraction(percent))
    assert rank is not None
    return float(rank)


def table(title: str, mine: Mapping[str, Errors], bare: Mapping[str, Errors]) -> str:
    """The errors and the noise floor as text, in milliseconds."""
    lines = [title, f"{'|measured - logged|, ms':24}{'n':>6}{'p50':>9}{'p99':>9}{'max':>9}"
             f"{'floor p50':>12}{'p99':>9}{'max':>9}"]  # fmt: skip
    for name, off in mine.items():
        least = bare.get(name)
        cells = [off.p50_s, off.p99_s, off.max_s]
        rest = [least.p50_s, least.p99_s, least.max_s] if least else []
        text = "".join(f"{1000 * value:9.3f}" for value in cells)
        lines.append(
            f"{name.removesuffix('_s'):24}{off.count:6}{text}   "
            + "".join(f"{1000 * value:9.3f}" for value in rest)
        )
    return "\n".join(lines)
