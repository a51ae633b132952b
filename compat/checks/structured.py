"""Structured output: JSON objects and JSON by a schema, although the prompt asks for text."""

import json
from collections.abc import Sequence
from functools import partial
from typing import Any

import jsonschema

from compat.bodies import chat, json_schema
from compat.check import Ask, Body, Check, Setting
from compat.evidence import Evidence, strict_json
from compat.reply import reply
from compat.verdict import Finding, every, ignored, unsure, works, wrong
from recording.bilingual import Bilingual
from recording.untrusted_text import quoted

_NAMES = ("response_format", "json", "schema")
SCHEMA: Body = {
    "type": "object",
    "properties": {"weighed": {"type": "boolean"}, "count": {"type": "integer"}},
    "required": ["weighed", "count"], "additionalProperties": False,
}  # fmt: skip
DEEP: Body = {
    "type": "object",
    "properties": {
        "carts": {"type": "array", "items": {"$ref": "#/$defs/cart"}},
        "unit": {"type": "string", "enum": [f"unit_{place:02}" for place in range(40)]},
        "note": {"anyOf": [{"type": "string"}, {"type": "null"}]},
    },
    "required": ["carts", "unit", "note"], "additionalProperties": False,
    "$defs": {"cart": {
        "type": "object",
        "properties": {"wheels": {"type": "integer"},
                       "loads": {"type": "array", "items": {"type": "number"}}},
        "required": ["wheels", "loads"], "additionalProperties": False,
    }},
}  # fmt: skip


MISFIT = "violates the schema"
"""Begins the fact of an object that does not fit its schema."""


def valid(value: Any, schema: Body) -> str | None:
    """How a value violates a schema, or None."""
    error = next(jsonschema.Draft202012Validator(schema).iter_errors(value), None)
    return None if error is None else error.message


def judge_json(evidence: Evidence, schema: Body | None, names: Sequence[str]) -> Finding:
    """Whether a reply's whole text is an object (and fits the schema)."""
    answer = reply(evidence, names)
    content, choice = answer.only.content.strip(), answer.only
    if answer.spent_on_thinking or choice.finish == "length":
        return unsure("the budget ended the reply")
    if choice.refusal or choice.finish == "content_filter":
        return unsure(f"the model declined: {quoted(choice.refusal or choice.finish, 80)}")
    return judge_text(content, schema)


def judge_text(content: str, schema: Body | None) -> Finding:
    """Whether a text, unchanged, is an object (and fits the schema)."""
    try:
        value = strict_json(content.encode())
    except ValueError:
        if _object_within(content):
            return wrong(f"text around the JSON: {quoted(content, 100)}")
        return ignored(f"no JSON: {quoted(content, 100)}")
    if not isinstance(value, dict):
        return ignored(f"JSON, but not an object: {quoted(content, 100)}")
    fault = valid(value, schema) if schema else None
    return wrong(f"{MISFIT}: {quoted(fault, 100)}") if fault else works()


def _object_within(content: str) -> bool:
    """Whether an object is inside a code fence or other text."""
    start, end = content.find("{"), content.rfind("}")
    try:
        return isinstance(json.loads(content[start : end + 1]), dict) if start >= 0 else False
    except (ValueError, RecursionError):
        return False


def _object_asks(setting: Setting) -> list[Ask]:
    prompt = f"{setting.word('object')}: what is a cart? Say it in words; JSON is allowed."
    return [chat(setting, prompt, 80, response_format={"type": "json_object"})]


def _schema_asks(name: str, schema: Body, count: int, tokens: int, setting: Setting,
                 stream: bool = False) -> list[Ask]:  # fmt: skip
    fields: Body = {"stream": True} if stream else {}
    return [
        chat(setting, f"Answer only: {setting.word(name, place)}", tokens,
             response_format=json_schema(schema), **fields)
        for place in range(count)
    ]  # fmt: skip


def _judge_schema(schema: Body | None, setting: Setting, answers: Sequence[Evidence]) -> Finding:
    return every([partial(judge_json, evidence, schema, _NAMES) for evidence in answers])


_PARSE = Bilingual("client.chat.completions.parse raises on text that is not JSON",
                   "client.chat.completions.parse 会因文本不是 JSON 而抛出异常")  # fmt: skip
_LOOSE = Bilingual("json.loads or your model class raises on some replies",
                   "json.loads 或模型类会在部分应答上抛出异常")  # fmt: skip


def _check(name: str, title: Bilingual, asks: Any, schema: Body | None, **more: Any) -> Check:
    return Check(name, "structured", title, "response_format", asks,
                 partial(_judge_schema, schema), _NAMES, guarantee=True,
                 if_ignored=_PARSE, if_wrong=_LOOSE, **more)  # fmt: skip


CHECKS = (
    _check("json.object", Bilingual("JSON object", "JSON 对象"), _object_asks, None),
    _check("json.schema", Bilingual("JSON by a schema", "按 schema 输出 JSON"),
           partial(_schema_asks, "schema", SCHEMA, 3, 48), SCHEMA),
    _check("json.schema.deep", Bilingual("deep schema", "深层 schema"),
           partial(_schema_asks, "deep", DEEP, 2, 140), DEEP),
    _check("json.schema.stream", Bilingual("JSON by a schema, streamed", "按 schema 流式输出 JSON"),
           partial(_schema_asks, "schema.stream", SCHEMA, 1, 48, stream=True), SCHEMA,
           needs=("chat.plain", "chat.stream")),
)  # fmt: skip
