"""Tool calls: one tool, one question, and a judgement of the call that comes back."""

import json
from functools import lru_cache
from pathlib import Path
from typing import Any

from loadshapes.phase import Phase
from recording.errors import OperatorError
from recording.json_values import Json, mapping
from settings.options import Options
from tasks.prompts import Judgement, Request
from tasks.reply import Message

WEATHER: list[Json] = [
    {
        "type": "function",
        "function": {
            "name": "get_weather",
            "description": "Get the current weather of a city.",
            "parameters": {
                "type": "object",
                "properties": {"city": {"type": "string", "description": "The city's name."}},
                "required": ["city"],
                "additionalProperties": False,
            },
        },
    }
]
WEATHER_PROMPT = (
    'What is the weather in Shanghai now? Call get_weather with {"city": "Shanghai"}; '
    "do not answer directly."
)
WEATHER_EXPECT: Json = {"name": "get_weather", "arguments": {"city": "Shanghai"}}


class ToolCase:
    """The tools offered, the prompt, and what the call should be (None: only valid)."""

    def __init__(self, tools: list[Json], prompt: str, expect: Json | None) -> None:
        self.tools = tools
        self.prompt = prompt
        self.expect = expect
        self._schemas = {
            str(mapping(tool.get("function")).get("name")): mapping(
                mapping(tool.get("function")).get("parameters")
            )
            for tool in tools
        }

    def judge(self, message: Message) -> Judgement:
        """Judge the first tool call step by step; the check passes if every step does."""
        call = mapping(message.tool_calls[0]) if message.tool_calls else {}
        function = mapping(call.get("function"))
        name = function.get("name")
        verdict = {
            "tool_calls": bool(message.tool_calls),
            "function": isinstance(name, str)
            and name in self._schemas
            and (self.expect is None or name == self.expect.get("name")),
        }
        arguments, verdict["arguments_json"] = _parsed(function.get("arguments"))
        verdict["arguments_right"] = verdict["function"] and self._right(str(name), arguments)
        passed = all(verdict.values())
        return Judgement("pass" if passed else "fail", json.dumps(verdict))

    def _right(self, name: str, arguments: object) -> bool:
        if not isinstance(arguments, dict):
            return False
        import jsonschema

        if not jsonschema.Draft202012Validator(self._schemas[name]).is_valid(arguments):
            return False
        return self.expect is None or arguments == self.expect.get("arguments", arguments)


def _parsed(arguments: object) -> tuple[object, bool]:
    try:
        parsed = json.loads(arguments) if isinstance(arguments, str) else None
    except (ValueError, RecursionError):
        return None, False
    return parsed, isinstance(parsed, dict)


@lru_cache(maxsize=4)
def case(tools: str, prompt: str, expect: str) -> ToolCase:
    """The article's case, or the operator's files. Raises OperatorError if they cannot be used."""
    import jsonschema  # not above: it takes 0.15 s, and most runs do without

    if not tools:
        return ToolCase(WEATHER, prompt or WEATHER_PROMPT, _expected(expect) or WEATHER_EXPECT)
    offered = _load(tools)
    if not isinstance(offered, list) or not offered:
        raise OperatorError(f"--tools {tools} must hold a JSON list of tools in OpenAI's format.")
    for tool in offered:
        function = mapping(mapping(tool).get("function"))
        if not function.get("name"):
            raise OperatorError(
                f"--tools {tools}: a tool has no function with a name; give each one."
            )
        try:
            jsonschema.Draft202012Validator.check_schema(mapping(function.get("parameters")))
        except jsonschema.SchemaError as error:
            raise OperatorError(
                f"--tools {tools}: the parameters of {function['name']} are not a JSON schema "
                f"({error.message}): correct them."
            ) from None
    if not prompt:
        raise OperatorError("--tools needs --tools-prompt: say what the model should do with them.")
    return ToolCase(offered, prompt, _expected(expect))


def _expected(path: str) -> Json | None:
    expected = _load(path)
    if expected is not None and not isinstance(mapping(expected).get("name"), str):
        raise OperatorError(f'--tools-expect {path} must hold {{"name": ..., "arguments": ...}}.')
    return mapping(expected) or None


def _load(path: str) -> Any:
    if not path:
        return None
    try:
        return json.loads(Path(path).read_text(encoding="utf-8"))
    except (OSError, ValueError) as error:
        raise OperatorError(f"{path} cannot be read as JSON ({error}): mend the file.") from None


def tool_choice(options: Options) -> object:
    """OpenAI's `tool_choice`: auto, required, or the function of that name."""
    if options.tool_choice in ("auto", "required", "none"):
        return options.tool_choice
    return {"type": "function", "function": {"name": options.tool_choice}}


def build(phase: Phase, index: int, options: Options) -> Request:
    """The tools, the prompt and the judge."""
    chosen = case(options.tools, options.tools_prompt, options.tools_expect)
    return Request(
        chosen.prompt,
        extra={"tools": chosen.tools, "tool_choice": tool_choice(options)},
        judge=chosen.judge,
    )


BUILDERS = {"tools": build}
