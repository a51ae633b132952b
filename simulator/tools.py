"""Tool calls: which tool a model calls, and with what arguments."""

import json
import re
from dataclasses import dataclass

from simulator import schema, wording
from simulator.question import Question


@dataclass(frozen=True, slots=True)
class ToolCall:
    """A call of the function `name`; `arguments` is JSON, possibly cut off by the budget."""

    id: str
    name: str
    arguments: str


def call(question: Question, identity: str) -> ToolCall | None:
    """The call a model makes on this question; None where it answers in words.

    With tool_choice `auto` (or none given) it calls, unless the prompt dictates the reply or the
    conversation's last message is a tool's result.
    """
    choice = question.tool_choice or "auto"
    if not question.tools or choice == "none":
        return None
    if choice == "auto" and (
        question.messages[-1]["role"] == "tool" or wording.dictated(question.prompt) is not None
    ):
        return None
    functions = {tool["function"]["name"]: tool["function"] for tool in question.tools}
    name = choice if choice in functions else _fitting(functions, question.prompt)
    parameters = functions[name].get("parameters") or {}
    arguments = schema.instance(parameters, _without(name, question.prompt)) if parameters else {}
    text = json.dumps(arguments, ensure_ascii=False, separators=(",", ":"))
    return ToolCall(f"call_{identity}", name, text)


def _fitting(functions: dict[str, dict[str, object]], prompt: str) -> str:
    """The function named in the prompt, else the one sharing most words with it."""
    for name in functions:
        if re.search(rf"(?<!\w){re.escape(name)}(?!\w)", prompt):
            return name
    said = set(re.findall(r"[a-z]{3,}", prompt.lower()))

    def shared(name: str) -> int:
        words = f"{name.replace('_', ' ')} {functions[name].get('description') or ''}"
        return len(said & set(re.findall(r"[a-z]{3,}", words.lower())))

    return max(functions, key=shared)


def _without(name: str, prompt: str) -> str:
    """The prompt without the tool's own name, which is not an argument."""
    return re.sub(rf"[\"'`]?(?<!\w){re.escape(name)}(?!\w)[\"'`]?(?:\([\w, ]*\))?", "it", prompt)
