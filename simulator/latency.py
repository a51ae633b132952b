"""The latency of a model's answers.

Time to the first token = body + prefill + queueing + stall:

- body: lognormal around `ttft_s`;
- prefill: lognormal around `prefill_s_per_1k` for each 1,000 prompt tokens;
- queueing: requests that arrive in one burst wait for each other. With n requests of the model
  in the last second, `burst_s * sqrt(n - burst_free)`. A steady 600 a minute are only 10 of them;
- stall: a share of the requests waits, for longer the more requests the last minute saw. This
  gives the long tail of the article's 600 RPM window and the short one of its 25-request window.

The remaining tokens follow at `tokens_per_s`. A plain reply is sent when the last one is there.

With `drift_amplitude` all of this varies as a provider does over a day, only faster: at time t
after the start everything takes 1 + amplitude * sin(2 pi t / period) times as long.
"""

from collections import deque
from dataclasses import dataclass, replace
from math import pi, sin, sqrt
from random import Random

from simulator.profile import Latency


@dataclass(frozen=True, slots=True)
class Pressure:
    """Requests of one model in the last second and the last minute, this one included."""

    last_second: int = 1
    last_minute: int = 1


class Traffic:
    """Arrival times of one model's requests, kept for a minute."""

    def __init__(self) -> None:
        self._second: deque[float] = deque()
        self._minute: deque[float] = deque()

    def arrive(self, now: float) -> Pressure:
        """Records a request at `now` (any clock, seconds); returns the counts including it."""
        for times, span_s in ((self._second, 1.0), (self._minute, 60.0)):
            times.append(now)
            while times[0] <= now - span_s:
                times.popleft()
        return Pressure(len(self._second), len(self._minute))


def first_token_s(rule: Latency, prompt_tokens: int, pressure: Pressure, dice: Random) -> float:
    """Seconds from arrival to the first token."""
    seconds = _lognormal(rule.ttft_s, rule.spread, dice)
    if rule.prefill_s_per_1k:
        median = rule.prefill_s_per_1k * prompt_tokens / 1000
        seconds += _lognormal(median, rule.prefill_spread, dice)
    if rule.burst_s and pressure.last_second > rule.burst_free:
        seconds += rule.burst_s * sqrt(pressure.last_second - rule.burst_free)
    if rule.stall_share and dice.random() < rule.stall_share:
        median = rule.stall_s * pressure.last_minute / 600
        seconds += _lognormal(median, rule.stall_spread, dice)
    return seconds


def token_s(rule: Latency, number: int) -> float:
    """Seconds from the first token to token `number` (0 is the first)."""
    return number / rule.tokens_per_s if rule.tokens_per_s else 0.0


def drift(rule: Latency, elapsed_s: float) -> float:
    """The factor of all times, `elapsed_s` after the process began."""
    if not rule.drift_amplitude:
        return 1.0
    return 1 + rule.drift_amplitude * sin(2 * pi * elapsed_s / rule.drift_period_s)


def drifted(rule: Latency, factor: float) -> Latency:
    """The rule with every time multiplied by `factor`."""
    fixed_s = rule.fixed_s
    return replace(
        rule,
        fixed_s=None if fixed_s is None else fixed_s * factor,
        ttft_s=rule.ttft_s * factor,
        prefill_s_per_1k=rule.prefill_s_per_1k * factor,
        burst_s=rule.burst_s * factor,
        stall_s=rule.stall_s * factor,
        tokens_per_s=rule.tokens_per_s / factor,
    )


def needs_pressure(rule: Latency) -> bool:
    """Whether the model's latency depends on the traffic at all."""
    return bool(rule.burst_s or rule.stall_share)


def _lognormal(median: float, spread: float, dice: Random) -> float:
    return median * dice.lognormvariate(0.0, spread) if spread and median else median
