"""How a feature goes wrong: one mutation each, of the request, the answer or the bytes sent."""

import json
from collections.abc import Callable, Iterator
from dataclasses import replace
from typing import Any

from simulator import dictation, tokens
from simulator.answer import Answer
from simulator.chat_request import EFFORTS, ChatRequest
from simulator.choice import Choice

Data = dict[str, Any]
Bodies = list[dict[str, Any]]  # one body, or the chunks of a stream


# ---- of the request


def one_seed(data: Data) -> None:
    """Every seed gives what seed 0 gives."""
    data["seed"] = 0


def temperature_swapped(data: Data) -> None:
    """Greedy if a high temperature is asked for, and random if a low one is."""
    data["temperature"] = 1.3 if data["temperature"] < 1 else 0


def last_part_lost(data: Data) -> None:
    """The last text part is lost."""
    for message in data["messages"]:
        if isinstance(message.get("content"), list):
            del message["content"][-1]


def result_lost(data: Data) -> None:
    """The tool's result is accepted, but not read."""
    for message in data["messages"]:
        if message.get("role") == "tool":
            message["content"] = ""


def effort_reversed(data: Data) -> None:
    """The least effort reasons longest."""
    if data["reasoning_effort"] in EFFORTS:
        data["reasoning_effort"] = EFFORTS[-1 - EFFORTS.index(data["reasoning_effort"])]


def other_tier(data: Data) -> None:
    """Another service tier is used, as the reply says."""
    data["service_tier"] = "priority"


REQUEST: dict[str, Callable[[Data], None]] = {
    "seed": one_seed,
    "temperature": temperature_swapped,
    "parts.text": last_part_lost,
    "tool.loop": result_lost,
    "reasoning.effort": effort_reversed,
    "fields.accepted": other_tier,
}


# ---- of the answer


def stop_at_the_cap(answer: Answer, request: ChatRequest) -> None:
    """A reply that the budget cut off says that it ended by itself (`stop`)."""
    for choice in answer.choices:
        choice.finish_reason = "stop"


def stop_text_left_in(answer: Answer, request: ChatRequest) -> None:
    """The text ends with the stop string."""
    dictated_text = dictation.reply(request) or ""
    match = next((stop for stop in request.stop if stop in dictated_text), "")
    for choice in answer.choices:
        _say(choice, f"{choice.content}{match}")


def one_choice_lost(answer: Answer, request: ChatRequest) -> None:
    """One choice fewer than asked for."""
    if len(answer.choices) > 1:
        answer.choices = answer.choices[:-1]


def fenced(answer: Answer, request: ChatRequest) -> None:
    """JSON inside a Markdown fence."""
    for choice in answer.choices:
        _say(choice, f"```json\n{choice.content}\n```")


def first_key_lost(answer: Answer, request: ChatRequest) -> None:
    """JSON without its first key."""
    for choice in answer.choices:
        value = json.loads(choice.content or "{}")
        if isinstance(value, dict) and value:
            del value[next(iter(value))]
        _say(choice, json.dumps(value, ensure_ascii=False, separators=(",", ":")))


def finish_is_stop(answer: Answer, request: ChatRequest) -> None:
    """Tools are called, but the reply says that it ended by itself (`stop`)."""
    for choice in answer.choices:
        choice.finish_reason = "stop"


def finish_without_call(answer: Answer, request: ChatRequest) -> None:
    """No tool is called, but the reply says that one is."""
    for choice in answer.choices:
        choice.finish_reason = "tool_calls"


def arguments_cut(answer: Answer, request: ChatRequest) -> None:
    """The arguments lack their last character."""
    _calls(answer, lambda text: text[:-1])


def one_id(answer: Answer, request: ChatRequest) -> None:
    """All calls have the first one's id."""
    for choice in answer.choices:
        if choice.tool_calls:
            first = choice.tool_calls[0].id
            choice.tool_calls = [replace(call, id=first) for call in choice.tool_calls]


def two_calls_in_one(answer: Answer, request: ChatRequest) -> None:
    """One call has the arguments of two, one after the other."""
    _calls(answer, lambda text: text + text)


def encoded_twice(answer: Answer, request: ChatRequest) -> None:
    """The arguments are a JSON string that holds JSON."""
    _calls(answer, json.dumps)


def arguments_empty(answer: Answer, request: ChatRequest) -> None:
    """The arguments are an empty string."""
    _calls(answer, lambda text: "")


def other_function(answer: Answer, request: ChatRequest) -> None:
    """Another of the offered functions is called."""
    names = [tool["function"]["name"] for tool in request.tools]
    for choice in answer.choices:
        choice.tool_calls = [
            replace(call, name=next(name for name in names if name != call.name))
            for call in choice.tool_calls
        ]


def thoughts_in_content(answer: Answer, request: ChatRequest) -> None:
    """The reasoning is in the content, inside `<think>`."""
    for choice in answer.choices:
        if choice.reasoning is not None and choice.content is not None:
            _say(choice, f"<think>{choice.reasoning}</think>{choice.content}")
            choice.reasoning, choice.reasoning_ids = None, ()


