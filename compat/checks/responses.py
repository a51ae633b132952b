"""The Responses API: plain replies, event order, tools, earlier responses, JSON."""

from collections.abc import Mapping, Sequence
from functools import partial
from typing import Any

from compat.bodies import call_tool_flat, reply_exactly
from compat.check import (
    RESPONSES,
    THINKING_TOKENS,
    Ask,
    Body,
    Bound,
    Check,
    Setting,
    bound_of,
)
from compat.checks.structured import SCHEMA, judge_text, valid
from compat.evidence import Evidence, answered, object_of, strict_json
from compat.sse import events
from compat.verdict import Finding, Settled, broken, every, ignored, unsure, works, wrong
from recording.bilingual import Bilingual
from recording.json_values import mapping, whole_number
from recording.untrusted_text import quoted

_NAMES = ("responses", "not found", "path", "url", "input")
_LOOK_UP = call_tool_flat("look_up")
_LAST = ("response.completed", "response.incomplete", "response.failed")


def _ask(setting: Setting, prompt: str, tokens: int, **fields: Any) -> Ask:
    cap = tokens + (THINKING_TOKENS if setting.reasons else 0)
    body: Body = {"model": setting.model, "input": prompt, "max_output_tokens": cap, **fields}
    return Ask(body, cap, path=RESPONSES)


def text_of_response(body: Mapping[str, Any]) -> str:
    """The text of all output messages."""
    contents = (item.get("content") for item in _items(body, "message"))
    parts = [part for content in contents if isinstance(content, list) for part in content]
    return "".join(str(mapping(p).get("text") or "") for p in parts)


def _items(body: Mapping[str, Any], kind: str) -> list[Mapping[str, Any]]:
    output = body.get("output")
    items = [mapping(item) for item in output] if isinstance(output, list) else []
    return [item for item in items if item.get("type") == kind]


def _fault(body: Mapping[str, Any]) -> str | None:
    """How a response deviates from OpenAI's schema, or None."""
    if not isinstance(body.get("id"), str) or not body["id"]:
        return "id is not a string"
    if body.get("object") != "response":
        return f"object is {quoted(body.get('object'), 40)}"
    if not isinstance(body.get("output"), list):
        return "output is not a list"
    usage = mapping(body.get("usage"))
    counts = [whole_number(usage.get(k)) for k in ("input_tokens", "output_tokens", "total_tokens")]
    if any(count is None for count in counts):
        return "usage lacks input_tokens, output_tokens or total_tokens"
    return None


def _says(word: str, body: Mapping[str, Any]) -> Finding:
    text = text_of_response(body)
    if word in text:
        return works()
    return unsure(f"the reply is not the one asked for: {quoted(text, 80)}")


def _judge_plain(setting: Setting, answers: Sequence[Evidence]) -> Finding:
    body = object_of(answers[0], _NAMES)
    fault = _fault(body)
    return wrong(fault) if fault else _says(setting.word("responses"), body)


def _event_bodies(evidence: Evidence) -> list[Mapping[str, Any]]:
    bodies = []
    for event in events(answered(evidence, _NAMES).pieces):
        if event.data.strip() == "[DONE]":
            continue
        try:
            bodies.append(mapping(strict_json(event.data.encode())))
        except ValueError:
            raise Settled(broken(f"an event without JSON: {quoted(event.data, 60)}")) from None
    return bodies


def _order_fault(bodies: Sequence[Mapping[str, Any]]) -> str | None:
    """What is wrong with the order of a response's events, or None.

    `response.created` comes first, one of completed, incomplete and failed last; `added` of an item
    or part comes before its deltas, and those before its `done`; sequence numbers, if any, rise.
    """
    kinds = [str(event.get("type")) for event in bodies]
    if kinds[0] != "response.created":
        return f"the first event is {quoted(kinds[0], 40)}"
    if kinds[-1] not in _LAST or sum(kind in _LAST for kind in kinds) != 1:
        return f"the last event is {quoted(kinds[-1], 40)}"
    order = ("response.output_item.added", "response.content_part.added",
             "response.output_text.delta", "response.output_text.done",
             "response.content_part.done", "response.output_item.done")  # fmt: skip
    last = _text_item(bodies)
    of_text = [e for e in bodies if e.get("output_index") == last or "output_index" not in e]
    places = [order.index(str(e.get("type"))) for e in of_text if e.get("type") in order]
    if places != sorted(places):
        return "added, delta and done are out of order"
    missing = [name for place, name in enumerate(order) if place not in places]
    if missing:
        return f"{missing[0]} is missing"
    numbers = [whole_number(event.get("sequence_number")) for event in bodies]
    known = [number for number in numbers if number is not None]
    if known != sorted(set(known)):
        return "sequence_number does not rise"
    return None


def _text_item(bodies: Sequence[Mapping[str, Any]]) -> object:
    """The output_index of the text."""
    return next(
        (e.get("output_index") for e in bodies if e.get("type") == "response.output_text.delta"),
        None,
    )


def _judge_stream(setting: Setting, answers: Sequence[Evidence]) -> Finding:
    evidence = answered(answers[0], _NAMES)
    if evidence.body.lstrip().startswith(b"{"):
        object_of(evidence, _NAMES)
        return ignored("stream=true was answered with one JSON body")
    bodies = _event_bodies(evidence)
    if not bodies:
        return wrong("a stream without any event")
    failed = next((e for e in bodies if e.get("type") in ("error", "response.failed")), None)
    if failed is not None:
        return broken(f"an error within the stream: {quoted(failed, 100)}")
    fault = _order_fault(bodies)
    if fault:
        return wrong(fault)
    deltas = [e for e in bodies if e.get("type") == "response.output_text.delta"]
    joined = "".join(str(e.get("delta") or "") for e in deltas)
    final = text_of_response(mapping(bodies[-1].get("response")))
    if final and joined != final:
        return wrong(f"the deltas say {quoted(joined, 40)}, the end says {quoted(final, 40)}")
    if setting.word("responses.stream") in joined:
        return works()
    return unsure(f"the reply is not the one asked for: {quoted(joined, 80)}")


