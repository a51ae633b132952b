"""Requests that are cancelled on purpose: the setting for the connection, and the row's fields."""

from typing import Any

from recording.cancel import Cancel
from recording.json_values import mapping
from recording.outcome import Outcome
from tasks.answer import Answer
from tasks.wire import Wire


def prepare(wire: Wire, cancel: Cancel | None) -> None:
    """Set when the connection of the next request is to be closed."""
    if cancel is not None:
        wire.leave_after_s, wire.leave_at_head = cancel.held_s, cancel.at_head


def facts(cancel: Cancel, answer: Answer, *, stream: bool) -> dict[str, Any]:
    """The row's fields for a cancelled request; empty: it was not cancelled.

    Its cost is known only if the gateway states it, and is not computed from tokens, because tokens
    stated midway are not final.
    """
    if answer.outcome is not Outcome.ABANDONED:
        return {}
    message = answer.message
    texts: list[object] = []
    if message is not None:
        functions = [mapping(mapping(call).get("function")) for call in message.tool_calls]
        calls = [
            part
            for function in functions
            for part in (function.get("name"), function.get("arguments"))
        ]
        texts = [message.content, message.reasoning, message.inner_reasoning, *calls]
    received = sum(len(text) for text in texts if isinstance(text, str))
    return {
        "error_message": f"cancelled on purpose ({cancel})",
        "received_chars": received if stream else None,
    } | ({"chunks": 0} if stream and answer.streamed is None else {})
