"""Tool calls: which tools a model calls, and with what arguments.

A prompt dictates calls as it dictates replies: `Call get_weather with {"city": "Paris"}`, and
`... and get_weather with {"city": "Rome"}` for a second one. Arguments that no prompt dictates are
filled from the tool's schema (`simulator.schema`).
"""

import json
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from simulator import dictation, schema
from simulator.chat_request import ChatRequest

_DICTATED = re.compile(r"(?:([\w.-]+)[`\"']?\s+)?\bwith\s+(?=\{)")
_DECODER = json.JSONDecoder()


@dataclass(frozen=True, slots=True)
class ToolCall:
    """A call of the function `name`; `arguments` is JSON, possibly cut off by the budget."""

    id: str
    name: str
    arguments: str


def calls(request: ChatRequest, identity: str) -> list[ToolCall]:
    """The calls a model makes on this request; none where it answers in words.

    With tool_choice `auto` (or none given) it calls, unless the prompt dictates the reply or the
    conversation's last message is a tool's result.
    """
    choice = request.tool_choice or "auto"
    if not request.tools or choice == "none":
        return []
    if choice == "auto" and (
        request.messages[-1]["role"] == "tool" or dictation.dictated(request.prompt) is not None
    ):
        return []
    functions = {tool["function"]["name"]: tool["function"] for tool in request.tools}
    wanted = dictated(request.prompt, functions)
    if choice in functions:
        wanted = [call for call in wanted if call[0] == choice] or [(choice, None)]
    if not wanted:
        wanted = [(_named(functions, request.prompt), None)]
    if not request.parallel_tool_calls:
        wanted = wanted[:1]
    return [
        ToolCall(
            f"call_{identity}" + (f"_{number}" if number else ""),
            name,
            json.dumps(
                _arguments(functions[name], told), ensure_ascii=False, separators=(",", ":")
            ),
        )
        for number, (name, told) in enumerate(wanted)
    ]


def dictated(prompt: str, functions: Mapping[str, Any]) -> list[tuple[str, dict[str, Any] | None]]:
    """The calls that a prompt dictates: names of offered functions and their arguments, in order.

    Where the word before `with` names no function, the last one named is meant, and at first the
    one that the prompt names anywhere.
    """
    found: list[tuple[str, dict[str, Any] | None]] = []
    name = ""
    for match in _DICTATED.finditer(prompt):
        try:
            arguments, _ = _DECODER.raw_decode(prompt, match.end())
        except (ValueError, RecursionError):
            continue
        name = match[1] if match[1] in functions else name or _named(functions, prompt)
        found.append((name, arguments))
    return found


def _arguments(function: Mapping[str, Any], told: dict[str, Any] | None) -> Any:
    """What the prompt dictates; a strict function's schema comes first where they differ."""
    parameters = function.get("parameters") or {}
    if told is not None and not (function.get("strict") and not schema.fits(parameters, told)):
        return told
    return schema.instance(parameters) if parameters else {}


def _named(functions: Mapping[str, Any], prompt: str) -> str:
    """The function that the prompt names, else the first."""
    names: Sequence[str] = [*functions]
    for name in names:
        if re.search(rf"(?<!\w){re.escape(name)}(?!\w)", prompt):
            return name
    return names[0]
