"""For each feature a request that cannot be answered correctly without it."""

import base64
import json
import zlib
from typing import Any

from tests.simulator.test_replies import picture

N, M = "KORVAL-4821", "TASSEL-5307"
CHAT, REASONER = "sim-chat", "sim-reasoner"
Body = dict[str, Any]


def ask(*messages: object, **fields: Any) -> Body:
    """A body of user prompts, or of whole messages."""
    turns = [m if isinstance(m, dict) else {"role": "user", "content": m} for m in messages]
    return {"model": CHAT, "messages": turns, **fields}


def say(role: str, content: object, **fields: object) -> dict[str, object]:
    return {"role": role, "content": content, **fields}


def function(name: str = "get_weather", strict: bool = False, **properties: Any) -> Body:
    parameters = {
        "type": "object", "properties": properties, "required": [*properties],
        "additionalProperties": False,
    }  # fmt: skip
    definition = {"name": name, "parameters": parameters} | ({"strict": True} if strict else {})
    return {"type": "function", "function": definition}


def pdf(text: str) -> str:
    """A one-page PDF with the text, compressed, as a data URL."""
    page = zlib.compress(f"BT /F1 24 Tf 72 720 Td ({text}) Tj ET".encode())
    body = b"%PDF-1.4\n4 0 obj\n<</Filter/FlateDecode>>\nstream\n" + page + b"\nendstream\nendobj\n"
    return "data:application/pdf;base64," + base64.b64encode(body).decode()


def json_schema(schema: Body) -> Body:
    return {"type": "json_schema", "json_schema": {"name": "s", "strict": True, "schema": schema}}


CITY = {"type": "string"}
WEATHER = function(city=CITY)
CALL = 'Call get_weather with {"city": "Paris"}.'
CALLS = 'Call get_weather with {"city": "Paris"} and get_weather with {"city": "Rome"}.'
WORD = f"Reply exactly: {N}"
SCHEMA: Body = {
    "type": "object", "properties": {"answer": {"type": "integer", "minimum": 3}},
    "required": ["answer"], "additionalProperties": False,
}  # fmt: skip
DEEP: Body = {
    "type": "object", "required": ["items", "unit"], "additionalProperties": False,
    "$defs": {"item": {"type": "object", "properties": {"n": {"type": "integer"}},
                       "required": ["n"], "additionalProperties": False}},
    "properties": {
        "items": {"type": "array", "items": {"$ref": "#/$defs/item"}, "minItems": 2},
        "unit": {"anyOf": [{"enum": [f"u{i}" for i in range(40)]}, {"type": "null"}]},
    },
}  # fmt: skip
USAGE: Body = {"stream": True, "stream_options": {"include_usage": True}}
RESULT = (
    CALL,
    say("assistant", None, tool_calls=[{"id": "call_1", "type": "function", "function": {
        "name": "get_weather", "arguments": '{"city": "Paris"}'}}]),
    say("tool", f"code {N}", tool_call_id="call_1"),
)  # fmt: skip
MANY = [function(f"tool_{i}", value={"type": "integer"}) for i in range(64)]


def named(name: str) -> Body:
    return {"type": "function", "function": {"name": name}}


