"""Replaces files atomically: a reader sees the old or the new file, never a part of one."""

import os
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TextIO


@contextmanager
def replacing(path: Path) -> Iterator[TextIO]:
    """A UTF-8 text file to write that takes `path`'s place when the block ends well.

    Parent folders are made. When the block raises, `path` is left as it was. The new file is
    readable by its owner alone, because it may contain replies. Raises OSError as `open` does.
    """
    with reserving(path) as new, new.open("w", encoding="utf-8", newline="\n") as file:
        yield file


def replace_text(path: Path, text: str) -> None:
    """Write a text in `path`'s place, as `replacing` does. Raises OSError."""
    with replacing(path) as file:
        file.write(text)


@contextmanager
def reserving(path: Path) -> Iterator[Path]:
    """The path of an empty file that takes `path`'s place as `replacing`'s does."""
    path.parent.mkdir(parents=True, exist_ok=True)
    number, name = tempfile.mkstemp(dir=path.parent, prefix=f".{path.name}.")
    os.close(number)
    try:
        yield Path(name)
        os.replace(name, path)
    except BaseException:
        Path(name).unlink(missing_ok=True)
        raise
