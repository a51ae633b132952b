"""Which requests are cancelled on purpose, as an impatient user would, and when. Pure.

The choice depends on a seed and the request's number alone: every worker, a resumed run and both
routes of `--against` cancel the same requests. Answers do not influence it, so the requests that
are not drawn are a fair sample of all, and rates and times are computed from them alone.
"""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from hashlib import blake2b
from math import inf
from typing import Any

from recording.errors import OperatorError
from recording.probe_place import is_probe

HOLD_S = 0.1
"""How long a request that is cancelled before its first token is held: long enough for a gateway to
have passed it on, and shorter than most first tokens take."""
MOST_CHUNKS = 1_000_000
_CHUNKS = re.compile(r"(\d+)\s*chunks?")
_TIME = re.compile(r"(\d+(?:\.\d+)?|\.\d+)\s*(ms|s)")


@dataclass(frozen=True, slots=True)
class Cancel:
    """When the connection is closed, and for what share of the requests.

    `after_chunks`: after this many chunks with text, reasoning or a tool call; 0: when the answer
    begins, or after HOLD_S. `after_s`: this many seconds after sending began. One of the two is
    None. `share` is the share of all requests, drawn by `seed`; probes of identity, one of every
    `probe_every` (recording/probe_place.py; 0: there are none), are never drawn: a reply that was
    cut off is no answer to compare.
    """

    after_chunks: int | None = None
    after_s: float | None = None
    share: float = 1.0
    seed: str = ""
    probe_every: int = 0

    def __str__(self) -> str:
        if self.after_chunks is not None:
            return f"{self.after_chunks}chunks"
        return f"{round((self.after_s or 0.0) * 1000, 6):g}ms"

    @property
    def at_head(self) -> bool:
        """Whether the connection is closed before any of the answer is read."""
        return self.after_chunks == 0

    @property
    def held_s(self) -> float | None:
        """The longest time the connection is held, seconds; None: as long as chunks arrive."""
        return HOLD_S if self.at_head else self.after_s

    @property
    def most_chunks(self) -> float:
        """The largest number of chunks that are read."""
        return self.after_chunks or inf

    @classmethod
    def of(cls, facts: Mapping[str, Any] | None) -> "Cancel | None":
        """The value from its form in a manifest or a message."""
        return cls(**facts) if facts else None

    def applies_to(self, number: int) -> bool:
        """Whether request `number` is cancelled."""
        if is_probe(self.probe_every, number):
            return False
        if self.share >= 1:
            return True
        digest = blake2b(f"{self.seed}/{number}".encode(), digest_size=8).digest()
        return int.from_bytes(digest) / 2**64 < self.share


def parse(text: str) -> Cancel:
    """Read a value of `--cancel-after`: `3chunks`, `500ms`, `2s`. Raises OperatorError."""
    stripped = text.strip()
    if (match := _CHUNKS.fullmatch(stripped)) and int(match[1]) <= MOST_CHUNKS:
        return Cancel(after_chunks=int(match[1]))
    if match := _TIME.fullmatch(stripped):
        after_s = float(match[1]) / (1000 if match[2] == "ms" else 1)
        if 0 < after_s < 86400:
            return Cancel(after_s=after_s)
    raise OperatorError(
        f"--cancel-after {text} cannot be used: write 3chunks, 500ms or 2s, or 0chunks for before "
        "the first token."
    )
