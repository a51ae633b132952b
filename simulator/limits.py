"""Rate limits per key, for requests and for tokens, of three kinds.

- `bucket`: starts with a minute's worth and gains a sixtieth of it per second.
- `fixed`: a minute's worth in every minute of the clock; the count starts again with each minute.
- `sliding`: at any moment, a minute's worth in the 60 s before it.

Each knows the exact wait, so `Retry-After` is exact: a request sent just before it is refused, one
sent just after it is served.
"""

from collections import deque
from collections.abc import Callable
from dataclasses import dataclass
from math import ceil, floor
from typing import Protocol

Headers = list[tuple[bytes, bytes]]
WINDOW_S = 60.0


class Meter(Protocol):
    """Counts one unit (requests or tokens) of one key against `capacity` per minute."""

    capacity: int

    def __init__(self, per_minute: int, now: float) -> None: ...

    def wait_s(self, amount: float, now: float) -> float:
        """Seconds until `amount` can be taken; 0 if it can be taken now.

        An amount above the capacity is allowed only if the meter is unused.
        """
        ...

    def take(self, amount: float, now: float) -> None:
        """Takes `amount`; a negative one gives back what was not used."""
        ...

    def remaining(self, now: float) -> int:
        """Whole units left now, at least 0."""
        ...

    def reset_s(self, now: float) -> float:
        """Seconds until the whole capacity is available again."""
        ...


class Bucket:
    """Holds at most `per_minute`, gains `per_minute / 60` per second; starts full."""

    def __init__(self, per_minute: int, now: float) -> None:
        self.capacity = per_minute
        self._level = float(per_minute)
        self._at = now

    def wait_s(self, amount: float, now: float) -> float:
        self._refill(now)
        missing = min(amount, self.capacity) - self._level
        return max(0.0, missing / (self.capacity / 60))

    def take(self, amount: float, now: float) -> None:
        self._refill(now)
        self._level = min(float(self.capacity), self._level - amount)

    def remaining(self, now: float) -> int:
        self._refill(now)
        return max(0, int(self._level))

    def reset_s(self, now: float) -> float:
        self._refill(now)
        return (self.capacity - self._level) / (self.capacity / 60)

    def _refill(self, now: float) -> None:
        if now > self._at:
            gained = (now - self._at) * self.capacity / 60
            self._level = min(float(self.capacity), self._level + gained)
            self._at = now


class FixedWindow:
    """`per_minute` in each minute of the clock, whatever the previous minute used."""

    def __init__(self, per_minute: int, now: float) -> None:
        self.capacity = per_minute
        self._minute = floor(now / WINDOW_S)
        self._used = 0.0

    def wait_s(self, amount: float, now: float) -> float:
        self._turn(now)
        if self._used + min(amount, self.capacity) <= self.capacity:
            return 0.0
        return (self._minute + 1) * WINDOW_S - now

    def take(self, amount: float, now: float) -> None:
        self._turn(now)
        self._used = max(0.0, self._used + amount)

    def remaining(self, now: float) -> int:
        self._turn(now)
        return max(0, int(self.capacity - self._used))

    def reset_s(self, now: float) -> float:
        self._turn(now)
        return (self._minute + 1) * WINDOW_S - now if self._used else 0.0

    def _turn(self, now: float) -> None:
        minute = floor(now / WINDOW_S)
        if minute > self._minute:
            self._minute, self._used = minute, 0.0


class SlidingWindow:
    """`per_minute` in any 60 s: what was taken is available again 60 s later."""

    def __init__(self, per_minute: int, now: float) -> None:
        self.capacity = per_minute
        self._uses: deque[tuple[float, float]] = deque()

    def wait_s(self, amount: float, now: float) -> float:
        self._forget(now)
        over = self._used() + min(amount, self.capacity) - self.capacity
        for at, used_amount in self._uses:
            if over <= 0:
                break
            over -= used_amount
            if over <= 0:
                return max(0.0, at + WINDOW_S - now)
        return 0.0

    def take(self, amount: float, now: float) -> None:
        self._forget(now)
        # What is given back was taken before; subtract it from the newest, so none expires twice.
        while amount < 0 and self._uses:
            at, used_amount = self._uses.pop()
            amount += used_amount
            if amount > 0:
                self._uses.append((at, amount))
                return
        if amount > 0:
            self._uses.append((now, amount))

    def remaining(self, now: float) -> int:
        self._forget(now)
        return max(0, int(self.capacity - self._used()))

    def reset_s(self, now: float) -> float:
        self._forget(now)
        return self._uses[-1][0] + WINDOW_S - now if self._uses else 0.0

    def _used(self) -> float:
        return sum(used_amount for _, used_amount in self._uses)

    def _forget(self, now: float) -> None:
        while self._uses and self._uses[0][0] + WINDOW_S <= now:
            self._uses.popleft()


