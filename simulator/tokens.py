"""Tokens: the o200k tokenizer of OpenAI's GPT models, offline, with a cache of its results.

A model's `TokenRules.scale` stands in for other vendors' tokenizers.

`bpe_openai` is a Python wrapper around a Rust tokenizer. Importing it parses three vocabularies
again in Python (0.9 s, 70 MB); its Rust module has all that is needed here and loads in 0.1 s, so
only that is loaded.
"""

from functools import cache, lru_cache
from importlib.machinery import EXTENSION_SUFFIXES
from importlib.util import find_spec, module_from_spec, spec_from_file_location
from math import floor
from pathlib import Path
from typing import Protocol, cast
from zlib import crc32

_SHORT_CHARS = 1_000


class _Tokenizer(Protocol):
    def encode(self, text: str) -> list[int]: ...
    def decode(self, tokens: list[int]) -> str: ...  # ValueError: not whole characters


def _load(encoding: str) -> _Tokenizer:
    package = find_spec("bpe_openai")
    for folder in (package and package.submodule_search_locations) or ():
        for suffix in EXTENSION_SUFFIXES:
            path = Path(folder) / f"_bindings{suffix}"
            spec = spec_from_file_location("bpe_openai._bindings", path)
            if path.is_file() and spec is not None and spec.loader is not None:
                module = module_from_spec(spec)
                spec.loader.exec_module(module)
                return cast(_Tokenizer, module.tokenizer_for_encoding(encoding))
    raise ImportError("the simulator needs the package bpe-openai")


_TOKENIZER = _load("o200k_base")


def encode(text: str) -> tuple[int, ...]:
    """The text's o200k token ids; special tokens are read as plain text."""
    return _encode_short(text) if len(text) <= _SHORT_CHARS else _encode_long(text)


def cl100k(text: str) -> int:
    """How many cl100k tokens the text has."""
    return len(_cl100k().encode(text.encode("utf-8", "replace").decode()))


@cache
def _cl100k() -> _Tokenizer:
    return _load("cl100k_base")


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
    """The text of each token; a token that ends inside a character is joined to the next.

    An unfinished character at the very end is dropped.
    """
    texts: list[str] = []
    open_ids: list[int] = []
    for number in ids:
        open_ids.append(number)
        try:
            texts.append(_TOKENIZER.decode(open_ids))
        except ValueError:
            continue
        open_ids = []
    return texts


@lru_cache(maxsize=16_384)
def _encode_short(text: str) -> tuple[int, ...]:
    return _encode(text)


@lru_cache(maxsize=64)
def _encode_long(text: str) -> tuple[int, ...]:
    return _encode(text)


def _encode(text: str) -> tuple[int, ...]:
    # JSON can contain lone surrogates, which no tokenizer accepts.
    return tuple(_TOKENIZER.encode(text.encode("utf-8", "replace").decode()))
