"""Bodies of chat requests, and the words in which all checks ask. Pure."""

from collections.abc import Sequence
from typing import Any

from compat.check import THINKING_TOKENS, Ask, Body, Setting

STREAM: Body = {"stream": True, "stream_options": {"include_usage": True}}


def say(role: str, content: object, **fields: object) -> Body:
    """One message."""
    return {"role": role, "content": content, **fields}


def chat(
    setting: Setting, said: str | Sequence[Body], output_tokens: int, *,
    media_tokens: int = 0, choices: int = 1, **fields: Any,
) -> Ask:  # fmt: skip
    """A chat request whose reply has at most `output_tokens`, thinking not counted.

    Where a field of `fields` is the budget itself, no other is added.
    """
    messages = [say("user", said)] if isinstance(said, str) else list(said)
    cap = output_tokens + (THINKING_TOKENS if setting.reasons else 0)
    body: Body = {"model": setting.model, "messages": messages, **fields}
    if not {"max_tokens", "max_completion_tokens"} & fields.keys():
        body[setting.tokens_field] = cap
    else:
        cap = output_tokens
    return Ask(body, cap * choices, media_tokens=media_tokens)


def reply_exactly(word: str) -> str:
    return f"Reply exactly: {word}"


def function(name: str, properties: Body, strict: bool = False, about: str = "") -> Body:
    """A tool: a function whose properties are all required."""
    made: Body = {
        "name": name,
        "description": about or name.replace("_", " "),
        "parameters": {
            "type": "object", "properties": properties, "required": [*properties],
            "additionalProperties": False,
        },
    }  # fmt: skip
    return {"type": "function", "function": made | ({"strict": True} if strict else {})}


def named(name: str) -> Body:
    """A tool_choice that names a function."""
    return {"type": "function", "function": {"name": name}}


def json_schema(schema: Body, name: str = "answer") -> Body:
    """A strict response_format."""
    return {
        "type": "json_schema", "json_schema": {"name": name, "strict": True, "schema": schema},
    }  # fmt: skip


def call_tool_flat(name: str) -> Body:
    """A function as the Responses API wants it: its fields at the top."""
    made = function(name, {"key": {"type": "string"}})["function"]
    return {"type": "function", **made, "strict": False}
