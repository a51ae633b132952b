"""Prompt cache: the same long prefix in every request of the phase."""

import secrets
from functools import lru_cache
from pathlib import Path

from loadshapes.options import OperatorError, Options
from loadshapes.plan import Phase
from tasks.prompts import Request

_SENTENCE = (
    "Clause {n}: the gateway shall answer each request once, state its cost, keep its order, "
    "and say plainly when it cannot. "
)
_TOKENS_PER_SENTENCE = 27  # with the o200k tokenizer; others differ a little


@lru_cache(maxsize=8)
def _prefix(run_id: str, options: Options) -> str:
    """The prefix of a run; `run_id` keeps the nonce of one run from serving another."""
    if options.prefix_file:
        text = _read(options.prefix_file)
    else:
        count = max(1, options.prefix_tokens // _TOKENS_PER_SENTENCE)
        text = "".join(_SENTENCE.format(n=n) for n in range(count))
    # A nonce at the very start makes every block of the prefix new to the cache.
    nonce = "" if options.cache_nonce == "none" else f"[{secrets.token_hex(8)}] "
    return nonce + text


def _read(path: str) -> str:
    try:
        return Path(path).read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError) as error:
        raise OperatorError(
            f"--prefix-file {path} cannot be read ({error}): give another file."
        ) from None


def build(phase: Phase, index: int, options: Options) -> Request:
    """The prefix of this run and phase, then a question whose answer is short."""
    prefix = _prefix(f"{options.run_id}/{phase.name}", options)
    return Request(f"{prefix}\n\nReply exactly: cached-ok", marker="cached-ok")
