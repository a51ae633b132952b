"""Reads event streams with any line ends, including the irregularities that gateways write.

As WHATWG says (html.spec.whatwg.org, 9.2.6): a byte order mark first is no part of it; CR, LF and
CRLF end a line, mixed as they come; `data:` lines of one event are joined; comments, ids and events
without data are none. Also read, because gateways write it:

- an event at the body's proper end whose last empty line is missing;
- an event named `error`, and a line `error: {...}`, as an error;
- an error in JSON that is no event at all, on one line or several (`bare`);
- a body that is not a stream, such as JSON or a page, which is kept as `foreign`.
"""

import json
from codecs import BOM_UTF8
from collections.abc import Iterator
from typing import Any

import jiter

_FIELDS = (b"data", b"event", b"id", b"retry", b"")


def parsed(raw: bytes, text: str | bytes) -> Any:
    """Parse JSON with the parser that the SDK brings along: 1 us per chunk instead of 3.

    What it refuses goes to the standard library, which accepts more (lone surrogates, other
    encodings) and words its errors as everywhere else.
    """
    try:
        return jiter.from_json(raw)
    except ValueError:
        return json.loads(text)


def loses_text(line: bytes) -> bool:
    """Whether a line that is not a field hides one: blanks or a byte order mark before `data:`.

    By the standard, and in the SDK, it is not data: a program never sees its content.
    """
    return line.lstrip(b"\xef\xbb\xbf \t\x0b\x0c\x00").startswith(b"data:")


class Event:
    """The interface that the SDK's Stream expects of an event: its data, and the data as JSON."""

    __slots__ = ("_raw", "data")
    event = None

    def __init__(self, raw: bytes) -> None:
        self._raw = raw
        self.data = raw.decode()

    def json(self) -> Any:
        """The data as JSON."""
        return parsed(self._raw, self.data)


class Decoder:
    """The events of one body. Their content is the same however the bytes are cut into pieces.

    `event` is the last one given out and `done` whether that was `[DONE]`. `is_json` is set by a
    caller whose headers say that the body is JSON: if it looks like it, it is. `foreign` is then
    the body, as it is of one that begins as a page; `ignored` the first line that is no field,
    before others one that `loses_text`.
    """

    def __init__(self) -> None:
        self.done = False
        self.is_json = False
        self.event: Event | None = None
        self.foreign: bytes | None = None
        self.ignored = b""
        self._begun = False

    def iter_bytes(self, pieces: Iterator[bytes]) -> Iterator[Event]:
        """Every event with data, as soon as its empty line has arrived."""
        buffer: list[bytes] = []
        after_cr = False  # the line feed that may come is of the same line end
        open_line = True  # the last byte held ends no line
        first = True
        for piece in pieces:
            if after_cr or b"\r" in piece:
                if after_cr and piece:
                    piece, after_cr = piece.removeprefix(b"\n"), False
                after_cr = after_cr or piece.endswith(b"\r")
                piece = piece.replace(b"\r\n", b"\n").replace(b"\r", b"\n")
            if not piece:
                continue
            alone = not buffer and self._begun and piece.startswith(b"data: {")
            if alone and piece.endswith(b"\n\n") and piece.find(b"\n") == len(piece) - 2:
                self.event = event = Event(piece[6:-2])  # one event a piece, as most gateways send
                yield event
                continue
            buffer.append(piece)
            if not self._begun:
                joined = b"".join(buffer)
                start = joined.removeprefix(BOM_UTF8).lstrip()
                self._begun = bool(start) and not BOM_UTF8.startswith(joined)
                if start[:1] == b"<" or (self.is_json and start[:1] in (b"{", b"[")):
                    self.foreign = b""  # until it is whole
                    self.foreign = b"".join([start, *pieces])
                    return
            if b"\n\n" not in piece and (open_line or piece[0] != 10):
                open_line = piece[-1] != 10
                continue  # no event ends here: a long event is joined once, not at every piece
            *blocks, rest = b"".join(buffer).split(b"\n\n")
            buffer, open_line = [rest] if rest else [], rest[-1:] != b"\n"
            for block in blocks:
                if first:
                    block, first = block.removeprefix(BOM_UTF8), False
                if block.startswith(b"data: {") and b"\n" not in block:
                    self.event = event = Event(block[6:])
                    yield event
                elif block:
                    yield from self._remembered(self._block(block))
        block = b"".join(buffer)
        yield from self._remembered(self._last(block.removeprefix(BOM_UTF8) if first else block))

    def _remembered(self, events: Iterator[Event]) -> Iterator[Event]:
        for event in events:
            self.event = event
            if event.data.startswith("[DONE]"):
                self.done = True
            yield event

    def _block(self, block: bytes) -> Iterator[Event]:
        """The event of one block, if there is one; then a bare error in it."""
        name, data, bare_lines, error = b"", list[bytes](), list[bytes](), False
        for line in block.split(b"\n"):
            field, colon, value = line.partition(b":")
            if field in _FIELDS and (colon or line == b"data"):
                value = value.removeprefix(b" ")
                if field == b"data":
                    data.append(value)
                elif field == b"event":
                    name = value
            elif bare_lines or line.lstrip()[:1] in (b"{", b"["):
                bare_lines.append(line)
            elif field == b"error" and value.strip():
                bare_lines, error = [value.strip()], True
            elif line.strip() and (not self.ignored or loses_text(line) > loses_text(self.ignored)):
                self.ignored = line[:200]
        data_text = b"\n".join(data)
        if data_text:
            yield Event(_as_error(data_text) if name == b"error" else data_text)
        if bare_lines:
            yield from self._outside_fields(b"\n".join(bare_lines).strip(), error)

    def _outside_fields(self, text: bytes, error: bool) -> Iterator[Event]:
        if error:
            yield Event(_as_error(text))
        elif (
            b'"error"' in text
            or b'"message"' in text
            or (text[:1] == b"{" and b'"choices"' not in text)
        ):
            yield Event(text)
        elif not self.ignored:
            self.ignored = text[:200]

    def _last(self, block: bytes) -> Iterator[Event]:
        """The rest after the last empty line of a properly ended body: an event if it is
        complete (some gateways omit the last empty line).
        """
        try:
            events = list(self._block(block))
            complete = all(e.data.startswith("[DONE]") or e.json() is not None for e in events)
        except ValueError:
            return
        if complete:
            yield from events


def _as_error(data: bytes) -> bytes:
    """The data of an event named `error`, arranged as the SDK expects an error."""
    try:
        error = json.loads(data)
    except ValueError:
        error = data.decode(errors="replace")
    if not (isinstance(error, dict) and error.get("error")):
        error = {"error": error or "error"}
    return json.dumps(error).encode()
