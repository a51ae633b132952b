"""The record's columns as Arrow types, and the fast parsing of CSV text into them.

The fast reader takes only text that it is certain to read as the recorder's own `decode` would. It
declines anything else, which the slow reader then judges (analysis/reading/parts.py).
"""

import csv
from collections.abc import Sequence
from dataclasses import fields
from typing import TYPE_CHECKING, Any, get_args, get_type_hints

from recording.record import COLUMNS, TYPES, RequestRecord

if TYPE_CHECKING:
    import numpy as np
    import pyarrow as pa
    from numpy.typing import NDArray

    Bytes = NDArray[np.uint8]

FEW_VALUED = frozenset(
    (
        "run_id", "worker", "phase", "mode", "scenario", "model_requested", "model_returned",
        "outcome", "cost_source", "finish_reason", "check", "error_type", "stated_times_from",
        "provider", "arm", "cancel_after", "system_fingerprint",
    )
)  # fmt: skip
"""Texts that repeat: kept once each, and a number per row."""
TEXTS = frozenset(n for n in COLUMNS if TYPES[n] is str) - FEW_VALUED
"""Texts that differ from row to row: expensive, so read only on demand."""
REQUIRED = frozenset(
    n for n, h in get_type_hints(RequestRecord).items() if type(None) not in get_args(h)
)
_DEFAULTS = {item.name: item.default for item in fields(RequestRecord)}
_QUOTE, _COMMA, _CR, _LF = b'",\r\n'
_APOSTROPHE, _PLUS, _MINUS, _NINE, _EXPONENT = b"'+-9e"


class Declined(Exception):
    """The fast reader is not certain of a text; the slow one shall read it."""


def schema() -> "pa.Schema":
    """The Arrow types of `recording.record.COLUMNS`."""
    import pyarrow as pa

    return pa.schema([pa.field(name, _type(name), name not in REQUIRED) for name in COLUMNS])


def _type(name: str) -> "pa.DataType":
    import pyarrow as pa

    if name in FEW_VALUED:
        return pa.dictionary(pa.int32(), pa.string())
    kinds = {str: pa.large_string(), bool: pa.bool_(), int: pa.int64(), float: pa.float64()}
    return kinds[TYPES[name]]


def read(text: bytes, columns: Sequence[str] = COLUMNS) -> "pa.Table":
    """The rows of whole CSV records of a file with these columns, header apart. Raises Declined."""
    import pyarrow as pa
    import pyarrow.csv

    if not _regular(text) or not _utf8(text):
        raise Declined
    types = {n: pa.string() if TYPES[n] in (int, float) else _type(n) for n in columns}
    try:
        cells = pyarrow.csv.read_csv(
            pa.BufferReader(text),
            pyarrow.csv.ReadOptions(
                column_names=columns, block_size=len(text) + 1, use_threads=False
            ),
            pyarrow.csv.ParseOptions(newlines_in_values=True, ignore_empty_lines=False),
            pyarrow.csv.ConvertOptions(
                column_types=types,
                null_values=[""],
                true_values=["true"],
                false_values=["false"],
                strings_can_be_null=True,
                check_utf8=False,
            ),
        )
        arrays = [
            _column(n, cells[n].combine_chunks()) if n in types else _absent(n, len(cells))
            for n in COLUMNS
        ]
        return pa.Table.from_arrays(arrays, schema=schema())
    except pa.ArrowException:
        raise Declined from None


def _regular(text: bytes) -> bool:
    """Whether quotes and line ends stand only where a CSV writer puts them.

    Elsewhere the csv module and Arrow differ: a bare CR ends Arrow's row, and what follows a
    closing quote is an error to one and text to the other. `text` ends its last record.
    """
    import numpy as np

    data = np.frombuffer(text, np.uint8)
    quotes = np.flatnonzero(data == _QUOTE)
    returns = np.flatnonzero(data[:-1] == _CR)
    bare_returns = returns[data[returns + 1] != _LF]
    opening, closing = quotes[::2], quotes[1::2]
    before = data[opening[opening > 0] - 1]
    after = data[closing + 1]
    return bool(
        len(opening) == len(closing)
        and np.isin(before, np.array([_COMMA, _LF, _QUOTE], np.uint8)).all()
        and np.isin(after, np.array([_COMMA, _CR, _LF, _QUOTE], np.uint8)).all()
        and (np.searchsorted(quotes, bare_returns) % 2 == 1).all()
        and not text.startswith(b"\xef\xbb\xbf")
        and b"\0" not in text
    )


