"""A reply as one word, so that replies can be counted. Pure."""

import re
import unicodedata

MOST_CHARS = 24
FILTERED = "(filtered)"
"""The word of a reply that a content filter withheld: in brackets, as no reply's is."""
_WORD = re.compile(r"\w+(?:['’-]\w+)*")


def word(reply: str) -> str:
    """The first word of a reply, its case and form folded, without punctuation; empty: none."""
    match = _WORD.search(unicodedata.normalize("NFKC", reply).casefold())
    return match[0][:MOST_CHARS] if match else ""
