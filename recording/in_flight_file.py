"""Which requests a process has in flight, in a small file that outlives the process.

A row is written when a request ends. A request that was still in flight when its process was killed
would leave no trace, although the gateway may charge for it. So each request in flight has a slot
in a memory-mapped file: filling one needs no system call, and the operating system writes it to
disk. It survives `kill -9`, but perhaps not a power failure. A slot is emptied once the row is
written, and a file with only empty slots is removed: a run that ends normally leaves none.

A file belongs to one phase of one process. Its first line is JSON that says which; then come slots
of 16 bytes, little-endian: the request's index + 1 (uint64; 0: the slot is empty), and when it was
sent, Unix seconds (float64).
"""

import json
import logging
import mmap
import os
import re
import struct
import time
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from errno import ENOSPC
from pathlib import Path
from typing import Any

from recording.errors import InputError
from recording.json_files import json_of, read_bytes

_NEW = os.O_RDWR | os.O_CREAT | os.O_EXCL
_BLOCK_BYTES = 4096
_SLOT = struct.Struct("<Qd")
_VERSION = 1
_MOST = 1 << 40  # of a phase's requests: more than any plan has
_NAME = re.compile(r"[A-Za-z0-9_.-]{1,100}")
log = logging.getLogger("weighbridge")


class _PhaseFile:
    """The slots of one phase. Raises OSError if the disk has no room for them."""

    def __init__(self, path: Path, head: Mapping[str, Any]) -> None:
        self.path = path
        text = json.dumps(head, ensure_ascii=True).encode() + b"\n"
        self._begin = len(text)
        self.taken: dict[int, int] = {}  # the slot of each index
        self._file = os.fdopen(os.open(path, _NEW, 0o600), "r+b", buffering=0)
        try:
            self._file.write(text)
            self._map, self._size = self._grown(0)
        except OSError:
            self._file.close()
            path.unlink(missing_ok=True)
            raise
        self._free = self._slots(self._begin)

    def _grown(self, size: int) -> tuple[mmap.mmap, int]:
        """The map with more room. The bytes are written first, because storing into a map without
        room on the disk would kill the process.
        """
        self._file.seek(0, os.SEEK_END)
        if (self._file.write(bytes(max(_BLOCK_BYTES, size))) or 0) < _BLOCK_BYTES:
            raise OSError(ENOSPC, os.strerror(ENOSPC), str(self.path))
        return mmap.mmap(self._file.fileno(), 0), self._file.tell()

    def _slots(self, begin: int) -> list[int]:
        last = self._size - _SLOT.size
        return list(range(begin, last + 1, _SLOT.size))[::-1]

    def fill(self, index: int) -> None:
        """Record in a slot that the request is in flight."""
        if not self._free:
            before, end = self._map, self._begin
            end += (self._size - self._begin) // _SLOT.size * _SLOT.size
            self._map, self._size = self._grown(self._size)
            before.close()
            self._free = self._slots(end)
        slot = self._free.pop()
        self.taken[index] = slot
        _SLOT.pack_into(self._map, slot, index + 1, time.time())

    def empty(self, index: int) -> None:
        """Free the slot of a request that has its row."""
        slot = self.taken.pop(index, None)
        if slot is not None:
            _SLOT.pack_into(self._map, slot, 0, 0.0)
            self._free.append(slot)

    def close(self) -> None:
        """Close the file, and remove it if nothing is left in it."""
        self._map.close()
        self._file.close()
        if not self.taken:
            self.path.unlink(missing_ok=True)


class InFlight:
    """The requests of a run that one process has in flight; `part` is the name of its part file.

    If the disk has no room for the file, the run continues and a warning is logged once: afterwards
    nobody knows what was in flight.
    """

    def __init__(self, folder: Path, part: str, run_id: str, worker: str, attempt: int) -> None:
        self._folder, self._part = folder, part
        self._head = {"version": _VERSION, "run_id": run_id, "worker": worker, "attempt": attempt}
        self._files: dict[str, _PhaseFile] = {}
        self._count = 0
        self._failed = False

    def sent(self, phase: str, index: int) -> None:
        """A request is being sent."""
        if self._failed:
            return
        try:
            file = self._files.get(phase) or self._open(phase)
            file.fill(index)
        except OSError as error:
            self._failed = True
            log.warning(
                "what is in flight is not kept in %s (%s): if this process dies, nobody knows what "
                "it had sent",
                self._folder,
                error.strerror,
            )

    def ended(self, phase: str, index: int) -> None:
        """The row of a request has been written."""
        if (file := self._files.get(phase)) is not None:
            file.empty(index)

    def _open(self, phase: str) -> _PhaseFile:
        for name in [name for name, file in self._files.items() if not file.taken]:
            self._files.pop(name).close()
        self._count += 1
        while (path := self._folder / f"in-flight-{self._part}-{self._count}.bin").exists():
            self._count += 1
        self._files[phase] = file = _PhaseFile(path, {**self._head, "phase": phase})
        return file

    def close(self) -> None:
        """Close the files. Requests still in flight stay in them."""
        for file in self._files.values():
            file.close()
        self._files.clear()
        self._failed = True


@dataclass(frozen=True, slots=True)
class Orphan:
    """One request that was in flight when its process died."""

    worker: str
    attempt: int
    phase: str
    index: int
    sent_unix_s: float


def orphans(folder: Path) -> Iterator[Orphan]:
    """The requests that a run's dead processes had in flight. Raises InputError and OSError.

    Requests of processes that are still running are included too. If there is a row of the same
    request and attempt, the row counts: the process died between writing it and emptying the slot.
    """
    for path in sorted(folder.glob("in-flight-*.bin")):
        yield from _read(path)[1]


def in_flight_of(folder: Path, part: str, phase: str) -> set[int] | None:
    """The requests of a phase that one process has in flight, or had when it died.

    None if it has no file for that phase in this folder. Raises InputError and OSError.
    """
    for path in folder.glob(f"in-flight-{part}-*.bin"):
        name, slots = _read(path)
        if name == phase:
            return {slot.index for slot in slots}
    return None


def _read(path: Path) -> tuple[str, list[Orphan]]:
    """The phase of a file, and the requests left in it."""
    line, newline, slots = read_bytes(path).partition(b"\n")
    if not newline:
        return "", []  # the process died while it wrote the line, before it sent anything
    try:
        head = _head(line)
        in_flight = list(_slots(slots, head, path))
    except InputError as error:
        raise InputError(f"{path.name} {error}") from None
    return head["phase"], in_flight


def _head(line: bytes) -> dict[str, Any]:
    head = json_of(line)
    if not isinstance(head, dict) or head.get("version") != _VERSION:
        raise InputError("is not of a version that this Weighbridge reads")
    worker, attempt, phase = head.get("worker"), head.get("attempt"), head.get("phase")
    if not (
        isinstance(worker, str)
        and _NAME.fullmatch(worker)
        and type(attempt) is int
        and 0 < attempt < _MOST
        and isinstance(phase, str)
    ):
        raise InputError("does not say whose requests it holds")
    return head


def _slots(slots: bytes, head: Mapping[str, Any], path: Path) -> Iterator[Orphan]:
    for place in range(0, len(slots) - _SLOT.size + 1, _SLOT.size):
        number, sent_unix_s = _SLOT.unpack_from(slots, place)
        if number > _MOST:
            raise InputError("is damaged")
        if number:
            if not 0 < sent_unix_s < 1e11:  # it died while it filled the slot
                sent_unix_s = path.stat().st_mtime
            yield Orphan(head["worker"], head["attempt"], head["phase"], number - 1, sent_unix_s)