def _utf8(text: bytes) -> bool:
    """Whether it is UTF-8: then each cell is, for what stands between cells is ASCII."""
    import numpy as np
    import pyarrow as pa

    places = pa.py_buffer(np.array([0, len(text)], np.int64))
    one_value = pa.Array.from_buffers(pa.large_binary(), 1, [None, places, pa.py_buffer(text)])
    try:
        one_value.cast(pa.large_string())
    except pa.ArrowInvalid:
        return False
    return True


def _absent(name: str, count: int) -> Any:
    """A column that the file does not have, as `decode` would fill it."""
    import pyarrow as pa

    if _DEFAULTS[name] is None:
        return pa.nulls(count, _type(name))
    return pa.array([_DEFAULTS[name]] * count, _type(name))


def _column(name: str, cells: Any) -> Any:
    """The cells of one column in its own type, as strictly as `decode` reads them."""
    import pyarrow as pa
    import pyarrow.compute as pc

    kind = TYPES[name]
    if name in REQUIRED and kind is not str and cells.null_count:
        raise Declined
    if cells.null_count == len(cells) and name not in REQUIRED:
        return pa.nulls(len(cells), _type(name))
    if name in FEW_VALUED:
        return _few(name, cells)
    if kind is str:
        return _unquoted(cells.fill_null("") if name in REQUIRED else cells)
    if kind is bool:
        return cells
    if not _numeral(_bytes(cells), kind):
        raise Declined
    numbers = cells.cast(_type(name))
    if kind is float and not pc.all(pc.is_finite(numbers)).as_py():
        raise Declined  # 1e400 is no number that `encode` writes
    return numbers


def _numeral(text: "Bytes", kind: type) -> bool:
    """Whether nothing but digits and `-`, of a float `+`, `.` and `e` as well, is in the text.

    Arrow would also read `0x1F`, `nan` and surrounding blanks as numbers. Other characters that lie
    between the allowed ones, such as `/`, are not looked for: Arrow refuses them.
    """
    import numpy as np

    least, most = (_MINUS, _NINE) if kind is int else (_PLUS, _EXPONENT)
    if not len(text):
        return True
    if not least <= text.min() <= (highest := text.max()) <= most:
        return False
    return bool(
        highest <= _NINE or np.count_nonzero(text > _NINE) == np.count_nonzero(text == _EXPONENT)
    )


def _few(name: str, cells: Any) -> Any:
    """A dictionary column; its dictionary is rebuilt if a value changed."""
    values = _unquoted(cells.dictionary)
    if values is cells.dictionary and not (name in REQUIRED and cells.null_count):
        return cells
    column = values.take(cells.indices)
    return (column.fill_null("") if name in REQUIRED else column).dictionary_encode()


def _unquoted(texts: Any) -> Any:
    """Texts without the apostrophe that keeps a spreadsheet from running them."""
    import pyarrow.compute as pc

    if not (_bytes(texts) == _APOSTROPHE).any():
        return texts
    quoted = pc.starts_with(texts, "'")
    return pc.if_else(quoted, pc.utf8_slice_codeunits(texts, 1), texts)


def _bytes(texts: Any) -> "Bytes":
    """All the bytes of an array of texts. Raises Declined for a cell the csv module refuses."""
    import numpy as np

    if not len(texts):
        return np.empty(0, np.uint8)
    width = np.int64 if str(texts.type).startswith("large") else np.int32
    _, places, body = texts.buffers()
    begins = np.frombuffer(places, width, len(texts) + 1, texts.offset * np.dtype(width).itemsize)
    if np.diff(begins).max() > csv.field_size_limit():
        raise Declined
    return np.frombuffer(body or b"", np.uint8)[begins[0] : begins[-1]]
