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
    """All turns but the last are dropped."""
    data["messages"] = data["messages"][-1:]


def drop_tool_results(data: Data) -> None:
    """Tool results and the calls that they answer are dropped, so the tool is called again."""
    data["messages"] = [
        m for m in data["messages"] if m.get("role") != "tool" and not m.get("tool_calls")
    ]


def drop_usage_option(data: Data) -> None:
    """`include_usage` is dropped."""
    data.pop("stream_options", None)


def drop_text(data: Data) -> None:
    """The texts of content parts are dropped."""
    for message in data["messages"]:
        if isinstance(message.get("content"), list):
            message["content"] = ""


def drop_non_ascii(data: Data) -> None:
    """Every character that is not ASCII is dropped."""
    message = data["messages"][0]
    message["content"] = message["content"].encode("ascii", "ignore").decode()


def drop_strict(data: Data) -> None:
    """`strict` is dropped from functions."""
    for tool in data["tools"]:
        tool["function"].pop("strict", None)


def one_call(data: Data) -> None:
    """At most one call is made."""
    data["parallel_tool_calls"] = False
