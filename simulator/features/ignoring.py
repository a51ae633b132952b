"""How a gateway ignores a feature: what it drops from a request's body before reading it."""

from collections.abc import Callable
from typing import Any

Data = dict[str, Any]
Change = Callable[[Data], None]


def drop(*names: str) -> Change:
    """Drop fields."""

    def change(data: Data) -> None:
        for name in names:
            data.pop(name, None)

    return change


def drop_roles(*names: str) -> Change:
    """Drop messages with these roles."""

    def change(data: Data) -> None:
        data["messages"] = [m for m in data["messages"] if m.get("role") not in names]

    return change


def drop_parts(kind: str) -> Change:
    """Drop the content parts of a type."""

    def change(data: Data) -> None:
        for message in data["messages"]:
            if isinstance(message.get("content"), list):
                message["content"] = [p for p in message["content"] if p.get("type") != kind]

    return change


def drop_history(data: Data) -> None:
    """Drop all turns but the last."""
    data["messages"] = data["messages"][-1:]


def drop_tool_results(data: Data) -> None:
    """Drop what tools returned, and the calls it answers: the tool is called again."""
    data["messages"] = [
        m for m in data["messages"] if m.get("role") != "tool" and not m.get("tool_calls")
    ]


def drop_usage_option(data: Data) -> None:
    """Drop `include_usage`."""
    data.pop("stream_options", None)


def drop_text(data: Data) -> None:
    """Drop the texts of content parts."""
    for message in data["messages"]:
        if isinstance(message.get("content"), list):
            message["content"] = ""


def drop_non_ascii(data: Data) -> None:
    """Drop every character that is not ASCII."""
    message = data["messages"][0]
    message["content"] = message["content"].encode("ascii", "ignore").decode()


def drop_strict(data: Data) -> None:
    """Drop `strict` of functions."""
    for tool in data["tools"]:
        tool["function"].pop("strict", None)


def one_call(data: Data) -> None:
    """Allow at most one call."""
    data["parallel_tool_calls"] = False
