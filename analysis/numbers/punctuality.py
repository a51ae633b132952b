"""Was the generator itself the limit? Its lags compared with the measured times.

Send lag (sent - due) shows how late requests left, but nothing about a closed loop or chunks that
were read late. Loop lag does: the generator's event loop was as late for the bytes of answers as
for the probes that were due every 50 ms, and this lag is contained in every time it measured.
"""

from collections.abc import Iterable

from analysis.numbers.phase_numbers import Numbers, Punctuality
from recording.events import PhaseEnd
from recording.outcome import Outcome
from rules.punctuality import LagLimits


def judge(numbers: Numbers, ends: list[PhaseEnd]) -> Punctuality:
    """A phase's loop lag, its limits and the verdict `generator_limited`.

    `ends` are the phase's `phase_end` events. The verdict is None if no lag is known, or no time to
    compare it with. A phase in which our own machine could not send a request (`local_limits`) is
    limited, whatever its lags.
    """
    lags = [end.generator for end in ends if end.generator is not None]
    loop_p99_s = _longest(lag.loop_lag_p99_s for lag in lags)
    loop_max_s = _longest(lag.loop_lag_max_s for lag in lags)
    limits = LagLimits.of(numbers.latency.p50_s, numbers.ttft.p50_s, numbers.inter_chunk.p50_s)
    local_limits = numbers.outcomes.get(Outcome.LOCAL_LIMIT.value, 0)
    late = limits.exceeded(numbers.send_lag.p99_s, loop_p99_s)
    return Punctuality(
        loop_lag_p99_s=loop_p99_s,
        loop_lag_max_s=loop_max_s,
        send_lag_limit_s=limits.send_s,
        loop_lag_limit_s=limits.loop_s,
        chunk_lag_limit_s=limits.chunk_s,
        local_limits=local_limits,
        generator_limited=True if local_limits else late,
    )


def _longest(lags_s: Iterable[float | None]) -> float | None:
    return max((float(lag_s) for lag_s in lags_s if lag_s is not None), default=None)
