"""Rate limits: a token bucket per key for requests and one for tokens.

A bucket of 600 per minute holds 600 at first and gains 10 a second, so `Retry-After` is exact:
a request sent just before it is refused, one just after is served.
"""

from collections.abc import Callable
from dataclasses import dataclass
from math import ceil

Headers = list[tuple[bytes, bytes]]


class Bucket:
    """Holds at most `per_minute`, gains `per_minute / 60` a second; starts full."""

    def __init__(self, per_minute: int, now: float) -> None:
        self.capacity = per_minute
        self._level = float(per_minute)
        self._at = now

    def wait_s(self, amount: float, now: float) -> float:
        """Seconds until `amount` could be taken; 0 when it can be now.

        More than the capacity is asked of a full bucket only.
        """
        self._refill(now)
        missing = min(amount, self.capacity) - self._level
        return max(0.0, missing / (self.capacity / 60))

    def take(self, amount: float, now: float) -> None:
        """Take `amount`; a negative one gives back what was not used."""
        self._refill(now)
        self._level = min(float(self.capacity), self._level - amount)

    def remaining(self, now: float) -> int:
        """Whole units left now, not less than 0."""
        self._refill(now)
        return max(0, int(self._level))

    def reset_s(self, now: float) -> float:
        """Seconds until the bucket is full again."""
        self._refill(now)
        return (self.capacity - self._level) / (self.capacity / 60)

    def _refill(self, now: float) -> None:
        if now > self._at:
            gained = (now - self._at) * self.capacity / 60
            self._level = min(float(self.capacity), self._level + gained)
            self._at = now


@dataclass(frozen=True, slots=True)
class Refusal:
    """Why a request was refused and when one like it would be served."""

    reason: str  # rpm_limit or tpm_limit
    unit: str  # requests or tokens
    limit: int
    wait_s: float


class Limits:
    """The buckets of every key. `now` is any clock in seconds; None: no such limit."""

    def __init__(
        self, rpm: int | None, tpm: int | None, now: Callable[[], float], lie: float = 1.0
    ) -> None:
        self._per_minute = {"requests": rpm, "tokens": tpm}
        self._now = now
        self._lie = lie
        self._buckets: dict[str, dict[str, Bucket]] = {}

    @property
    def active(self) -> bool:
        """Whether there is any limit."""
        return any(limit is not None for limit in self._per_minute.values())

    def admit(self, key: str, tokens: int) -> Refusal | None:
        """Charge one request of so many tokens to the key, or say why not and charge nothing."""
        now = self._now()
        amounts = {"requests": 1, "tokens": tokens}
        buckets = self._of(key, now)
        waits = {unit: bucket.wait_s(amounts[unit], now) for unit, bucket in buckets.items()}
        unit = max(waits, key=lambda unit: waits[unit], default=None)
        if unit is not None and waits[unit] > 0:
            reason = "rpm_limit" if unit == "requests" else "tpm_limit"
            return Refusal(reason, unit, buckets[unit].capacity, waits[unit])
        for name, bucket in buckets.items():
            bucket.take(amounts[name], now)
        return None

    def settle(self, key: str, charged: int, used: int) -> None:
        """Correct the tokens charged at admission to those really used."""
        now = self._now()
        bucket = self._of(key, now).get("tokens")
        if bucket is not None:
            bucket.take(used - charged, now)

    def headers(self, key: str, prefix: str = "x-ratelimit-") -> Headers:
        """`x-ratelimit-{limit,remaining,reset}-{requests,tokens}` as they stand."""
        now = self._now()
        found: Headers = []
        for unit, bucket in self._of(key, now).items():
            for name, value in (
                ("limit", str(bucket.capacity)),
                ("remaining", str(bucket.remaining(now))),
                ("reset", duration(bucket.reset_s(now))),
            ):
                found.append((f"{prefix}{name}-{unit}".encode(), value.encode()))
        return found

    def retry_headers(self, refusal: Refusal) -> Headers:
        """`retry-after-ms`, exact, and `retry-after` in whole seconds, rounded up."""
        wait_s = refusal.wait_s * self._lie
        return [
            (b"retry-after-ms", str(ceil(wait_s * 1000)).encode()),
            (b"retry-after", str(ceil(wait_s)).encode()),
        ]

    def _of(self, key: str, now: float) -> dict[str, Bucket]:
        if key not in self._buckets:
            self._buckets[key] = {
                unit: Bucket(limit, now)
                for unit, limit in self._per_minute.items()
                if limit is not None
            }
        return self._buckets[key]


def duration(seconds: float) -> str:
    """A duration as OpenAI writes it: `17ms`, `1.5s`, `6m0s`."""
    if seconds < 1:
        return f"{ceil(seconds * 1000)}ms"
    if seconds < 60:
        return f"{seconds:.3f}".rstrip("0").rstrip(".") + "s"
    minutes, rest = divmod(ceil(seconds), 60)
    return f"{minutes}m{rest}s"
