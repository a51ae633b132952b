"""Recorded conversations: ShareGPT, in both its spellings. Pure."""

from collections.abc import Mapping
from typing import Any

from loadshapes.own_traffic.line import PLACE
from recording.row_notes import Notes

Json = Mapping[str, Any]

_USER = ("human", "user")
_MODEL = ("gpt", "assistant", "chatgpt", "bing", "bard", "claude", "model")


def is_sharegpt(row: Json) -> bool:
    """Turns of `from` and `value`, or of `role` and `content`."""
    return isinstance(row.get("conversations", row.get("conversation")), list)


def sharegpt(row: Json, trace: bool, closed: bool, notes: Notes) -> Json | None:
    """The user's turns; the recorded answers are not sent.

    In a closed loop they form a conversation; otherwise only the first is sent as a request.
    """
    key = "conversations" if isinstance(row.get("conversations"), list) else "conversation"
    before: list[Json] = []
    turns: list[str] = []
    answers = False
    for place, turn in enumerate(row[key]):
        if not isinstance(turn, dict):
            raise ValueError(f"{key}[{place}] must be an object")
        who = turn.get("from", turn.get("role"))
        text = turn.get("value", turn.get("content", turn.get("text")))
        if not isinstance(text, str):
            raise ValueError(f"{key}[{place}] has no text")
        if who in _USER:
            if text.strip():
                turns.append(text)
        elif who == "system":
            if not turns:
                before.append({"role": "system", "content": text})
        elif who in _MODEL:
            answers = True
        else:
            raise ValueError(f"{key}[{place}] is from {str(who)[:40]!r}, neither user nor model")
    if not turns:
        notes.add("silent")
        return None
    system = row.get("system")
    if isinstance(system, str) and system.strip() and not before:
        before.append({"role": "system", "content": system})
    if answers:
        notes.add("answers")
    if unused := [name for name in row if name not in (key, "id", "system")]:
        notes.add("unused", unused)
    name = {PLACE: {"id": str(row["id"])}} if "id" in row else {}
    if len(turns) == 1 or not closed:
        if len(turns) > 1:
            notes.add("first_turns")
        return {"messages": [*before, {"role": "user", "content": turns[0]}], **name}
    return {**({"messages": before} if before else {}), "turns": turns, **name}
