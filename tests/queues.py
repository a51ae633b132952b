"""Latencies that hang together, with known truths: an M/M/c queue and an AR(1) process."""

import heapq
from math import exp, factorial

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]


def mmc(
    random: np.random.Generator, count: int, rate: float, mean_s: float = 1.0, servers: int = 8,
    early: int = 2_000,
) -> tuple[Floats, Floats]:  # fmt: skip
    """When `count` requests arrived at a queue, and how long each stayed, seconds.

    Poisson arrivals, `servers` that each take an exponential time of `mean_s`; the first `early`
    requests, in which the queue forgets that it began empty, are left out.
    """
    total = count + early
    arrived = np.cumsum(random.exponential(1 / rate, total))
    service = random.exponential(mean_s, total)
    free = [0.0] * servers
    stayed = np.empty(total)
    for place in range(total):
        begun = max(arrived[place], heapq.heappop(free))
        ended = begun + service[place]
        heapq.heappush(free, ended)
        stayed[place] = ended - arrived[place]
    return arrived[early:] - arrived[early], stayed[early:]


def mmc_beyond(time_s: float, rate: float, mean_s: float = 1.0, servers: int = 8) -> float:
    """The share of requests that stay longer than a time (Erlang C and two exponentials)."""
    load, mu = rate * mean_s, 1 / mean_s
    idle = sum(load**k / factorial(k) for k in range(servers))
    full = load**servers / factorial(servers) * servers / (servers - load)
    waits = full / (idle + full)
    drain = servers * mu - rate
    if abs(drain - mu) < 1e-12:
        return exp(-mu * time_s) * (1 + waits * mu * time_s)
    mixed = (exp(-mu * time_s) - exp(-drain * time_s)) * drain / (drain - mu)
    return (1 - waits) * exp(-mu * time_s) + waits * (mixed + exp(-drain * time_s))


def mmc_percentile(percent: float, rate: float, mean_s: float = 1.0, servers: int = 8) -> float:
    """A percentile of the stay, seconds, exact."""
    low, high = 0.0, 1e6 * mean_s
    for _ in range(100):
        middle = (low + high) / 2
        beyond = mmc_beyond(middle, rate, mean_s, servers) > 1 - percent / 100
        low, high = (middle, high) if beyond else (low, middle)
    return high


def mmc_edge(percent: float, limit_s: float, mean_s: float = 1.0, servers: int = 8) -> float:
    """The highest rate at which a percentile of the stay is within a limit."""
    low, high = 0.0, servers / mean_s
    for _ in range(100):
        middle = (low + high) / 2
        within = mmc_percentile(percent, middle, mean_s, servers) <= limit_s
        low, high = (middle, high) if within else (low, middle)
    return low


def ar1(random: np.random.Generator, count: int, r: float, sigma: float = 0.5) -> Floats:
    """Lognormal latencies whose logarithms follow each other with correlation `r`."""
    noise = random.normal(size=count)
    state, found = random.normal(), np.empty(count)
    for place in range(count):
        state = r * state + np.sqrt(1 - r * r) * noise[place]
        found[place] = state
    return np.exp(sigma * found)
