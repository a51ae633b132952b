"""The two routes of a run with `--against`, and which request of a pair takes which. Pure.

A pair is two requests with the same body, sent one after the other: requests 2i and 2i + 1 of a
phase are pair i. The order of the routes is drawn for each pair, so that drift affects both alike.
"""

from hashlib import blake2b

GATEWAY, REFERENCE = "gateway", "reference"
"""The arms as rows name them: the gateway under test, and the one it is compared with."""
SUFFIX = f" ({REFERENCE})"
"""Added to a phase's name in the report for the rows of the reference."""


def arm(seed: str, index: int) -> str:
    """The route that request `index` of a phase takes; `seed` is the phase's `pairs`."""
    pair, second = divmod(index, 2)
    coin = blake2b(f"{seed}/{pair}".encode(), digest_size=1).digest()[0] & 1
    return (GATEWAY, REFERENCE)[coin ^ second]