def _tool_asks(setting: Setting) -> list[Ask]:
    prompt = reply_exactly(setting.word("responses.tool"))
    return [_ask(setting, prompt, 64, tools=[_LOOK_UP], tool_choice="required")]


def _judge_tool(setting: Setting, answers: Sequence[Evidence]) -> Finding:
    body = object_of(answers[0], (*_NAMES, "tool", "function"))
    calls = _items(body, "function_call")
    if not calls:
        if body.get("status") == "incomplete":
            return unsure("the budget ended the reply")
        return ignored(f"no call, but: {quoted(text_of_response(body), 80)}")
    call = calls[0]
    if call.get("name") != "look_up" or not call.get("call_id"):
        return wrong(
            f"name {quoted(call.get('name'), 40)}, call_id {quoted(call.get('call_id'), 40)}"
        )
    try:
        value = strict_json(str(call.get("arguments")).encode())
    except ValueError:
        return wrong(f"arguments that are not JSON: {quoted(call.get('arguments'), 60)}")
    fault = valid(value, _LOOK_UP["parameters"])
    if fault:
        return wrong(f"arguments violate the schema: {quoted(fault, 80)}")
    return works()


def _previous_asks(setting: Setting) -> list[Ask]:
    prompt = f"The code is {setting.word('responses.code')}. Reply exactly: noted"
    return [_ask(setting, prompt, 32, store=True)]


def _second(setting: Setting, identity: str) -> Ask:
    prompt = "What was the code? Answer only with the code."
    return _ask(setting, prompt, 32, previous_response_id=identity)


def _previous_then(setting: Setting, answers: Sequence[Evidence]) -> list[Ask]:
    try:
        identity = object_of(answers[0], _NAMES).get("id")
    except Settled:
        return []
    if len(answers) > 1 or not isinstance(identity, str) or not identity:
        return []
    return [_second(setting, identity)]


def _previous_bound(setting: Setting) -> Bound:
    """The second prompt also contains the first exchange."""
    first, second = _previous_asks(setting), _second(setting, "x")
    again = bound_of(first)
    return bound_of([second]).plus(Bound(0, again.tokens, 0))


def _judge_previous(setting: Setting, answers: Sequence[Evidence]) -> Finding:
    object_of(answers[0], _NAMES)
    if len(answers) < 2:
        return wrong("the first response has no id")
    body = object_of(answers[1], ("previous_response_id", "store"))
    text = text_of_response(body)
    if setting.word("responses.code") in text:
        return works()
    if body.get("status") == "incomplete":
        return unsure("the budget ended the reply")
    return ignored(f"the content of the earlier response is not known: {quoted(text, 80)}")


def _json_asks(setting: Setting) -> list[Ask]:
    answer_format = {"type": "json_schema", "name": "answer", "strict": True, "schema": SCHEMA}
    return [
        _ask(setting, f"Answer only: {setting.word('responses.json', place)}", 48,
             text={"format": answer_format})
        for place in range(3)
    ]  # fmt: skip


def _judge_json(setting: Setting, answers: Sequence[Evidence]) -> Finding:
    def judge(evidence: Evidence) -> Finding:
        body = object_of(evidence, (*_NAMES, "text", "format", "schema"))
        if body.get("status") == "incomplete":
            return unsure("the budget ended the reply")
        return judge_text(text_of_response(body).strip(), SCHEMA)

    return every([partial(judge, evidence) for evidence in answers])


def _check(name: str, title: Bilingual, feature: str, asks: Any, judge: Any, **more: Any) -> Check:
    needs = () if name == "responses.plain" else ("responses.plain",)
    return Check(name, "responses", title, feature, asks, judge, _NAMES, needs=needs,
                 surface="responses", **more)  # fmt: skip


CHECKS = (
    _check("responses.plain", Bilingual("plain response", "非流式应答"), "client.responses.create",
           lambda s: [_ask(s, reply_exactly(s.word("responses")), 32)], _judge_plain),
    _check(
        "responses.stream", Bilingual("order of events", "事件顺序"), "client.responses.stream",
        lambda s: [_ask(s, reply_exactly(s.word("responses.stream")), 32, stream=True)],
        _judge_stream,
        if_wrong=Bilingual("the SDK's stream helper raises, or never completes",
                           "SDK 的流式辅助方法会抛出异常或永不结束"),
    ),
    _check("responses.tool", Bilingual("tool call", "工具调用"), "tools of a response",
           _tool_asks, _judge_tool, guarantee=True),
    _check(
        "responses.previous", Bilingual("earlier response", "引用上次应答"), "previous_response_id",
        _previous_asks, _judge_previous, then=_previous_then, then_bound=_previous_bound,
        if_ignored=Bilingual("every turn starts from nothing: send the whole conversation yourself",
                             "每一轮都从头开始：须自行发送完整对话"),
    ),
    _check("responses.json", Bilingual("JSON by a schema", "按 schema 输出 JSON"), "text.format",
           _json_asks, _judge_json, guarantee=True),
)  # fmt: skip
