"""Prompt cache: the same long prefix in every request that should find it, and in no other."""

from functools import lru_cache
from hashlib import blake2b
from pathlib import Path
from typing import Any

from loadshapes.phase import Phase
from recording.errors import OperatorError
from settings.options import Options
from tasks.prompts import Request

_SENTENCE = (
    "Clause {n}: the gateway shall answer each request once, state its cost, keep its order, "
    "and say plainly when it cannot. "
)
_TOKENS_PER_SENTENCE = 27  # with the o200k tokenizer; others differ a little
_QUESTION = "Reply exactly: cached-ok"


@lru_cache(maxsize=2)
def _text(path: str, tokens: int) -> str:
    """The text of every prefix: from a file, or the built-in text of about this many tokens."""
    if not path:
        count = max(1, tokens // _TOKENS_PER_SENTENCE)
        return "".join(_SENTENCE.format(n=n) for n in range(count))
    try:
        return Path(path).read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError) as error:
        raise OperatorError(
            f"--prefix-file {path} cannot be read ({error}): give another file."
        ) from None


def _prefix(phase: Phase, index: int, options: Options) -> str:
    """The prefix of a request: its mark at the very start makes every block new to the cache.

    The requests of a phase share one, as do the gaps of a model; each pair has its own, and so does
    each unmarked prompt.
    """
    group = phase.name
    if phase.scenario == "gap":
        group = f"gaps/{phase.model}"
    elif phase.scenario == "pairs":
        group = f"{phase.name}/{index // 2}"
    elif phase.scenario == "plain":
        group = f"{phase.name}/{index}"
    text = _text(options.prefix_file, options.prefix_tokens)
    if options.cache_nonce == "none" and group == phase.name:
        return text
    nonce = options.cache_nonce if options.cache_nonce not in ("fresh", "none") else options.run_id
    digest = int.from_bytes(blake2b(f"{nonce}/{group}".encode(), digest_size=8).digest())
    # Fifteen digits are as many tokens in every prefix; letters would not be.
    return f"[{digest % 10**15:015d}] {text}"


def build(phase: Phase, index: int, options: Options) -> Request:
    """The prefix, then a question whose answer is short."""
    prefix = f"{_prefix(phase, index, options)}\n\n"
    if options.cache_control == "off" or phase.scenario == "plain":
        return Request(f"{prefix}{_QUESTION}", marker="cached-ok")
    # Anthropic's: the cache holds the prompt up to and including a marked part.
    marked: dict[str, Any] = {
        "type": "text",
        "text": prefix,
        "cache_control": {"type": "ephemeral"},
    }
    return Request([marked, {"type": "text", "text": _QUESTION}], marker="cached-ok")


BUILDERS = {"cache": build}
