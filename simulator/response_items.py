"""The output items of /responses, and the events that stream them."""

from collections.abc import Iterator
from typing import Any

from simulator import replies, tokens
from simulator.choice import Choice
from simulator.dialects import Stamp, encode


def sse(body: dict[str, Any]) -> bytes:
    """One server-sent event, named by its type."""
    return f"event: {body['type']}\ndata: ".encode() + encode(body) + b"\n\n"


def items(
    stamp: Stamp, choice: Choice, status: str | None
) -> Iterator[tuple[dict[str, Any], list[str]]]:
    """The output items of a response, and the pieces in which the text of each is streamed."""
    name = stamp.id.removeprefix("resp_")
    status = status or "completed"
    if choice.reasoning_tokens:
        yield {"id": f"rs_{name}", "type": "reasoning", "summary": []}, []
    for index, call in enumerate(choice.tool_calls):
        yield {
            "id": f"fc_{name}_{index}", "type": "function_call", "status": status,
            "arguments": call.arguments, "call_id": call.id, "name": call.name,
        }, tokens.pieces(tokens.encode(call.arguments))  # fmt: skip
    if choice.content and not choice.tool_calls:
        part = {"type": "output_text", "text": choice.content, "annotations": [],
                "logprobs": [*(choice.logprobs or ())]}  # fmt: skip
        yield {
            "id": f"msg_{name}", "type": "message", "status": status, "role": "assistant",
            "content": [part],
        }, replies.token_texts(choice.content_ids) or [choice.content]  # fmt: skip


def item_events(
    item: dict[str, Any], pieces: list[str], place: int
) -> Iterator[tuple[dict[str, Any], bool]]:
    """The events of one item, from added to done, and whether each carries a token."""
    at: dict[str, Any] = {"output_index": place}
    begun = item | ({"status": "in_progress"} if "status" in item else {})
    if item["type"] == "message":
        begun["content"] = []
    elif item["type"] == "function_call":
        begun["arguments"] = ""
    yield {"type": "response.output_item.added", **at, "item": begun}, False
    inside = at | {"item_id": item["id"]}
    if item["type"] == "message":
        part, content = item["content"][0], {"content_index": 0}
        empty = part | {"text": "", "logprobs": []}
        yield {"type": "response.content_part.added", **inside, **content, "part": empty}, False
        probabilities = part["logprobs"]
        for index, text in enumerate(pieces):
            entries = probabilities[index : index + 1]
            yield {
                "type": "response.output_text.delta", **inside, **content, "delta": text,
                "logprobs": entries,
            }, True  # fmt: skip
        yield {
            "type": "response.output_text.done", **inside, **content, "text": part["text"],
            "logprobs": probabilities,
        }, False  # fmt: skip
        yield {"type": "response.content_part.done", **inside, **content, "part": part}, False
    elif item["type"] == "function_call":
        kind = "response.function_call_arguments"
        for text in pieces:
            yield {"type": f"{kind}.delta", **inside, "delta": text}, True
        finished = {"arguments": item["arguments"], "name": item["name"]}
        yield {"type": f"{kind}.done", **inside, **finished}, False
    yield {"type": "response.output_item.done", **at, "item": item}, False