def thoughts_hidden(answer: Answer) -> None:
    """The reasoning is counted, but its text is not returned."""
    for choice in answer.choices:
        choice.reasoning = None


def unread(answer: Answer, request: ChatRequest) -> None:
    """The image or file is counted, but something else is read."""
    for choice in answer.choices:
        _say(choice, "It shows a cart on a weighbridge.")


def more_cached_than_sent(answer: Answer, request: ChatRequest) -> None:
    """More tokens are stated as cached than the prompt has."""
    if answer.cached_tokens:
        answer.cached_tokens = answer.prompt_tokens + 128


ANSWER: dict[str, Callable[[Answer, ChatRequest], None]] = {
    "max_tokens": stop_at_the_cap,
    "max_completion_tokens": stop_at_the_cap,
    "stop": stop_text_left_in,
    "n": one_choice_lost,
    "json.object": fenced,
    "json.schema": fenced,
    "json.schema.deep": first_key_lost,
    "json.schema.stream": fenced,
    "tool.auto": finish_is_stop,
    "tool.none": finish_without_call,
    "tool.required": arguments_cut,
    "tool.parallel": one_id,
    "tool.parallel.off": two_calls_in_one,
    "tool.strict": encoded_twice,
    "tool.noargs": arguments_empty,
    "tool.many": other_function,
    "reasoning.apart": thoughts_in_content,
    "image.data": unread,
    "file.pdf": unread,
    "cache.prompt": more_cached_than_sent,
    "responses.tool": arguments_cut,
    "responses.json": first_key_lost,
}


# ---- of what is sent


def sum_is_off(bodies: Bodies, stream: bool) -> None:
    """`total_tokens` is 7 more than its parts."""
    for body in bodies:
        if body.get("usage"):
            body["usage"]["total_tokens"] += 7


def no_total(bodies: Bodies, stream: bool) -> None:
    """The usage lacks its total."""
    for body in bodies:
        if body.get("usage"):
            del body["usage"]["total_tokens"]


def two_finishes(bodies: Bodies, stream: bool) -> None:
    """A second chunk with a finish reason follows the first."""
    last = max(
        i for i, body in enumerate(bodies) if any(_finish(c) for c in body.get("choices", ()))
    )
    bodies.insert(last + 1, json.loads(json.dumps(bodies[last])))


def usage_is_nothing(bodies: Bodies, stream: bool) -> None:
    """All counts of a stream's usage are 0."""
    for body in bodies:
        if body.get("usage"):
            body["usage"] |= {"prompt_tokens": 0, "completion_tokens": 0, "total_tokens": 0}


def replacement_characters(bodies: Bodies, stream: bool) -> None:
    """In a stream, a character cut at the border of two chunks becomes two U+FFFD."""
    for part in _parts(bodies) if stream else ():
        text = part.get("content") or ""
        if not text.isascii():
            part["content"] = "\ufffd\ufffd"
            return


def no_top_logprobs(bodies: Bodies, stream: bool) -> None:
    """`top_logprobs` is null."""
    for body in bodies:
        for choice in body.get("choices", ()):
            for entry in (choice.get("logprobs") or {}).get("content") or ():
                entry["top_logprobs"] = None


def finish_differs(bodies: Bodies, stream: bool) -> None:
    """A stream finishes with `stop` where the plain reply has `tool_calls`."""
    for body in bodies if stream else ():
        for choice in body.get("choices", ()):
            if _finish(choice):
                choice["finish_reason"] = "stop"


def one_index(bodies: Bodies, stream: bool) -> None:
    """All calls of a stream have index 0."""
    for part in _parts(bodies):
        for call in part.get("tool_calls") or ():
            call["index"] = 0


def part_added_late(bodies: Bodies, stream: bool) -> None:
    """`response.content_part.added` comes after the deltas of that part."""
    kinds = [body.get("type") for body in bodies]
    if "response.content_part.added" in kinds:
        added = bodies.pop(kinds.index("response.content_part.added"))
        bodies.insert(kinds.index("response.output_text.done") - 1, added)
    for number, body in enumerate(bodies):
        body["sequence_number"] = number


BODY: dict[str, Callable[[Bodies, bool], None]] = {
    "chat.plain": sum_is_off,
    "chat.stream": two_finishes,
    "stream.usage": usage_is_nothing,
    "unicode": replacement_characters,
    "logprobs": no_top_logprobs,
    "tool.named": finish_differs,
    "tool.parallel.stream": one_index,
    "responses.plain": no_total,
    "responses.stream": part_added_late,
}


def _say(choice: Choice, text: str) -> None:
    choice.content, choice.content_ids = text, tokens.encode(text)


def _calls(answer: Answer, change: Callable[[str], str]) -> None:
    for choice in answer.choices:
        choice.tool_calls = [replace(c, arguments=change(c.arguments)) for c in choice.tool_calls]


def _parts(bodies: Bodies) -> Iterator[dict[str, Any]]:
    for body in bodies:
        for choice in body.get("choices", ()):
            yield choice["delta"] if "delta" in choice else choice["message"]


def _finish(choice: dict[str, Any]) -> Any:
    return choice.get("finish_reason")
