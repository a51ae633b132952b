"""Tool calls: which tools a model calls, and with what arguments.

A prompt dictates calls just as it dictates replies: `Call get_weather with {"city": "Paris"}`, and
`... and get_weather with {"city": "Rome"}` for a second one. Arguments that are not dictated are
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
    """The calls that a model makes for this request; none if it answers in words.

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
    wanted_calls = dictated(request.prompt, functions)
    if choice in functions:
        wanted_calls = [call for call in wanted_calls if call[0] == choice] or [(choice, None)]
    if not wanted_calls:
        wanted_calls = [(_named(functions, request.prompt), None)]
    if not request.parallel_tool_calls:
        wanted_calls = wanted_calls[:1]
    return [
        ToolCall(
            f"call_{identity}" + (f"_{number}" if number else ""),
            name,
            json.dumps(
                _arguments(functions[name], arguments), ensure_ascii=False, separators=(",", ":")
            ),
        )
        for number, (name, arguments) in enumerate(wanted_calls)
    ]


def dictated(prompt: str, functions: Mapping[str, Any]) -> list[tuple[str, dict[str, Any] | None]]:
    """The calls that a prompt dictates: names of offered functions and their arguments, in order.

    If the word before `with` is not a function's name, the last function named before it is meant,
    or at first the one that the prompt names anywhere.
    """
    wanted_calls: list[tuple[str, dict[str, Any] | None]] = []
    name = ""
    for match in _DICTATED.finditer(prompt):
        try:
            arguments, _ = _DECODER.raw_decode(prompt, match.end())
        except (ValueError, RecursionError):
            continue
        name = match[1] if match[1] in functions else name or _named(functions, prompt)
        wanted_calls.append((name, arguments))
    return wanted_calls


def _arguments(function: Mapping[str, Any], dictated: dict[str, Any] | None) -> Any:
    """The dictated arguments; a strict function's schema takes precedence."""
    parameters = function.get("parameters") or {}
    if dictated is not None and not (
        function.get("strict") and not schema.fits(parameters, dictated)
    ):
        return dictated
    return schema.instance(parameters) if parameters else {}


def _named(functions: Mapping[str, Any], prompt: str) -> str:
    """The function that the prompt names, otherwise the first."""
    names: Sequence[str] = [*functions]
    for name in names:
        if re.search(rf"(?<!\w){re.escape(name)}(?!\w)", prompt):
            return name
    return names[0]
