"""Plain prompts: vLLM's custom data set, and any row with `prompt`. Pure."""

from collections.abc import Mapping
from typing import Any

from loadshapes.own_traffic.formats.sizes import OUTPUTS, TEXTS, amount, named, normal
from loadshapes.own_traffic.line import SETTINGS
from recording.row_notes import Notes

Json = Mapping[str, Any]
_OURS = ("model", "stream", "stream_options", "n", "task_id", "echo", "best_of")
_ANSWERS = ("answer", "completion", "response", "output", "reference", "target", "chosen")


def is_prompt(row: Json) -> bool:
    """A row with a prompt as a text, or as a list of messages."""
    name = named(row, TEXTS)
    return name is not None and isinstance(row[name], str | list)


def prompt(row: Json, trace: bool, closed: bool, notes: Notes) -> Json | None:
    """The prompt as a user message, and the length of the answer as its budget."""
    name = named(row, TEXTS)
    assert name is not None
    text, budget = row[name], named(row, OUTPUTS)
    if isinstance(text, str):
        if not text.strip():
            raise ValueError(f"{name} is empty")
        messages: Any = [{"role": "user", "content": text}]
    else:
        messages = text
    line: dict[str, Any] = {"messages": messages}
    if budget is not None and row[budget] not in ("", None):
        line["max_tokens"] = amount(row, budget)
        if line["max_tokens"] == 0:
            notes.add("zero")
            return None
    used_keys = {name, budget}
    system = next((key for key in row if normal(key) in ("system", "system_prompt")), None)
    if system is not None and isinstance(row[system], str) and row[system].strip():
        line["messages"] = [{"role": "system", "content": row[system]}, *messages]
        used_keys.add(system)
    for key, value in row.items():  # settings of a JSON row; a CSV's are texts
        if (
            key in SETTINGS
            and key not in used_keys
            and value is not None
            and not isinstance(value, str)
        ):
            line[key] = value
            used_keys.add(key)
    rest = [key for key in row if key not in used_keys]
    if ours := [key for key in rest if key in _OURS]:
        notes.add("ours", ours)
    if any(normal(key) in _ANSWERS for key in rest):
        notes.add("answers")
    unused = [k for k in rest if k not in ours and normal(k) not in _ANSWERS]
    if unused:
        notes.add("unused", unused)
    return line
