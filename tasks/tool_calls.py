"""Reads tool calls from a complete message, or assembles them from a stream's pieces. Pure.

Pieces of one call carry its `index`, as OpenAI says; many gateways number every call 0 (told apart
by their ids), or give neither (told apart by their places and names). Anything guessed or converted
to text is `odd`: the repaired call counts, and a judge can see that it was repaired.
"""

import json
from collections.abc import Sequence
from typing import Any

from recording.json_values import Json, mapping, text

FLAG = "tool_call_shape"


def calls_of(part: Json) -> list[Any]:
    """The tool calls of a message, or their pieces in a delta; the older `function_call` is one."""
    calls = part.get("tool_calls")
    if isinstance(calls, list) and calls:
        return calls
    older = mapping(part.get("function_call")) if "function_call" in part else None
    return [{"index": 0, "type": "function", "function": older}] if older else []


def whole_calls(part: Json) -> tuple[list[Json], dict[str, str]]:
    """The calls of a whole message, arguments as text, and what is odd about them."""
    complete: list[Json] = []
    odd: dict[str, str] = {}
    for call in calls_of(part):
        function = mapping(mapping(call).get("function"))
        arguments = function.get("arguments")
        if arguments is not None and not isinstance(arguments, str):
            odd[FLAG] = _not_text(arguments)
            function = {**function, "arguments": _as_text(arguments)}
            call = {**mapping(call), "function": function}
        complete.append(call)
    return complete, odd


class Calls:
    """Assembles the pieces of a stream's tool calls."""

    def __init__(self) -> None:
        self.odd: dict[str, str] = {}
        self._calls: dict[int, dict[str, Any]] = {}
        self._last: list[int] = []  # the calls that the last delta went on with

    def add(self, pieces: Sequence[Any]) -> None:
        """Add the pieces of one delta."""
        slots: list[int] = []
        for place, piece in enumerate(map(mapping, pieces)):
            slot = self._slot(piece, place, slots, len(pieces))
            slots.append(slot)
            self._join(slot, piece)
        self._last = slots

    def collected(self) -> list[Json]:
        """The calls received so far, in order."""
        return [self._calls[slot] for slot in sorted(self._calls)]

    def _slot(self, piece: Json, place: int, slots_taken: list[int], of: int) -> int:
        """Which call a piece belongs to, an old one or a new one."""
        name, index = text(piece.get("id")), piece.get("index")
        if not isinstance(index, int) or isinstance(index, bool):
            index = None
        if name is not None:
            known = next((n for n, call in self._calls.items() if call.get("id") == name), None)
            if known is not None:
                return known
            if index is None or self._calls.get(index, {}).get("id", name) != name:
                return self._new()  # Google's endpoint numbers every call 0
            return index
        function = mapping(piece.get("function"))
        if index is not None and not (index in slots_taken and text(function.get("name"))):
            return index
        before = self._last[place] if of > 1 and place < len(self._last) == of else None
        if before is None and of == 1 and self._calls:
            before = self._last[-1] if self._last else max(self._calls)
        if before is not None and not self._begins(function, before):
            return before
        self.odd[FLAG] = "a tool call begins with neither an index of its own nor an id"
        return self._new()

    def _begins(self, function: Json, before: int) -> bool:
        """Whether a piece begins a new call: it has another name, or the previous call is
        complete.
        """
        name = text(function.get("name"))
        if name is None:
            return False
        known = self._calls[before]["function"]
        if name != known["name"]:
            return True
        try:
            return isinstance(json.loads(known["arguments"]), dict)
        except (ValueError, RecursionError):
            return False  # a name that every piece repeats

    def _new(self) -> int:
        return max(self._calls, default=-1) + 1

    def _join(self, slot: int, piece: Json) -> None:
        call = self._calls.setdefault(
            slot, {"type": "function", "function": {"name": "", "arguments": ""}}
        )
        if (name := text(piece.get("id"))) is not None:
            call["id"] = name
        function = call["function"]
        for key, value in mapping(piece.get("function")).items():
            if key == "arguments" and value is not None and not isinstance(value, str):
                self.odd[FLAG] = _not_text(value)
                function[key] = _as_text(value)  # an object is whole: a later one replaces it
            elif isinstance(value, str) and (key != "name" or value != function["name"]):
                function[key] = function.get(key, "") + value


def _as_text(arguments: object) -> str:
    return json.dumps(arguments, ensure_ascii=False)


def _not_text(arguments: object) -> str:
    kind = "an object" if isinstance(arguments, dict) else "no text"
    return f"the arguments of a tool call are {kind}: they were turned into JSON text"
