"""The two routes of a run with `--against`: which request of a pair goes where. Pure.

A pair is two requests of one body, sent one after the other: requests 2i and 2i + 1 of a phase are
pair i. Which route goes first is drawn for each pair anew, so that what drifts falls on both.
"""

from hashlib import blake2b

GATEWAY, REFERENCE = "gateway", "reference"
"""The arms, as rows call them: what is evaluated, and what it is compared with."""
SUFFIX = f" ({REFERENCE})"
"""What the report adds to a phase's name for the rows of its reference."""


def arm(seed: str, index: int) -> str:
    """Which route request `index` of a phase takes, by the phase's seed of pairs."""
    pair, second = divmod(index, 2)
    coin = blake2b(f"{seed}/{pair}".encode(), digest_size=1).digest()[0] & 1
    return (GATEWAY, REFERENCE)[coin ^ second]
