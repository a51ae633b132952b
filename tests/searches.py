"""Capacity searches at a queue whose edge is known: nothing is sent, no time passes."""

from types import SimpleNamespace
from typing import Any

import numpy as np

from loadshapes.level_search import Span, highest
from rules.bracket import Bracket, Trial
from rules.objectives import judge
from rules.slo import parse
from tests.queues import mmc, mmc_edge, mmc_percentile

SERVERS, MEAN_S = 8, 0.2
LIMIT_S = mmc_percentile(95, 0.85 * SERVERS / MEAN_S, MEAN_S, SERVERS)
EDGE_RPM = 60 * mmc_edge(95, LIMIT_S, MEAN_S, SERVERS)
"""The highest rate at which 95 % are within the limit, a minute: 85 % of what it serves."""


def window(random: np.random.Generator, rpm: int, window_s: float) -> list[Any]:
    """The rows of one window at the queue."""
    count = max(20, round(rpm * window_s / 60))
    if rpm / 60 * MEAN_S >= SERVERS:  # it only grows: begin empty
        arrived, stayed = mmc(random, count, rpm / 60, MEAN_S, SERVERS, early=0)
    else:
        arrived, stayed = mmc(random, count, rpm / 60, MEAN_S, SERVERS, early=1_000)
    row = {
        "outcome": "ok", "success": True, "stream": False, "worker": "local", "http_status": 200,
        "ttft_s": None, "completion_tokens": None, "api_cost": None, "send_lag_s": 0.0,
        "in_flight": 1, "cancel_after": None,
    }  # fmt: skip
    return [
        SimpleNamespace(scheduled_offset_s=at, sent_offset_s=at, elapsed_sec=took, **row)
        for at, took in zip(arrived.tolist(), stayed.tolist(), strict=True)
    ]


def found(seed: int, window_s: float = 60.0, trials: int = 20) -> Bracket:
    """What a search finds whose windows are so long."""
    random = np.random.default_rng(seed)
    objectives = parse({"e2e_p95_s": LIMIT_S}, "slo").of(None, None)
    search = highest(Span(first=300, lowest=6, highest=6000, trials=trials))
    level = next(search)
    while True:
        rows = window(random, level, window_s)
        answer = judge(rows, len(rows), 10_000, objectives)
        try:
            level = search.send(
                Trial(level, answer.met, answer.sure, answer.likely, answer.reliability)
            )
        except StopIteration as end:
            bracket: Bracket = end.value
            return bracket


def holds(bracket: Bracket) -> bool:
    """Whether the true edge lies in the bracket."""
    return (bracket.low or 0) <= EDGE_RPM < (bracket.high or 10**9)
