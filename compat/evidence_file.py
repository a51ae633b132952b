"""evidence.jsonl: what came back for each request of the checks, raw, one line per request.

    {"phase": "compat/m/2", "index": 0, "check": "stop", "sent": {...}, "status": 200,
     "headers": {...}, "pieces": [[0.41, "data: ..."], ...], "outcome": "done", "elapsed_s": 0.8}

A piece that is not UTF-8 (a character cut in two) is `[0.41, {"base64": "..."}]`. Keys are removed
before a line is written; a piece that contained one keeps its length.
"""

import base64
import json
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, BinaryIO

from compat.evidence import Evidence, Outcome
from recording.errors import InputError
from recording.json_files import json_of, read_bytes
from recording.redaction import SHORTEST, redacted

NAME = "evidence.jsonl"
MOST_BYTES = 4_000_000
"""Bytes kept of one reply, more than any list of models has. A longer one is cut and marked so."""
_KEPT_OUT = ("set-cookie",)
Place = tuple[str, int]
"""Phase and index."""


def append(
    folder: Path, place: Place, check: str, evidence: Evidence, secrets: Sequence[str]
) -> None:
    """Write one line. Raises OSError."""
    line = json.dumps(_as_json(place, check, _clean(evidence, secrets)), ensure_ascii=False)
    with (folder / NAME).open("ab+") as file:
        if file.tell() and _last_byte(file) != b"\n":
            file.write(b"\n")  # a line left incomplete when its process died
        file.write(line.encode("utf-8", "backslashreplace") + b"\n")


def _last_byte(file: BinaryIO) -> bytes:
    file.seek(-1, 2)
    return file.read(1)


def read(folder: Path) -> dict[Place, Evidence]:
    """The stored evidence, by phase and index; the last of a request that was sent again.

    Empty if there is no file; an incomplete line is ignored. Raises InputError.
    """
    path = folder / NAME
    if not path.exists():
        return {}
    by_name = {}
    for line in read_bytes(path).split(b"\n")[:-1]:
        try:
            entry = json_of(line)
        except InputError:
            continue
        by_name[(str(entry["phase"]), int(entry["index"]))] = _evidence(entry)
    return by_name


def _as_json(place: Place, check: str, evidence: Evidence) -> dict[str, Any]:
    return {
        "phase": place[0],
        "index": place[1],
        "check": check,
        "sent": evidence.sent,
        "status": evidence.status,
        "headers": dict(evidence.headers),
        "pieces": [[round(at_s, 6), _as_json_value(piece)] for at_s, piece in evidence.pieces],
        "outcome": str(evidence.outcome),
        "elapsed_s": evidence.elapsed_s,
    }


def _evidence(entry: Mapping[str, Any]) -> Evidence:
    pieces = tuple((float(at_s), _bytes(piece)) for at_s, piece in entry["pieces"])
    return Evidence(
        entry["sent"], entry["status"], entry["headers"], pieces, Outcome(entry["outcome"]),
        entry["elapsed_s"],
    )  # fmt: skip


def _as_json_value(piece: bytes) -> str | dict[str, str]:
    try:
        return piece.decode()
    except UnicodeDecodeError:
        return {"base64": base64.b64encode(piece).decode()}


def _bytes(stored: str | Mapping[str, str]) -> bytes:
    return stored.encode() if isinstance(stored, str) else base64.b64decode(stored["base64"])


def _clean(evidence: Evidence, secrets: Sequence[str]) -> Evidence:
    """The evidence without keys and cookies, cut to the length that is kept."""
    headers = {
        name: redacted(value, secrets)
        for name, value in evidence.headers.items()
        if name not in _KEPT_OUT
    }
    pieces, outcome, length = list[tuple[float, bytes]](), evidence.outcome, 0
    for at_s, piece in evidence.pieces:
        pieces.append((at_s, piece[: MOST_BYTES - length]))
        length += len(piece)
        if length > MOST_BYTES:
            outcome = Outcome.CUT
            break
    return Evidence(
        evidence.sent, evidence.status, headers, _without(pieces, secrets), outcome,
        None if evidence.elapsed_s is None else round(evidence.elapsed_s, 6),
    )  # fmt: skip


def _without(
    pieces: Sequence[tuple[float, bytes]], secrets: Sequence[str]
) -> Sequence[tuple[float, bytes]]:
    """The pieces without keys, even one that is split between two pieces.

    A literal key becomes as many asterisks; if a key is encoded, all pieces become one.
    """
    body = b"".join(piece for _, piece in pieces)
    masked = body
    for secret in secrets:
        key = secret.encode()
        if len(secret) >= SHORTEST:
            masked = masked.replace(key, b"*" * len(key))
    text = masked.decode("utf-8", "replace")
    if (clean := redacted(text, secrets)) != text:
        return ((pieces[-1][0], clean.encode()),)
    if masked == body:
        return pieces
    cut, start = [], 0
    for at_s, piece in pieces:
        cut.append((at_s, masked[start : start + len(piece)]))
        start += len(piece)
    return cut
