"""The ledger: what the gateway really did, one CSV row per request to a model.

This is the truth by which a load generator is judged. A row is written with one unbuffered write
when the request ends, however it ends, so a killed simulator loses no row of a finished request.
"""

import csv
import json
import os
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from io import StringIO
from operator import attrgetter
from pathlib import Path

COLUMNS: dict[str, str] = {
    "request_id": "the gateway's id for the request, also in the reply's headers",
    "task_id": "the body's task_id, empty when none was sent",
    "model": "the model asked for",
    "status": "HTTP status sent; empty when none was",
    "fault": "the injected fault, or rpm_limit, tpm_limit, concurrency_limit, client_gone, stopped",
    "stream": "1 when a stream was asked for, else 0",
    "arrival_unix_s": "when the request's first byte was read",
    "first_byte_unix_s": "when the reply's status line was sent",
    "last_byte_unix_s": "when the reply's last byte was sent",
    "prompt_tokens": "as the reply states them (or would have, on a reply without usage)",
    "completion_tokens": "visible, reasoning and format tokens",
    "total_tokens": "their sum, unless the fault bad_usage spoils it",
    "cached_tokens": "prompt tokens read from the cache",
    "reasoning_tokens": "the reasoning part of completion_tokens",
    "cost": "the charge the reply states (or would have, on streams without include_usage); "
    "empty if the dialect or a fault hides it",
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
    "finish_reason": "as sent, of the first choice",
    "endpoint": "chat/completions, responses or embeddings",
    "port": "the port that it arrived at",
    "latency_factor": "factor by which drift lengthened the times",
    "true_prompt_tokens": "as the model counted them, whatever is stated",
    "true_completion_tokens": "as the model counted them; of a request whose client left, those "
    "that it wrote (`produced_tokens`)",
    "true_cost": "what an honest gateway would have charged, a client that left included",
    "features": "the profile's features that the request used and that do not work, "
    "as `stop:ignored;n:wrong`",
    "client_gone_unix_s": "when it was noticed that the client had left; empty: it stayed",
    "produced_tokens": "completion tokens that the model wrote, reasoning included: fewer than all "
    "where it stopped because the client had left",
    "produced_until_unix_s": "when it had written the last of them",
    "trace_id": "from its `traceparent`, else its `x-request-id`",
    "retry_after_s": "how long the reply of an injected fault asked to wait",
}


class LedgerError(Exception):
    """Raised when the ledger's file cannot be written or has other content."""


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
    endpoint: str = "chat/completions"
    port: int | None = None
    latency_factor: float = 1.0
    true_prompt_tokens: int | None = None
    true_completion_tokens: int | None = None
    true_cost: float | None = None
    features: Mapping[str, str] | None = None  # states by feature
    client_gone_unix_s: float | None = None
    produced_tokens: int | None = None
    produced_until_unix_s: float | None = None
    trace_id: str | None = None
    retry_after_s: float | None = None


class Ledger:
    """Appends rows to a file; without a path it keeps nothing.

    Raises LedgerError if the path cannot be appended to or has other columns.
    """

    def __init__(self, path: Path | None) -> None:
        self._file: int | None = None
        self._path = path
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

    def note_schedule(self, windows: Sequence[Mapping[str, object]]) -> None:
        """Writes the schedule of faults beside the log, one line per window."""
        if self._path is not None:
            path = self._path.with_name(self._path.name + ".schedule.jsonl")
            with path.open("a", encoding="utf-8") as file:
                file.writelines(json.dumps(window) + "\n" for window in windows)

    def add(self, row: Row) -> None:
        """Writes one row."""
        if self._file is None:
            return
        cells = list(_CELLS(row))
        for index in _TIMES:
            if cells[index] is not None:
                cells[index] = f"{cells[index]:.6f}"
        for index in _MONEY:
            if cells[index] is not None:
                cells[index] = f"{cells[index]:.9f}".rstrip("0")
        cells[_CHUNK_TIMES] = ";".join([f"{moment:.6f}" for moment in row.chunk_times_unix_s])
        cells[_STREAM] = None if row.stream is None else int(row.stream)
        if row.features is not None:
            cells[_FEATURES] = ";".join([f"{n}:{state}" for n, state in row.features.items()])
        text = StringIO()
        csv.writer(text, lineterminator="\n").writerow(cells)
        os.write(self._file, text.getvalue().encode("utf-8", "backslashreplace"))


_NAMES = tuple(COLUMNS)
_CELLS = attrgetter(*_NAMES)
_TIMES = [i for i, name in enumerate(_NAMES) if name.endswith("_unix_s") and "chunk" not in name]
_MONEY = [_NAMES.index(name) for name in ("cost", "billed", "true_cost")]
_CHUNK_TIMES = _NAMES.index("chunk_times_unix_s")
_FEATURES = _NAMES.index("features")
_STREAM = _NAMES.index("stream")
