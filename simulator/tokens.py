"""Tokens: the o200k tokenizer of OpenAI's GPT models, offline, with its counts remembered.

Other vendors' tokenizers are not public; a model's `TokenRules.scale` stands in for them.
"""

from codecs import getincrementaldecoder
from functools import lru_cache
from math import floor
from zlib import crc32

import bpe_openai

_ENCODING = bpe_openai.get_encoding("o200k_base")
_SLICE_CHARS = 50_000  # the library refuses texts of more than 200,000 tokens at a time
_SHORT_CHARS = 1_000


def encode(text: str) -> tuple[int, ...]:
    """The text's o200k token ids; special tokens are read as plain text."""
    return _encode_short(text) if len(text) <= _SHORT_CHARS else _encode_long(text)


def scaled(count: int, scale: float, text: str) -> int:
    """`count` o200k tokens of `text` as another tokenizer would count them.

    The fraction is rounded up or down by the text's checksum: the same text always counts the
    same, and the mean over many texts is `count * scale`.
    """
    if scale == 1.0 or count == 0:
        return count
    share = crc32(text.encode("utf-8", "surrogatepass")) / 2**32
    return max(1, floor(count * scale + share))


def pieces(ids: tuple[int, ...]) -> list[str]:
    """The text of each token; one that ends inside a character is joined to the next.

    A character left unfinished at the very end is dropped.
    """
    decoder = getincrementaldecoder("utf-8")(errors="replace")
    texts = (decoder.decode(token) for token in _ENCODING.decode_tokens_bytes(list(ids)))
    return [text for text in texts if text]


@lru_cache(maxsize=16_384)
def _encode_short(text: str) -> tuple[int, ...]:
    return tuple(_ENCODING.encode_ordinary(text))


@lru_cache(maxsize=64)
def _encode_long(text: str) -> tuple[int, ...]:
    ids: list[int] = []
    for start in range(0, len(text), _SLICE_CHARS):
        ids += _ENCODING.encode_ordinary(text[start : start + _SLICE_CHARS])
    return tuple(ids)
