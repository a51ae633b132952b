"""Words that we did not write, made safe to show: the one way for them to a person's eyes. Pure.

A gateway's messages, models and finish reasons, names out of other people's files: a terminal
obeys their escapes, a log takes their line breaks for its own, and bidi marks turn a sentence
round. Rows keep such words as they came; whatever shows them passes them through `shown`.
"""

import json
import logging
import re
from html import escape
from typing import Any

_UNSEEN = re.compile(
    "[\x00-\x1f\x7f-\x9f\xad"  # controls: ESC, BEL, line breaks; the soft hyphen
    "\u0600-\u0605\u061c\u06dd\u070f\u0890\u0891\u08e2\u180e"
    "\u200b-\u200f\u2028-\u202e\u2060-\u206f\ufeff\ufff9-\ufffb"  # line ends, bidi, zero width
    "\U000110bd\U000110cd\U00013430-\U0001343f\U0001bca0-\U0001bca3\U0001d173-\U0001d17a"
    "\U000e0001\U000e0020-\U000e007f"
    "\ud800-\udfff]"
)
"""Unicode's categories Cc, Cf, Cs, Zl and Zp: nothing to see, but something to obey.
tests/recording/test_untrusted_text.py compares the ranges with Unicode's own table."""

_NAMED = {"\n": "\\n", "\r": "\\r", "\t": "\\t"}
LONGEST_CHARS = 160


def shown(words: object, longest: int | None = None) -> str:
    """The words on one line, with what cannot be seen written as an escape: `\\x1b`, `\\u202e`.

    Cut to `longest` characters, the last of them `…`. What was shown once stays as it is.
    """
    text = str(words)
    if longest is not None:
        text = text[: longest + 1]
    found = text if text.isprintable() else _UNSEEN.sub(_escape, text)
    return found if longest is None or len(found) <= longest else found[: longest - 1] + "…"


def quoted(words: object, longest: int = LONGEST_CHARS) -> str:
    """The words for a sentence or a cell: shown, blanks at the ends left away, cut."""
    return shown(str(words).strip(), longest)


def markup(words: object) -> str:
    """The words as HTML shows them: on one line, no tag, no entity of theirs."""
    return escape(shown(words))


def lines(text: str) -> str:
    """A text whose line breaks are ours, each line shown."""
    return "\n".join(shown(line) for line in text.split("\n"))


def as_json(content: Any, indent: int | None = 2) -> str:
    """JSON for files that people read too: the same values, what cannot be seen escaped.

    Raises ValueError for a number that is not finite.
    """
    written = json.dumps(content, ensure_ascii=False, indent=indent, allow_nan=False)
    return "\n".join(_UNSEEN.sub(_json_escape, line) for line in written.split("\n"))


class ShownWords(logging.Filter):
    """For a logger: one record is one line, whoever's words are in it; so is each of its trace."""

    def filter(self, record: logging.LogRecord) -> bool:
        record.msg, record.args = shown(record.getMessage()), None
        if record.exc_info and record.exc_info[0] is not None and not record.exc_text:
            record.exc_text = lines(logging.Formatter().formatException(record.exc_info))
        return True


def _escape(found: re.Match[str]) -> str:
    one = found[0]
    if one in _NAMED:
        return _NAMED[one]
    code = ord(one)
    return f"\\x{code:02x}" if code < 0x100 else f"\\u{code:04x}" if code < 0x10000 else _long(code)


def _long(code: int) -> str:
    return f"\\U{code:08x}"


def _json_escape(found: re.Match[str]) -> str:
    code = ord(found[0])
    if code < 0x10000:
        return f"\\u{code:04x}"
    high, low = divmod(code - 0x10000, 0x400)
    return f"\\u{0xD800 + high:04x}\\u{0xDC00 + low:04x}"
