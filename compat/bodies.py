"""Bodies of chat requests, and the wording that all checks share. Pure."""

from collections.abc import Sequence
from typing import Any

from compat.check import THINKING_TOKENS, Ask, Body, Setting

STREAM: Body = {"stream": True, "stream_options": {"include_usage": True}}


def say(role: str, content: object, **fields: object) -> Body:
    """One message."""
    return {"role": role, "content": content, **fields}


def chat(
    setting: Setting, prompt: str | Sequence[Body], output_tokens: int, *,
    media_tokens: int = 0, choices: int = 1, **fields: Any,
) -> Ask:  # fmt: skip
    """A chat request whose reply has at most `output_tokens`, not counting reasoning tokens.

    If `fields` sets the token budget itself, no other budget is added.
    """
    messages = [say("user", prompt)] if isinstance(prompt, str) else list(prompt)
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
    definition: Body = {
        "name": name,
        "description": about or name.replace("_", " "),
        "parameters": {
            "type": "object", "properties": properties, "required": [*properties],
            "additionalProperties": False,
        },
    }  # fmt: skip
    return {"type": "function", "function": definition | ({"strict": True} if strict else {})}


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
    definition = function(name, {"key": {"type": "string"}})["function"]
    return {"type": "function", **definition, "strict": False}