KINDS: dict[str, type[Meter]] = {
    "bucket": Bucket,
    "fixed": FixedWindow,
    "sliding": SlidingWindow,
}


@dataclass(frozen=True, slots=True)
class Refusal:
    """Why a request was refused, and when a request like it would be served."""

    reason: str  # rpm_limit or tpm_limit
    unit: str  # requests or tokens
    limit: int
    wait_s: float


class Limits:
    """The meters of all keys. `now` is any clock in seconds; None means no such limit."""

    def __init__(
        self,
        rpm: int | None,
        tpm: int | None,
        now: Callable[[], float],
        lie: float = 1.0,
        kind: str = "bucket",
    ) -> None:
        self._kind = KINDS[kind]
        self._per_minute = {"requests": rpm, "tokens": tpm}
        self._now = now
        self._lie = lie
        self._meters: dict[str, dict[str, Meter]] = {}

    @property
    def active(self) -> bool:
        """Whether there is any limit."""
        return any(limit is not None for limit in self._per_minute.values())

    def admit(self, key: str, tokens: int) -> Refusal | None:
        """Charges one request of `tokens` to the key, or charges nothing and returns why."""
        now = self._now()
        amounts = {"requests": 1, "tokens": tokens}
        meters = self._of(key, now)
        waits = {unit: meter.wait_s(amounts[unit], now) for unit, meter in meters.items()}
        unit = max(waits, key=lambda unit: waits[unit], default=None)
        if unit is not None and waits[unit] > 0:
            reason = "rpm_limit" if unit == "requests" else "tpm_limit"
            return Refusal(reason, unit, meters[unit].capacity, waits[unit])
        for name, meter in meters.items():
            meter.take(amounts[name], now)
        return None

    def settle(self, key: str, charged: int, used: int) -> None:
        """Corrects the tokens charged at admission to those really used."""
        now = self._now()
        meter = self._of(key, now).get("tokens")
        if meter is not None:
            meter.take(used - charged, now)

    def headers(self, key: str, prefix: str = "x-ratelimit-") -> Headers:
        """`x-ratelimit-{limit,remaining,reset}-{requests,tokens}` at this moment."""
        now = self._now()
        headers: Headers = []
        for unit, meter in self._of(key, now).items():
            for name, value in (
                ("limit", str(meter.capacity)),
                ("remaining", str(meter.remaining(now))),
                ("reset", duration(meter.reset_s(now))),
            ):
                headers.append((f"{prefix}{name}-{unit}".encode(), value.encode()))
        return headers

    def retry_headers(self, refusal: Refusal) -> Headers:
        """`retry-after-ms`, exact, and `retry-after` in whole seconds, rounded up."""
        wait_s = refusal.wait_s * self._lie
        return [
            (b"retry-after-ms", str(ceil(wait_s * 1000)).encode()),
            (b"retry-after", str(ceil(wait_s)).encode()),
        ]

    def _of(self, key: str, now: float) -> dict[str, Meter]:
        if key not in self._meters:
            self._meters[key] = {
                unit: self._kind(limit, now)
                for unit, limit in self._per_minute.items()
                if limit is not None
            }
        return self._meters[key]


def duration(seconds: float) -> str:
    """A duration as OpenAI writes it: `17ms`, `1.5s`, `6m0s`."""
    if seconds < 1:
        return f"{ceil(seconds * 1000)}ms"
    if seconds < 60:
        return f"{seconds:.3f}".rstrip("0").rstrip(".") + "s"
    minutes, rest = divmod(ceil(seconds), 60)
    return f"{minutes}m{rest}s"
