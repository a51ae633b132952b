"""Chat requests: in our own shape, as bodies that went over the wire, as OpenAI Batch, and for
fine-tuning. Pure."""

from collections.abc import Mapping
from typing import Any

from loadshapes.own_traffic.line import PLACE, SETTINGS
from recording.row_notes import Notes

Json = Mapping[str, Any]

OWN = frozenset({"messages", "turns", "prompt_tokens", "at_s"})
"""Every row in our own format has one of these keys."""
TIMES = ("at_s", "timestamp")
_OURS = ("stream", "stream_options", "task_id", "n")  # of a body, beside its model
_WIRE = frozenset({"model", *_OURS})
_TUNED = frozenset(
    {"messages", "tools", "parallel_tool_calls", "functions", "weight", "metadata", "id"}
)
_PREFILL = ("prefix", "partial")  # Mistral's and DeepSeek's word, Moonshot's


def is_wire(row: Json) -> bool:
    """A body as sent over the wire: messages, and keys that our own lines may not have."""
    return "messages" in row and not _WIRE.isdisjoint(row)


def is_tuned(row: Json) -> bool:
    """A row for fine-tuning: only a dialogue that ends with the answer."""
    return _ends_with_the_answer(row) and row.keys() <= _TUNED


def _ends_with_the_answer(row: Json) -> bool:
    messages = row.get("messages")
    if not isinstance(messages, list) or not messages or not isinstance(messages[-1], dict):
        return False
    last = messages[-1]
    return last.get("role") == "assistant" and not any(last.get(mark) for mark in _PREFILL)


def own_format(row: Json, trace: bool, closed: bool, notes: Notes) -> Json:
    """A row in our own format, unchanged."""
    if _ends_with_the_answer(row):
        notes.add("prefills")
    return row


def wire(row: Json, trace: bool, closed: bool, notes: Notes) -> Json:
    """A body: fields decided by options are left out, a gateway's own fields go into
    `extra_body`.
    """
    line: dict[str, Any] = {}
    extra: dict[str, Any] = {}
    dropped: list[str] = []
    kept_fields = {"messages", "extra_body", *SETTINGS, *(("model", *TIMES) if trace else ())}
    for name, value in row.items():
        if value is None:
            continue
        if name == "n" and (value != 1 or isinstance(value, bool)):
            raise ValueError("n must be 1, for one reply is measured")
        if name in kept_fields:
            line[name] = value
        elif name in _WIRE:
            dropped.append(name)
        else:
            extra[name] = value
    if dropped:
        notes.add("ours", dropped)
    if extra:
        notes.add("vendor", extra)
        line["extra_body"] = {**line.get("extra_body", {}), **extra}
    if _ends_with_the_answer(row):
        notes.add("prefills")
    return line


def is_batch(row: Json) -> bool:
    """A request of OpenAI's Batch API."""
    return "custom_id" in row and isinstance(row.get("body"), dict)


def batch(row: Json, trace: bool, closed: bool, notes: Notes) -> Json | None:
    """The body of a batch request; `custom_id` stays with the row."""
    url = row.get("url")
    if isinstance(url, str) and not url.rstrip("/").endswith("/chat/completions"):
        notes.add("other_urls")
        return None
    line = wire(row["body"], trace, closed, notes)
    return {**line, PLACE: {"custom_id": str(row["custom_id"])}}


def is_wrapped(row: Json) -> bool:
    """A log row that contains a body."""
    return any("messages" in _inner(row, name) for name in ("request", "body", "request_body"))


def _inner(row: Json, name: str) -> Json:
    inner = row.get(name)
    return inner if isinstance(inner, dict) else {}


def wrapped(row: Json, trace: bool, closed: bool, notes: Notes) -> Json:
    """The body in a log row, with the row's time."""
    name = next(n for n in ("request", "body", "request_body") if "messages" in _inner(row, n))
    times = {time: row[time] for time in TIMES if trace and time in row}
    if unused := [other for other in row if other not in (name, *times)]:
        notes.add("unused", unused)
    return {**wire(row[name], trace, closed, notes), **times}


def is_output(row: Json) -> bool:
    """The output of a batch."""
    return "custom_id" in row and "response" in row


def output(row: Json, trace: bool, closed: bool, notes: Notes) -> Json:
    """Refused, because answers are not requests."""
    raise ValueError("it is an answer of a batch: give the batch's input file")


def tuned(row: Json, trace: bool, closed: bool, notes: Notes) -> Json:
    """A dialogue for fine-tuning without its answer, and without the weights."""
    notes.add("answers")
    messages, weights = [], False
    for message in row["messages"][:-1]:
        if isinstance(message, dict) and "weight" in message:
            message, weights = {k: v for k, v in message.items() if k != "weight"}, True
        messages.append(message)
    weights |= "weight" in row["messages"][-1]
    unused = [name for name in ("weight", "id", "metadata") if name in row]
    if weights or unused:
        notes.add("unused", dict.fromkeys([*(["weight"] if weights else []), *unused]))
    settings = {k: v for k, v in row.items() if k in SETTINGS and k not in unused}
    return {"messages": messages, **settings}


def is_preference(row: Json) -> bool:
    """A row for preference tuning: a dialogue, a better and a worse answer."""
    return isinstance(row.get("input"), dict) and "preferred_output" in row


def preference(row: Json, trace: bool, closed: bool, notes: Notes) -> Json:
    """The dialogue that both answers belong to."""
    notes.add("answers")
    return {k: v for k, v in row["input"].items() if k in ("messages", *SETTINGS)}
