"""Traces with times and sizes but no content: Mooncake, Azure, BurstGPT, named columns. Pure."""

import re
from collections.abc import Mapping, Sequence
from functools import lru_cache
from typing import Any

from loadshapes.own_traffic.trace import CLOCKS
from recording.row_notes import Notes

Json = Mapping[str, Any]

TIMES = (
    "at_s", "timestamp", "time", "arrival_time", "arrival_timestamp", "arrived_at", "arrival",
    "start_time", "request_time", "request_timestamp", "datetime", "date", "created_at", "ts",
)  # fmt: skip
INPUTS = (
    "prompt_tokens", "input_tokens", "contexttokens", "context_tokens", "request_tokens",
    "input_length", "prompt_length", "input_len", "prompt_len", "num_prefill_tokens",
    "num_prompt_tokens", "tokens_in",
)  # fmt: skip
OUTPUTS = (
    "max_tokens", "max_completion_tokens", "output_tokens", "completion_tokens", "generatedtokens",
    "generated_tokens", "response_tokens", "output_length", "output_len", "expected_output_len",
    "num_decode_tokens", "tokens_out",
)  # fmt: skip
TEXTS = ("prompt", "question", "user_input", "instruction", "query", "text", "content", "messages")
_NUMBER = re.compile(r"[+-]?(\d+\.?\d*|\.\d+)([eE][+-]?\d+)?")
_FAILED = ("error", "failed", "failure", "timeout")
_NO_LOSS = ("total_tokens", "log_type", "session_id", "elapsed_time", "type", "turn")


@lru_cache(maxsize=1000)
def normal(name: str) -> str:
    """A column's name, normalised for comparison: `Request tokens` is `request_tokens`."""
    return re.sub(r"[^a-z0-9]+", "_", name.lower()).strip("_")


_key_cache: dict[tuple[tuple[str, ...], tuple[str, ...]], str | None] = {}


def named(row: Json, names: Sequence[str]) -> str | None:
    """The key of a row that matches the first possible of some names."""
    key = (tuple(row), tuple(names))
    if key not in _key_cache:
        by_name = {normal(column): column for column in reversed(tuple(row))}
        if len(_key_cache) > 1000:
            _key_cache.clear()
        _key_cache[key] = next((by_name[name] for name in names if name in by_name), None)
    return _key_cache[key]


def number(row: Json, name: str) -> float:
    """A number of a row, also if written as text. Raises ValueError with a clause."""
    value = row[name]
    if isinstance(value, str):
        try:
            value = float(value)
        except ValueError:
            raise ValueError(f"{name} must be a number, not {value[:40]!r}") from None
    if isinstance(value, bool) or not isinstance(value, int | float) or not abs(value) < 1e300:
        raise ValueError(f"{name} must be a number")
    return value


def amount(row: Json, name: str) -> int:
    """A number of tokens, possibly 0. Raises ValueError with a clause."""
    value = number(row, name)
    if value < 0 or value != int(value):
        raise ValueError(f"{name} must be a whole number of tokens")
    return int(value)


def is_sizes(row: Json) -> bool:
    """A row with a time and the size of a prompt."""
    return named(row, TIMES) is not None and named(row, INPUTS) is not None


def is_mooncake(row: Json) -> bool:
    """Mooncake's: input_length and output_length, and hashes of the prompt's blocks."""
    return "input_length" in row and "timestamp" in row


def mooncake(row: Json, trace: bool, closed: bool, notes: Notes) -> Json | None:
    """Its timestamps are milliseconds; those of Bailian's trace, which has chat_ids, seconds."""
    if "hash_ids" in row:
        notes.add("hashes")
    unit_s = 1.0 if "chat_id" in row else 0.001
    line = {"at_s": round(number(row, "timestamp") * unit_s, 6)}
    rest = {k: v for k, v in row.items() if k not in ("hash_ids", "timestamp")}
    return _sized(rest, line, notes)


def sizes(row: Json, trace: bool, closed: bool, notes: Notes) -> Json | None:
    """Any other trace: the time is ISO 8601, Unix time, or seconds from the trace's start."""
    name = named(row, TIMES)
    assert name is not None
    value = row[name]
    if isinstance(value, str) and _NUMBER.fullmatch(value.strip()):
        value = float(value)
    clock = name if name in CLOCKS else "timestamp"
    rest = {k: v for k, v in row.items() if k != name}
    return _sized(rest, {clock: value}, notes)


def _sized(row: Json, line: dict[str, Any], notes: Notes) -> Json | None:
    input_key, output_key = named(row, INPUTS), named(row, OUTPUTS)
    if input_key is None:
        raise ValueError("it does not say how long its prompt was")
    state = next((row[k] for k in row if normal(k) in ("status", "success", "error")), None)
    if str(state).lower() in _FAILED or (state is not None and str(state).lower() == "false"):
        notes.add("failed")
        return None
    line["prompt_tokens"] = amount(row, input_key)
    if output_key is not None and row[output_key] not in ("", None):
        line["max_tokens"] = amount(row, output_key)
    if line["prompt_tokens"] == 0 or line.get("max_tokens") == 0:
        notes.add("zero")
        return None
    model = next((k for k in row if normal(k) == "model"), None)
    if model is not None and isinstance(row[model], str) and row[model].strip():
        line["model"] = row[model].strip()
    unused = [
        k for k in row if k not in (input_key, output_key, model) and normal(k) not in _NO_LOSS
    ]
    if unused:
        notes.add("unused", unused)
    return line
