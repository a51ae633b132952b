"""Detects the format of a log from its first record: JSON, JSON lines, or CSV."""

import csv
import io
import json
from collections.abc import Iterator
from dataclasses import dataclass
from decimal import Decimal
from pathlib import Path
from typing import Any

from analysis.reading.load import RunError
from analysis.reconcile.logs import langfuse, litellm, oneapi, openrouter, otlp
from analysis.reconcile.logs.entry import Entry, Reader, Record
from recording.errors import InputError
from recording.json_files import check_is_file

READERS: tuple[Reader, ...] = (
    otlp.READER, litellm.READER, oneapi.READER, openrouter.READER, openrouter.ACTIVITY,
    langfuse.READER,
)  # fmt: skip
"""Each is asked in this order."""

_WRAPPERS = ("data", "items", "logs", "response")
_LONGEST_CELL = 1 << 24


@dataclass(frozen=True, slots=True)
class Log:
    """The entries of a log, in order, and what its amounts are in.

    `per_unit` units of an amount make one `currency`; `other` counts the records that belong to no
    request, or are of another kind than the first.
    """

    path: Path
    reader: Reader
    entries: tuple[Entry, ...]
    currency: str
    per_unit: Decimal
    other: int = 0

    def money(self, entry: Entry) -> Decimal | None:
        """What an entry charges, in `currency`."""
        return None if entry.amount is None else entry.amount / self.per_unit

    @property
    def total(self) -> Decimal | None:
        """The exact total; None: it states no amounts."""
        amounts = [e.amount for e in self.entries if e.amount is not None]
        return sum(amounts, Decimal(0)) / self.per_unit if amounts else None


def read(path: Path, per_unit: Decimal | None = None, currency: str = "") -> Log:
    """Read a log; `per_unit` and `currency` are the operator's, in place of the reader's own.

    Raises RunError, naming the line, for what cannot be read, and OSError.
    """
    reader: Reader | None = None
    entries: list[Entry] = []
    other = 0
    for line, record in _records(path):
        if reader is None:
            reader = next((each for each in READERS if each.fits(record)), None)
        new = list(reader.read(record, line)) if reader and reader.fits(record) else []
        entries += new
        other += not new
    if reader is None:
        known = ", ".join(each.name for each in READERS)
        raise RunError(f"{path} is not a log that Weighbridge knows: give one of {known}.")
    if per_unit is not None and reader.per_unit == 1:
        raise RunError(
            f"leave out --quota-per-unit: {path} has no quota, {reader.name} counts money."
        )
    unit = reader.per_unit if per_unit is None else per_unit
    return Log(path, reader, tuple(entries), currency or reader.currency, unit, other)


def _records(path: Path) -> Iterator[tuple[int, Record]]:
    """The records of a file, each with the line that it begins on."""
    try:
        check_is_file(path)
        text = path.read_text(encoding="utf-8-sig")
    except InputError as error:
        raise RunError(f"{path} {error}: give a file.") from None
    except UnicodeDecodeError as error:
        raise RunError(f"{path} must be UTF-8: {error}.") from None
    if not text.lstrip().startswith(("{", "[")):
        yield from _rows(path, text)
        return
    try:
        yield from ((1, record) for record in _unwrapped(_json(text)))
        return
    except ValueError:
        pass  # then it is JSON lines
    for line, part in enumerate(text.split("\n"), 1):
        if part.strip():
            try:
                value = _json(part)
            except ValueError as error:
                raise RunError(f"{path}, line {line}: it must be JSON ({error}).") from None
            yield from ((line, record) for record in _unwrapped(value))


def _json(text: str) -> Any:
    """JSON, its numbers exact. Raises ValueError."""
    try:
        return json.loads(text, parse_float=Decimal, parse_constant=lambda name: None)
    except RecursionError:
        raise ValueError("too deep") from None


def _unwrapped(value: Any, depth: int = 0) -> Iterator[Record]:
    """The records in a list, or under the names by which APIs wrap them."""
    if isinstance(value, list):
        for item in value:
            yield from _unwrapped(item, depth + 1) if depth < 4 else ()
    elif isinstance(value, dict):
        inner = next((value[name] for name in _WRAPPERS if _wraps(value, name)), None)
        if inner is None or any(reader.fits(value) for reader in READERS) or depth >= 4:
            yield value
        else:
            yield from _unwrapped(inner, depth + 1)


def _wraps(value: Record, name: str) -> bool:
    return isinstance(value.get(name), list | dict)


def _rows(path: Path, text: str) -> Iterator[tuple[int, Record]]:
    csv.field_size_limit(_LONGEST_CELL)
    header = text.partition("\n")[0]
    lines = csv.DictReader(io.StringIO(text, newline=""), delimiter=max(",;\t", key=header.count))
    try:
        for row in lines:
            yield lines.line_num, {str(name).strip(): cell for name, cell in row.items()}
    except csv.Error as error:
        raise RunError(f"{path} must be JSON or a CSV in UTF-8: {error}.") from None
