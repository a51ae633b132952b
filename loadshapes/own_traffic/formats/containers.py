"""The rows of a file: JSON lines, a JSON array, or CSV with named columns; also gzipped. Pure."""

import csv
import json
import zlib
from collections.abc import Iterator
from io import StringIO
from typing import Any

Row = tuple[int, Any]
"""A row's number in its file, from 1, and its content, or a ValueError if it cannot be read."""

LARGEST_MIB = 256  # limit for an unpacked file; the requests sent to workers have a lower limit
_BINARY = {
    b"PAR1": "a Parquet file",
    b"PK\x03\x04": "a ZIP archive (or a spreadsheet)",
    b"\x28\xb5\x2f\xfd": "packed with zstd",
    b"BZh": "packed with bzip2",
    b"\xfd7zXZ": "packed with xz",
    b"SQLite format 3": "an SQLite database",
}


def text_of(raw: bytes) -> str:
    """The text of a file, gzipped or not. Raises ValueError, a clause."""
    if raw[:2] == b"\x1f\x8b":
        raw = _unpacked(raw)
    for magic, name in _BINARY.items():
        if raw.startswith(magic):
            raise ValueError(f"it is {name}: write it as JSONL, JSON or CSV (gzip is read)")
    if len(raw) > LARGEST_MIB * 2**20:
        raise ValueError(f"it has more than {LARGEST_MIB} MiB: make several files of it")
    try:
        return raw.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        if raw[:2] in (b"\xff\xfe", b"\xfe\xff"):
            raise ValueError("it is UTF-16 text: write it again as UTF-8") from None
        number = raw[: error.start].count(b"\n") + 1
        raise ValueError(f"line {number} is not UTF-8 text: write the file again") from None


def _unpacked(raw: bytes) -> bytes:
    most, parts, size = LARGEST_MIB * 2**20, [], 0
    while raw:
        member = zlib.decompressobj(wbits=31)
        try:
            part = member.decompress(raw, most - size + 1)
        except zlib.error as error:
            raise ValueError(f"its gzip cannot be unpacked ({error}): pack it again") from None
        size += len(part)
        if size > most:
            raise ValueError(f"it unpacks to more than {LARGEST_MIB} MiB: make several files of it")
        if not member.eof:
            raise ValueError("its gzip is cut off: pack it again")
        parts.append(part)
        raw = member.unused_data.lstrip(b"\0")
    return b"".join(parts)


def rows(text: str) -> tuple[str, Iterator[Row]]:
    """The word for a row (`line`, or `item` of an array), and the rows.

    Raises ValueError with a clause if the text is none of the three.
    """
    stripped = text.lstrip()
    if not stripped:
        return "line", iter(())
    if stripped[0] == "[" and (items := _items(text)) is not None:
        return "item", iter(items)
    pretty = stripped[0] == "{" and not _is_json(stripped.split("\n", 1)[0])
    if pretty and (items := _items(text)) is not None:
        return "item", iter(items)
    if stripped[0] in "{[":
        return "line", _lines(text)
    return "line", _table(text, stripped)


def _is_json(text: str) -> bool:
    try:
        json.loads(text)
    except (ValueError, RecursionError):
        return False
    return True


def _items(text: str) -> list[Row] | None:
    """The objects of an array, or of the single array in an object; None: it is not such a file.

    An array of texts is one of prompts.
    """
    try:
        content = json.loads(text)
    except (ValueError, RecursionError):
        return None
    if isinstance(content, dict):
        lists = [
            v for v in content.values() if isinstance(v, list) and v and isinstance(v[0], dict)
        ]
        content = lists[0] if len(lists) == 1 and "messages" not in content else [content]
    if content and all(isinstance(item, str) for item in content):
        content = [{"prompt": item} for item in content]
    if not any(isinstance(item, dict) for item in content):
        return None  # a line that is itself an array
    return [*enumerate(content, 1)]


def _lines(text: str) -> Iterator[Row]:
    for number, written in enumerate(text.split("\n"), 1):
        if written.strip():
            yield number, decoded(written)


def decoded(written: str) -> Any:
    """The value of a line of JSON. Raises ValueError with a clause if it is invalid."""
    try:
        return json.loads(written)
    except RecursionError:
        return ValueError("it is nested too deep")
    except ValueError as error:
        return ValueError(f"it is not JSON ({error})")


def _table(text: str, stripped: str) -> Iterator[Row]:
    header = stripped.split("\n", 1)[0].strip()
    mark = max(",;\t|", key=header.count)
    if mark not in header:
        header_start = header[:40] + ("..." if len(header) > 40 else "")
        raise ValueError(
            "it is neither JSON lines, nor a JSON array, nor CSV with named columns (its first "
            f"line is {header_start!r})"
        )
    return _cells(text, mark)


def _cells(text: str, mark: str) -> Iterator[Row]:
    csv.field_size_limit(1 << 24)
    reader = csv.reader(StringIO(text.lstrip(), newline=""), delimiter=mark)
    skipped = text[: len(text) - len(text.lstrip())].count("\n")
    try:
        names = [name.strip() for name in next(reader)]
        for cells in reader:
            if not any(cells):
                continue
            number = reader.line_num + skipped
            if len(cells) > len(names):
                yield number, ValueError(f"it has {len(cells)} cells for {len(names)} columns")
            else:
                yield number, dict(zip(names, cells, strict=False))
    except csv.Error as error:
        yield reader.line_num + skipped, ValueError(f"it is not CSV ({error})")
