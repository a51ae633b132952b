"""A provider behind two routes, whose truth is known: rows as a run with two arms writes them.

The provider's state follows an AR(1) of sigma 0.25 that forgets in 60 s (the model of the design
study), times a slow swing; each request has lognormal noise of its own, sigma 0.30, about 400 ms.
What the gateway adds is drawn per request.
"""

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
import pandas as pd
from numpy.typing import NDArray

Floats = NDArray[np.float64]
Draw = Callable[[np.random.Generator, int], Floats]
BASE_S, DRIFT, OWN, FORGETS_S = 0.400, 0.25, 0.30, 60.0


def constant(added_s: float) -> Draw:
    """The same overhead each time."""
    return lambda dice, count: np.full(count, added_s)


def lognormal(median_s: float, sigma: float = 1.0) -> Draw:
    """An overhead whose logarithm is normal."""
    return lambda dice, count: median_s * np.exp(sigma * dice.standard_normal(count))


def stalls(added_s: float, share: float = 0.01, stall_s: float = 2.0) -> Draw:
    """An overhead that is two seconds more in one of a hundred."""
    return lambda dice, count: added_s + stall_s * (dice.random(count) < share)


def lognormal_noise(dice: np.random.Generator, count: int) -> Floats:
    """The factor of a request's own noise."""
    return np.exp(OWN * dice.standard_normal(count))


def heavy_noise(dice: np.random.Generator, count: int) -> Floats:
    """Noise with Student's tails of 2 degrees of freedom:

    one of some hundred takes many times as long.
    """
    return np.exp(np.minimum(OWN * dice.standard_t(2, count), 4.0))


@dataclass(frozen=True, slots=True)
class World:
    """What a run meets. `swing`: the provider's slow swing to either side, over 15 minutes."""

    added: Draw = constant(0.020)
    noise: Draw = lognormal_noise
    swing: float = 0.0
    gap_s: float = 1.0

    def truth_s(self) -> float:
        """The typical difference: the pseudomedian of differences, of many million pairs of them.

        A difference is what was added plus symmetric noise, whose size the provider's state gives.
        """
        dice = np.random.default_rng(424242)
        count = 4_000_000
        state = np.exp(DRIFT * dice.standard_normal(count))
        apart = BASE_S * state * (self.noise(dice, count) - self.noise(dice, count))
        differences = apart + self.added(dice, count)
        return float(np.median((differences[::2] + differences[1::2]) / 2))

    def rows(
        self, pairs: int, seed: int, phase: str = "pairs/m", mixed: bool = True
    ) -> pd.DataFrame:
        """The rows of both arms, a request each `gap_s`; without `mixed` all of the reference's
        come first, as in two runs one after the other."""
        dice = np.random.default_rng(seed)
        first_is_a = dice.integers(0, 2, pairs).astype(bool)
        sent = np.arange(2 * pairs, dtype=np.float64) * self.gap_s
        state = self._provider(dice, sent)
        total = BASE_S * state * self.noise(dice, 2 * pairs)
        is_a = np.column_stack([first_is_a, ~first_is_a]).ravel()
        if not mixed:
            is_a = np.arange(2 * pairs) >= pairs
        total = np.where(is_a, total + self.added(dice, 2 * pairs), total)
        return frame(is_a, sent, np.round(total, 6), phase)

    def _provider(self, dice: np.random.Generator, sent: Floats) -> Floats:
        keeps = float(np.exp(-self.gap_s / FORGETS_S))
        shocks = dice.standard_normal(len(sent)) * np.sqrt(1 - keeps**2)
        shocks[0] = dice.standard_normal()
        log_state = np.empty(len(sent))
        log_state[0] = shocks[0]
        for place in range(1, len(sent)):
            log_state[place] = keeps * log_state[place - 1] + shocks[place]
        turn = dice.random() * 2 * np.pi
        swing = 1 + self.swing * np.sin(turn + 2 * np.pi * sent / 900)
        return np.asarray(np.exp(DRIFT * log_state) * swing)


def frame(is_a: NDArray[np.bool_], sent: Floats, ttft: Floats, phase: str) -> pd.DataFrame:
    """Rows of successes, as a sound gateway answers them: 20 tokens at 10 ms each."""
    count = len(is_a)
    index = np.arange(count) // 2
    return pd.DataFrame(
        {
            "arm": np.where(is_a, "a", "b"),
            "phase": phase,
            "request_index": index,
            "attempt": 1,
            "model_requested": "m",
            "model_returned": "m",
            "stream": True,
            "success": True,
            "outcome": "ok",
            "http_status": 200,
            "scheduled_offset_s": sent - 0.0002,
            "sent_offset_s": sent,
            "send_lag_s": 0.0002,
            "ttft_s": ttft,
            "last_token_s": ttft + 0.19,
            "elapsed_sec": ttft + 0.191,
            "chunks": 20,
            "arrivals": 20,
            "prompt_tokens": 12,
            "completion_tokens": 20,
            "reasoning_tokens": np.nan,
            "reasoning_content_present": False,
            "cached_tokens": 0,
            "api_cost": 0.0001,
            "finish_reason": "length",
            "completion_id": [f"id-{place}" for place in range(count)],
            "completion_created": 1_700_000_000 + np.floor(sent).astype(np.int64),
            "ratelimit_limit_requests": np.nan,
            "ratelimit_remaining_requests": np.nan,
        }
    )