CASES: dict[str, Body] = {
    "chat.plain": ask(WORD, max_tokens=24),
    "chat.stream": ask(WORD, stream=True),
    "stream.usage": ask(WORD, **USAGE),
    "stream.increments": ask("Write 60 tokens", **USAGE),
    "role.system": ask(say("system", f"Append {N} to every answer."), "What is a cart?"),
    "role.developer": ask(say("developer", f"Append {N} to every answer."), "What is a cart?"),
    "turns": ask(
        f"The code is {N}. Reply exactly: noted", say("assistant", "noted"),
        "What was the code? Answer only with the code.",
    ),
    "parts.text": ask(say("user", [
        {"type": "text", "text": f"The first code is {N}. Reply with both codes."},
        {"type": "text", "text": f"The second code is {M}."},
    ])),
    "unicode": ask("Reply exactly: 你好 👩‍👩‍👧 مرحبا é", stream=True, max_tokens=48),
    "max_tokens": ask("Tell me a long story", max_tokens=8),
    "max_completion_tokens": ask("Tell me a long story", max_completion_tokens=8),
    "stop": ask(f"Reply exactly: alpha {N} beta", stop=[N]),
    "n": ask(WORD, n=3),
    "seed": ask("Tell me a story", temperature=1, seed=5, max_tokens=24),
    "temperature": ask("Name an animal", temperature=0, max_tokens=24),
    "top_p": ask("Name an animal", temperature=1, top_p=0.01, max_tokens=24),
    "logit_bias": ask("Name an animal", logit_bias={"32": 100}, max_tokens=8),
    "logprobs": ask(WORD, logprobs=True, top_logprobs=5),
    "json.object": ask("What is a cart? In words; JSON is allowed.",
                       response_format={"type": "json_object"}),
    "json.schema": ask(f"Answer only: {N}", response_format=json_schema(SCHEMA)),
    "json.schema.deep": ask(f"Answer only: {N}", response_format=json_schema(DEEP)),
    "json.schema.stream": ask(f"Answer only: {N}", response_format=json_schema(SCHEMA),
                              stream=True),
    "tool.auto": ask(CALL, tools=[WEATHER]),
    "tool.none": ask(CALL, tools=[WEATHER], tool_choice="none"),
    "tool.required": ask(WORD, tools=[WEATHER], tool_choice="required"),
    "tool.named": ask(CALL, tools=[WEATHER, function("get_time", zone=CITY)],
                      tool_choice=named("get_time")),
    "tool.parallel": ask(CALLS, tools=[WEATHER]),
    "tool.parallel.stream": ask(CALLS, tools=[WEATHER], stream=True),
    "tool.parallel.off": ask(CALLS, tools=[WEATHER], parallel_tool_calls=False),
    "tool.loop": ask(*RESULT, tools=[WEATHER]),
    "tool.strict": ask('Call set_unit with {"unit": "kelvin"}.',
                       tools=[function("set_unit", True, unit={"enum": ["c", "f"]})]),
    "tool.noargs": ask("Call ping.", tools=[function("ping")]),
    "tool.many": ask("Call tool_41.", tools=MANY),
    "reasoning.effort": ask(WORD, model=REASONER, reasoning_effort="high"),
    "reasoning.apart": ask("Why does a cart stop?", model=REASONER, max_completion_tokens=400),
    "image.data": ask(say("user", [
        {"type": "text", "text": "Which number is drawn?"},
        {"type": "image_url", "image_url": {"url": picture(N, "tEXt")}},
    ])),
    "file.pdf": ask(say("user", [
        {"type": "text", "text": "Which code is in the file?"},
        {"type": "file", "file": {"filename": "a.pdf", "file_data": pdf(f"code {N}")}},
    ])),
    "cache.prompt": ask("word " * 2100 + "\n" + WORD),
    "cache.key": ask(f"Answer only: {M}", response_format=json_schema(SCHEMA)),
    "fields.accepted": ask(WORD, user="u", safety_identifier="s", prompt_cache_key="k",
                           service_tier="flex", store=False, verbosity="low"),
    "error.model": ask(WORD, model="sim-nobody"),
    "error.field": ask(WORD, wb_no_such_field=1),
    "error.value": ask(WORD, temperature=5),
    "error.context": ask("word " * 16400),
    "cancel": ask("Write 200 tokens", stream=True),
}  # fmt: skip
RESPONSES: dict[str, Body] = {
    "responses.plain": {"input": WORD},
    "responses.stream": {"input": WORD, "stream": True},
    "responses.tool": {"input": CALL, "tools": [
        {"type": "function", "name": "get_weather",
         "parameters": {"type": "object", "properties": {"city": CITY}, "required": ["city"]}}]},
    "responses.previous": {"input": "What is the code?", "previous_response_id": "?"},
    "responses.json": {"input": WORD, "text": {
        "format": {"type": "json_schema", "name": "s", "schema": SCHEMA}}},
}  # fmt: skip
EMBEDDINGS: dict[str, Body] = {
    "embeddings.plain": {"input": "cart"},
    "embeddings.base64": {"input": "cart", "encoding_format": "base64"},
    "embeddings.dimensions": {"input": "cart", "dimensions": 64},
    "embeddings.batch": {"input": ["cart", "scale"]},
}
UNSENT = {"models.list", "error.key"}  # no chat request is about these


def fresh(name: str) -> Body:
    """A copy of a case, so that changes to it do not persist."""
    copied: Body = json.loads(json.dumps(CASES[name]))
    return copied
