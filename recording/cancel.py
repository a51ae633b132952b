"""A request that is cancelled on purpose, as an impatient user does: which ones, and when. Pure.

Which ones is drawn from a seed by the request's number alone: every worker, a resumed run and both
routes of `--against` cancel the same. No answer has a say in it, so the requests that are not drawn
are a fair sample of all: rates and times are taken of them alone.
"""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from hashlib import blake2b
from math import inf
from typing import Any

from recording.errors import OperatorError

HOLD_S = 0.1
"""How long a request that is cancelled before its first token is held: long enough for a gateway to
have passed it on, and shorter than most first tokens take."""
MOST_CHUNKS = 1_000_000
_CHUNKS = re.compile(r"(\d+)\s*chunks?")
_TIME = re.compile(r"(\d+(?:\.\d+)?|\.\d+)\s*(ms|s)")


@dataclass(frozen=True, slots=True)
class Cancel:
    """When the connection is closed, and in what share of the requests.

    `after_chunks`: when so many chunks with text, reasoning or a tool call have come; 0: when the
    answer begins, or after HOLD_S. `after_s`: so long after the request began to be sent. One of
    the two is None. `share` of all, drawn by `seed`.
    """

    after_chunks: int | None = None
    after_s: float | None = None
    share: float = 1.0
    seed: str = ""

    def __str__(self) -> str:
        if self.after_chunks is not None:
            return f"{self.after_chunks}chunks"
        return f"{round((self.after_s or 0.0) * 1000, 6):g}ms"

    @property
    def at_head(self) -> bool:
        """Whether nothing of an answer is read."""
        return self.after_chunks == 0

    @property
    def held_s(self) -> float | None:
        """How long the connection is held at most, seconds; None: as long as chunks come."""
        return HOLD_S if self.at_head else self.after_s

    @property
    def most_chunks(self) -> float:
        """How many chunks are read."""
        return self.after_chunks or inf

    @classmethod
    def of(cls, facts: Mapping[str, Any] | None) -> "Cancel | None":
        """As a manifest or a message holds it."""
        return cls(**facts) if facts else None

    def drawn(self, number: int) -> bool:
        """Whether request `number` is one of those that are cancelled."""
        if self.share >= 1:
            return True
        digest = blake2b(f"{self.seed}/{number}".encode(), digest_size=8).digest()
        return int.from_bytes(digest) / 2**64 < self.share


def parse(text: str) -> Cancel:
    """When to cancel, as `--cancel-after` says it: `3chunks`, `500ms`, `2s`. OperatorError."""
    said = text.strip()
    if (found := _CHUNKS.fullmatch(said)) and int(found[1]) <= MOST_CHUNKS:
        return Cancel(after_chunks=int(found[1]))
    if found := _TIME.fullmatch(said):
        after_s = float(found[1]) / (1000 if found[2] == "ms" else 1)
        if 0 < after_s < 86400:
            return Cancel(after_s=after_s)
    raise OperatorError(
        f"--cancel-after {text} is no moment of an answer: write 3chunks, 500ms or 2s, or 0chunks "
        "for before the first token."
    )
