"""The prompt cache: prefixes of whole blocks, kept for a limited time.

A prompt is cut into blocks of 128 tokens. A later prompt to the same model that begins with the
same blocks is billed for them at the cached price. The last `tail_tokens` of a prompt are never
cached: with 700 of them, 11,719 prompt tokens give 11,008 cached ones (86 blocks) and 6,686 give
5,888 (46 blocks), the two figures of the article.
"""

from array import array
from collections.abc import Sequence
from hashlib import blake2b

from simulator.profile import CacheRules

MAX_ENTRIES = 200_000


class PromptCache:
    """Block hashes by model with their expiry; `now` is any clock in seconds."""

    def __init__(self) -> None:
        self._ends_s: dict[bytes, float] = {}

    def match(self, blocks: Sequence[bytes], now: float) -> int:
        """How many leading blocks are in the cache."""
        for count, block in enumerate(blocks):
            if self._ends_s.get(block, now) <= now:
                return count
        return len(blocks)

    def store(self, blocks: Sequence[bytes], rules: CacheRules, now: float) -> None:
        """Stores the blocks for `rules.ttl_s` from now; using a block restarts its lifetime."""
        for block in blocks:
            self._ends_s[block] = now + rules.ttl_s
        while len(self._ends_s) > MAX_ENTRIES:
            del self._ends_s[next(iter(self._ends_s))]


def blocks(model: str, ids: Sequence[int], prompt_tokens: int, rules: CacheRules) -> list[bytes]:
    """Hashes of the cacheable leading blocks of a prompt, each covering everything before it.

    `ids` are the tokens of its text and `prompt_tokens` the model's own count, which is longer
    (chat format) or scaled (another tokenizer): the block boundaries are spread over `ids`.
    """
    usable = prompt_tokens - rules.tail_tokens
    if not rules.enabled or prompt_tokens < rules.min_tokens or usable < rules.block_tokens:
        return []
    count = usable // rules.block_tokens
    step = rules.block_tokens * len(ids) / prompt_tokens
    digest = blake2b(model.encode("utf-8", "surrogatepass"), digest_size=16)
    digests, start = [], 0
    for number in range(1, count + 1):
        end = int(number * step)
        digest.update(array("I", ids[start:end]).tobytes())
        digests.append(digest.digest())
        start = end
    return digests
