"""Reads JSON files from outside: regular files of limited size, in strict JSON."""

import json
import stat
from decimal import Decimal
from pathlib import Path
from typing import Any

from recording.errors import InputError

LARGEST_BYTES = 256 << 20
"""Larger than any manifest or event log that a run writes."""
_KINDS = (
    (stat.S_ISDIR, "a folder"),
    (stat.S_ISFIFO, "a pipe"),
    (stat.S_ISSOCK, "a socket"),
    (stat.S_ISCHR, "a device"),
    (stat.S_ISBLK, "a device"),
)


def check_is_file(path: Path) -> None:
    """Check that the path is a regular file: reading a pipe could block for ever. Raises InputError
    and OSError.
    """
    mode = path.stat().st_mode
    kind = next((name for test, name in _KINDS if test(mode)), "no file")
    if not stat.S_ISREG(mode):
        raise InputError(f"is {kind}, not a file")


def read_bytes(path: Path) -> bytes:
    """All of a small file. Raises InputError and OSError."""
    check_is_file(path)
    if (size := path.stat().st_size) > LARGEST_BYTES:
        raise InputError(f"has {size:,} bytes, more than any run writes into it")
    return path.read_bytes()


def json_of(text: bytes | str, exact: bool = False) -> Any:
    """The value of a JSON text; NaN and infinities are refused. Raises InputError.

    `exact`: fractions become Decimals with the digits as written.
    """
    try:
        text = text.decode("utf-8") if isinstance(text, bytes) else text  # json would guess
        return json.loads(text, parse_constant=_none, parse_float=Decimal if exact else None)
    except RecursionError:
        raise InputError("is JSON that is nested too deep to be read") from None
    except InputError:
        raise
    except ValueError as error:
        raise InputError(f"is not JSON ({error})") from None


def _none(name: str) -> Any:
    raise InputError(f"is not JSON ({name} is not a number)")
