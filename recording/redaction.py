"""Removes keys and header values from text: gateways echo them, encoded or cut. Pure."""

import base64
import json
import re
from collections.abc import Sequence
from functools import lru_cache
from html import escape
from urllib.parse import quote, quote_plus

MARK = "[key]"
SHORTEST = 8
"""Shortest key, or first piece of one, that is searched for everywhere, in characters.

A shorter key is a placeholder for gateways that accept any text: it would be found in innocent
words, so it is removed only after `Bearer`.
"""


def redacted(text: str, secret: str | Sequence[str]) -> str:
    """The text without the secret (or any of several secrets): plain, percent-encoded, escaped as
    HTML or JSON (some characters of it or all), in hexadecimal or in base64 (also of `Bearer KEY`
    or `user:KEY`), each also with line breaks inside, or a first or last part of it where it was
    cut.
    """
    if len(text) < SHORTEST:
        return text
    if isinstance(secret, str):
        return _without(text, secret)
    for part in secret:
        text = _without(text, part)
    return text


def _without(text: str, key: str) -> str:
    for needle in _needles(key):
        if needle in text:
            break
    else:
        # Nearly every text; the rest would take 20 us each. What is coded whole has no needle.
        if not any(mark in text for mark in ("%", "&#", "\\u", "\\x", "&amp;#")):
            return text
        return text if len(key) < SHORTEST else _broken_forms(key)[0].sub(MARK, text)
    for form in _broken_forms(key):
        text = form.sub(MARK, text)
    if len(key) < SHORTEST or not _random(key):
        return text
    half = max(SHORTEST, len(key) // 2)
    text = _without_piece(text, [key[:size] for size in range(len(key) - 1, half - 1, -1)])
    text = _without_piece(text, [key[-size:] for size in range(len(key) - 1, half - 1, -1)])
    return _cut_end(text, key)


def _random(key: str) -> bool:
    """Whether the key looks random, so that a piece of it identifies it; a word or a tenant's name
    does not.
    """
    return len(key) >= 16 or any(c.isdigit() for c in key) or not key.isalpha()


@lru_cache(maxsize=64)
def _needles(key: str) -> tuple[str, ...]:
    """If none of these occurs, the text holds nothing of the key."""
    if len(key) < SHORTEST:
        return _forms(key) if key else ()
    ends = ((form[:SHORTEST], form[-SHORTEST:]) for form in _forms(key))
    return tuple({end: None for pair in ends for end in pair})


@lru_cache(maxsize=64)
def _forms(key: str) -> tuple[str, ...]:
    if len(key) < SHORTEST:
        return (f"Bearer {key}", f"bearer {key}")
    coded = {
        key,
        quote(key, safe=""),
        quote(key),
        quote_plus(key),
        escape(key),
        json.dumps(key)[1:-1],
    }
    coded |= {key.encode().hex(), key.encode().hex().upper()}
    coded |= {re.sub("%..", lambda byte: byte[0].lower(), quote(key, safe=""))}
    for lead in range(3):  # where the key begins within base64's groups of three bytes
        # Characters that share bits with the text before or after the key are left out.
        code = base64.b64encode(b"\0" * lead + key.encode()).decode().rstrip("=")
        unshared = code[(0, 2, 3)[lead] : (lead + len(key)) * 8 // 6]
        coded |= {unshared, unshared.replace("+", "-").replace("/", "_")}
    return tuple(sorted(coded, key=len, reverse=True))


@lru_cache(maxsize=64)
def _broken_forms(key: str) -> tuple[re.Pattern[str], ...]:
    """Patterns that find each form, also with literal or escaped line breaks inside it."""
    gap = r"(?:\s|\\+[nrt]|=\r?\n|\u200b)*"
    if len(key) < SHORTEST:
        return tuple(re.compile(re.escape(form)) for form in _forms(key))
    any_writing = re.compile(gap.join(map(_any_writing, key)))
    return (any_writing, *(re.compile(gap.join(map(re.escape, form))) for form in _forms(key)))


def _any_writing(character: str) -> str:
    """A pattern for one character, plain or escaped as JSON, URLs or HTML may escape it."""
    number = ord(character)
    # A letter behind a backslash is a line break's (`\\n`), or its own.
    plain = character if character.isalnum() else rf"\\*{re.escape(character)}"
    digits = "".join(f"[{digit}{digit.upper()}]" for digit in f"{number:02x}")
    return (
        rf"(?:{plain}|\\+(?:u00|x){digits}|%(?:25)*{digits}"
        rf"|&(?:amp;)*#(?:0*{number}|[xX]0*{digits});?)"
    )


def _without_piece(text: str, pieces: list[str]) -> str:
    """The text without any of these pieces, longest first; every piece contains the last."""
    if pieces and pieces[-1] in text:
        for piece in pieces:
            text = text.replace(piece, MARK)
    return text


def _cut_end(text: str, key: str) -> str:
    """The text without a leading piece of the key, at least SHORTEST characters, at its end."""
    for length in range(min(len(key) - 1, len(text)), SHORTEST - 1, -1):
        if text.endswith(key[:length]):
            return text[:-length] + MARK
    return text
