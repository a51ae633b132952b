"""Makes text from outside safe to show; all such text goes through here. Pure.

Examples are a gateway's messages, models and finish reasons, and names in other people's files. A
terminal obeys their escapes, their line breaks forge log lines, and bidi marks reverse a sentence.
Rows keep such text as it came; everything that shows it passes it through `printable`.
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
"""Unicode's categories Cc, Cf, Cs, Zl and Zp: invisible, but interpreted.
tests/recording/test_untrusted_text.py compares the ranges with Unicode's own table.
"""

_NAMED = {"\n": "\\n", "\r": "\\r", "\t": "\\t"}
LONGEST_CHARS = 160


def printable(words: object, longest: int | None = None) -> str:
    """The text on one line, with invisible characters written as escapes: `\\x1b`, `\\u202e`.

    Cut to `longest` characters, the last of them `…`. Applying it twice changes nothing more.
    """
    text = str(words)
    if longest is not None:
        text = text[: longest + 1]
    visible = text if text.isprintable() else _UNSEEN.sub(_escape, text)
    return visible if longest is None or len(visible) <= longest else visible[: longest - 1] + "…"


def quoted(words: object, longest: int = LONGEST_CHARS) -> str:
    """The text for a sentence or a cell: shown, stripped and cut."""
    return printable(str(words).strip(), longest)


def markup(words: object) -> str:
    """The text escaped for HTML: on one line, with no tag and no entity of its own."""
    return escape(printable(words))


def lines(text: str) -> str:
    """A text with our own line breaks, each line shown."""
    return "\n".join(printable(line) for line in text.split("\n"))


def as_json(content: Any, indent: int | None = 2) -> str:
    """JSON for files that people also read: the same values, with invisible characters escaped.

    Raises ValueError for a number that is not finite.
    """
    written = json.dumps(content, ensure_ascii=False, indent=indent, allow_nan=False)
    return "\n".join(_UNSEEN.sub(_json_escape, line) for line in written.split("\n"))


class ShownWords(logging.Filter):
    """A logging filter: each record is one line, whatever text it quotes, and so is each line of
    its traceback.
    """

    def filter(self, record: logging.LogRecord) -> bool:
        record.msg, record.args = printable(record.getMessage()), None
        if record.exc_info and record.exc_info[0] is not None and not record.exc_text:
            record.exc_text = lines(logging.Formatter().formatException(record.exc_info))
        return True


def _escape(match: re.Match[str]) -> str:
    character = match[0]
    if character in _NAMED:
        return _NAMED[character]
    code = ord(character)
    return f"\\x{code:02x}" if code < 0x100 else f"\\u{code:04x}" if code < 0x10000 else _long(code)


def _long(code: int) -> str:
    return f"\\U{code:08x}"


def _json_escape(match: re.Match[str]) -> str:
    code = ord(match[0])
    if code < 0x10000:
        return f"\\u{code:04x}"
    high, low = divmod(code - 0x10000, 0x400)
    return f"\\u{0xD800 + high:04x}\\u{0xDC00 + low:04x}"
