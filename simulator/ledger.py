"""The ledger: what the gateway really did, one CSV row per chat request.

This is the truth a load generator is judged by. A row is written with one unbuffered write when
the request ends, whatever its end, so a killed simulator loses none that had ended.
"""

import os
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

COLUMNS: dict[str, str] = {
    "request_id": "the gateway's id for the request, also in the reply's headers",
    "task_id": "the body's task_id, empty when none was sent",
    "model": "the model asked for",
    "status": "HTTP status sent; empty when none was",
    "fault": "the injected fault, or rpm_limit, tpm_limit, concurrency_limit, client_gone, stopped",
    "stream": "1 when a stream was asked for, else 0",
    "arrival_unix_s": "when the request's headers had arrived",
    "first_byte_unix_s": "when the reply's status line was sent",
    "last_byte_unix_s": "when the reply's last byte was sent",
    "prompt_tokens": "as the reply states them (or would have, on a reply without usage)",
    "completion_tokens": "visible, reasoning and format tokens",
    "total_tokens": "their sum, unless the fault bad_usage spoils it",
    "cached_tokens": "prompt tokens read from the cache",
    "reasoning_tokens": "the thinking's part of completion_tokens",
    "cost": "the charge the reply states (or would have, on streams without include_usage); "
    "empty where dialect or fault state none",
    "max_tokens": "the body's max_tokens or max_completion_tokens, empty when none was sent",
    "tool_choice": "none, auto, required or the function's name; empty when none was sent",
    "tools": "number of tools offered",
    "images": "number of image parts",
    "chunks": "number of JSON events of a stream, [DONE] not counted",
    "chunk_times_unix_s": "when each of them was sent, separated by semicolons",
    "in_flight": "chat requests in flight at arrival, this one included",
    "connection": "the client's host:port",
    "prompt_sha256": "SHA-256 of the messages as compact JSON, keys in the order sent",
    "first_token_unix_s": "when the first event with text, reasoning or a tool call was sent",
    "body_read_unix_s": "when the request's body was complete",
    "billed": "what the account was charged, stated or not; empty for nothing",
    "finish_reason": "as sent",
}


class LedgerError(Exception):
    """Raised when the ledger's file cannot be written or holds something else."""


@dataclass(slots=True)
class Row:
    """One request's entry while it is being written; None is an empty cell."""

    request_id: str
    arrival_unix_s: float
    connection: str
    in_flight: int
    task_id: str | None = None
    model: str | None = None
    status: int | None = None
    fault: str | None = None
    stream: bool | None = None
    first_byte_unix_s: float | None = None
    last_byte_unix_s: float | None = None
    prompt_tokens: int | None = None
    completion_tokens: int | None = None
    total_tokens: int | None = None
    cached_tokens: int | None = None
    reasoning_tokens: int | None = None
    cost: float | None = None
    max_tokens: int | None = None
    tool_choice: str | None = None
    tools: int | None = None
    images: int | None = None
    chunks: int | None = None
    chunk_times_unix_s: Sequence[float] = ()
    prompt_sha256: str | None = None
    first_token_unix_s: float | None = None
    body_read_unix_s: float | None = None
    billed: float | None = None
    finish_reason: str | None = None


class Ledger:
    """Appends rows to a file; with no path it keeps nothing.

    Raises LedgerError when the path cannot be appended to or holds other columns.
    """

    def __init__(self, path: Path | None) -> None:
        self._file: int | None = None
        if path is None:
            return
        header = ",".join(COLUMNS) + "\n"
        try:
            self._file = os.open(path, os.O_RDWR | os.O_CREAT | os.O_APPEND, 0o600)
            start = os.read(self._file, len(header) + 1).decode("utf-8", "replace")
            if start and not start.startswith(header):
                raise LedgerError(f"log {path} exists and is not a simulator log of this version")
            if not start:
                os.write(self._file, header.encode())
        except OSError as error:
            raise LedgerError(f"cannot write the log {path}: {error.strerror}") from error

    def add(self, row: Row) -> None:
        """Write one row."""
        if self._file is not None:
            line = ",".join([_cell(getattr(row, name)) for name in COLUMNS]) + "\n"
            os.write(self._file, line.encode("utf-8", "backslashreplace"))


def _cell(value: object) -> str:
    if value is None:
        return ""
    if type(value) is str:
        return _quoted(value)
    if type(value) is float:
        return _number(value)
    if type(value) is bool:
        return "1" if value else "0"
    if type(value) is int:
        return str(value)
    if isinstance(value, Sequence):
        return ";".join([f"{moment:.6f}" for moment in value])
    raise TypeError(f"no cell for {value!r}")


def _number(value: float) -> str:
    # Times have microseconds; costs have more decimals than that only if a profile says so.
    return f"{value:.6f}" if value > 1e9 else f"{value:.12f}".rstrip("0").rstrip(".")


def _quoted(text: str) -> str:
    if any(mark in text for mark in ',"\r\n'):
        return '"' + text.replace('"', '""') + '"'
    return text
