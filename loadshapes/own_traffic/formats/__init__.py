"""The known formats of request files, in one table; each is converted to our own lines. Pure.

To add a format, write a reader in the file of its family, or in a new one, and add it to SHAPES.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from loadshapes.own_traffic.formats import chat, conversations, prompts, sizes
from loadshapes.own_traffic.line import SETTINGS
from recording.row_notes import Notes

Json = Mapping[str, Any]
Reader = Callable[[Json, bool, bool, Notes], Json | None]
"""Converts a row to our own line (None: it is left out), given whether it is from a trace and
whether conversations are possible. Losses are recorded in the notes. Raises ValueError with a
clause.
"""


@dataclass(frozen=True, slots=True)
class Shape:
    """One format: its name, its characteristic keys, and a test whether a row has it.

    `prompts` and `trace`: which option accepts it.
    """

    name: str
    keys: tuple[str, ...]
    fits: Callable[[Json], bool]
    read: Reader
    prompts: bool = True
    trace: bool = True


def _is_own(row: Json) -> bool:
    return not chat.OWN.isdisjoint(row)


SHAPES: tuple[Shape, ...] = (
    Shape("OpenAI Batch", ("custom_id", "body"), chat.is_batch, chat.batch, trace=False),
    Shape("a batch's output", ("custom_id", "response"), chat.is_output, chat.output),
    Shape("a log of bodies", ("request",), chat.is_wrapped, chat.wrapped),
    Shape("bodies as sent", ("model", "messages"), chat.is_wire, chat.wire),
    Shape("fine-tuning", ("messages",), chat.is_tuned, chat.tuned, trace=False),
    Shape("preference tuning", ("input", "preferred_output"), chat.is_preference, chat.preference,
          trace=False),
    Shape("our own", ("messages",), _is_own, chat.own_format),
    Shape("ShareGPT", ("conversations",), conversations.is_sharegpt, conversations.sharegpt,
          trace=False),
    Shape("Bailian's trace (times in seconds)", ("chat_id", "timestamp", "input_length"),
          lambda row: "chat_id" in row and sizes.is_mooncake(row), sizes.mooncake, prompts=False),
    Shape("Mooncake (times in milliseconds)", ("timestamp", "input_length", "output_length"),
          sizes.is_mooncake,
          sizes.mooncake, prompts=False),
    Shape("Azure's LLM trace", ("TIMESTAMP", "ContextTokens", "GeneratedTokens"),
          lambda row: "ContextTokens" in row and sizes.is_sizes(row), sizes.sizes, prompts=False),
    Shape("BurstGPT", ("Timestamp", "Request tokens", "Response tokens"),
          lambda row: "Request tokens" in row and sizes.is_sizes(row), sizes.sizes, prompts=False),
    Shape("a trace of named columns (numbers are seconds)",
          ("timestamp", "prompt_tokens", "output_tokens"),
          sizes.is_sizes, sizes.sizes, prompts=False),
    Shape("plain prompts", ("prompt", "output_tokens"), prompts.is_prompt, prompts.prompt,
          trace=False),
)  # fmt: skip
"""In the order in which they are tried; they are described in docs/how-to/prompts.md."""

_BY_CONTENT = frozenset(
    {"messages", "custom_id", "request", "body", "request_body", "input", "conversations",
     "conversation", *sizes.TEXTS}
)  # fmt: skip
_by_keys: dict[tuple[str, ...], Shape | None] = {}


def shape_of(row: Json, trace: bool) -> Shape | None:
    """The format of a row; None: unknown. A line of a trace may name its model."""
    keys = tuple(row)
    if keys in _by_keys:  # long traces have few sets of keys, and the keys determine the format
        return _by_keys[keys]
    shape = _tried(row, trace)
    if _BY_CONTENT.isdisjoint(keys) and shape is not None and shape.read is not prompts.prompt:
        if len(_by_keys) > 1000:
            _by_keys.clear()
        _by_keys[keys] = shape
    return shape


def _tried(row: Json, trace: bool) -> Shape | None:
    for shape in SHAPES:
        if shape.fits(row):
            if trace and shape.name == "bodies as sent" and row.keys() <= _TRACE_OWN:
                continue
            return shape
    return None


_TRACE_OWN = frozenset({"messages", "extra_body", "model", *chat.TIMES, *SETTINGS})


def unknown(row: Json) -> str:
    """One clause on a row in an unknown format: its keys, the most similar format, what to do."""
    keys = [str(key)[:30] for key in row]
    first_keys = ", ".join(keys[:8]) + (" ..." if len(keys) > 8 else "") if keys else "none"
    return (
        f"its rows are in no known format (keys of the first: {first_keys}); {_like(row)}write "
        '{"messages": [...]} on each line, or use one of the formats that docs/how-to/prompts.md '
        "lists"
    )


def _like(row: Json) -> str:
    """The most similar format by dialogue, otherwise by keys; empty: none is similar."""
    for key, value in row.items():
        first = value[0] if isinstance(value, list) and value else None
        if not isinstance(first, dict):
            continue
        for marks, name, our_name in (
            ({"from", "value"}, "ShareGPT", "conversations"),
            ({"role", "content"}, "a chat request", "messages"),
        ):
            if marks <= first.keys():
                return f"it looks most like {name}, so rename {str(key)[:30]} to {our_name}; or "
    have = {sizes.normal(str(key)) for key in row}

    def likeness(shape: Shape) -> float:
        needed_keys = {sizes.normal(key) for key in shape.keys}
        return len(needed_keys & have) / len(needed_keys | have)

    best = max(SHAPES, key=likeness)
    lacks = [key for key in best.keys if sizes.normal(key) not in have]
    if not likeness(best) or not lacks:
        return ""
    return f"it looks most like {best.name}, which needs {' and '.join(lacks)}; "


def misplaced(shape: Shape, trace: bool) -> str:
    """One clause on a format that belongs to the other option; empty: it does not."""
    if trace and not shape.trace:
        return f"it is {shape.name}, which has no times: give it as --prompts in another mode"
    if not trace and not shape.prompts:
        return f"it is {shape.name}, which has no prompts: give it as --trace in mode replay"
    return ""
