"""Server-sent events by the HTML standard, each with the time when it was complete. Pure."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Event:
    """One event: when its last byte arrived (seconds since the request), its name, its data."""

    at_s: float
    name: str
    data: str


def events(pieces: Sequence[tuple[float, bytes]]) -> list[Event]:
    """The events of a stream. Comments, `id` and `retry` are ignored; LF, CR and CRLF end lines.

    Data without a blank line after it is an event too, completed by the stream's end: every
    client of this API reads it so.
    """
    complete: list[Event] = []
    data: list[str] = []
    name = ""
    for at_s, line in _lines(pieces):
        if line == "":
            if data:
                complete.append(Event(at_s, name, "\n".join(data)))
            name, data = "", []
            continue
        key, _, value = line.partition(":")
        value = value.removeprefix(" ")
        if key == "data":
            data.append(value)
        elif key == "event":
            name = value
    if data:
        complete.append(Event(at_s, name, "\n".join(data)))
    return complete


def _lines(pieces: Sequence[tuple[float, bytes]]) -> Iterator[tuple[float, str]]:
    """Each line and when it was complete. Bytes that are not UTF-8 become U+FFFD."""
    rest, at_s, first, after_cr = b"", 0.0, True, False
    for at_s, piece in pieces:
        if after_cr and piece:
            piece, after_cr = piece.removeprefix(b"\n"), False
        if not piece:
            continue
        joined = rest + piece
        after_cr = joined.endswith(b"\r")
        *lines, rest = joined.replace(b"\r\n", b"\n").replace(b"\r", b"\n").split(b"\n")
        for line in lines:
            text = line.decode("utf-8", "replace")
            yield at_s, text.removeprefix("\ufeff") if first else text
            first = False
    if rest:
        yield at_s, rest.decode("utf-8", "replace")
