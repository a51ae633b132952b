"""Reads the message of a reply in every known dialect. Pure.

Sources: OpenAI's API reference, OpenRouter (`reasoning`, `reasoning_details`), DeepSeek and vLLM
(`reasoning_content`), Mistral (content parts of type `thinking`), SGLang (a finish reason that is
an object). A field that is absent or of the wrong type is None: unknown.
"""

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

from recording.json_values import Json, mapping, text_of
from tasks.thinking import split
from tasks.tool_calls import whole_calls


@dataclass(slots=True)
class Message:
    """The assistant's message, complete or assembled from a stream's deltas.

    `inner_reasoning` was inside the content, at its start; `content` is the text after it. `odd`
    are flags for repairs made while reading. `logprobs`: an entry a token, where they were asked
    for (plain replies alone).
    """

    content: str | None = None
    reasoning: str | None = None
    inner_reasoning: str | None = None
    tool_calls: Sequence[Json] = ()
    finish_reason: str | None = None
    model: str | None = None
    odd: dict[str, str] = field(default_factory=dict)
    logprobs: Sequence[Any] = ()

    @property
    def empty(self) -> bool:
        """Neither content, reasoning nor a tool call."""
        return not (self.content or self.reasoning or self.inner_reasoning or self.tool_calls)


def spoken_text(part: Json) -> str | None:
    """The text of a message or delta: its content, otherwise a refusal, otherwise its audio
    transcript.
    """
    content = part.get("content")
    text = content if isinstance(content, str) else text_of(content)
    if text or not ("refusal" in part or "audio" in part):
        return text
    for other in (part.get("refusal"), mapping(part.get("audio")).get("transcript")):
        if isinstance(other, str) and other:
            return other
    return text


def reasoning_of(part: Json) -> str | None:
    """The reasoning text of a message or delta: by one of its names, never added up."""
    for name in ("reasoning_content", "reasoning"):
        text = part.get(name)
        if isinstance(text, str) and text:
            return text
    if "reasoning_details" not in part and not isinstance(part.get("content"), list):
        return None
    for name, keys in _THOUGHTS.items():
        parts = part.get(name)
        if isinstance(parts, list):
            texts = (text_of(mapping(piece).get(key)) for piece in parts for key in keys)
            if thought := "".join(text for text in texts if text):
                return thought
    return None


_THOUGHTS = {"reasoning_details": ("text", "summary"), "content": ("thinking",)}


def first_choice(choices: Sequence[Any], wanted_index: int | None = None) -> Json:
    """The choice of the lowest index, or of the `wanted_index` one; empty if there is none."""
    if len(choices) > 1:
        choices = sorted(map(mapping, choices), key=index_of)
        if wanted_index is not None:
            choices = [choice for choice in choices if index_of(choice) == wanted_index]
    choice = mapping(choices[0]) if choices else {}
    return choice if wanted_index is None or index_of(choice) == wanted_index else {}


def index_of(choice: Json) -> int:
    """The index of a choice; 0 if it has none."""
    index = choice.get("index")
    return index if isinstance(index, int) else 0


def reason_of(choice: Json) -> str | None:
    """The finish reason; None while the reply continues, however a gateway writes that."""
    reason = choice.get("finish_reason")
    if isinstance(reason, dict):
        reason = reason.get("type")
    return reason if isinstance(reason, str) and reason not in ("", "null") else None


def message(body: Json) -> Message | None:
    """The message of a chat completion's first choice; None if the body is not a completion."""
    choices = body.get("choices")
    if not isinstance(choices, list):
        return None
    choice = first_choice(choices)
    first_message = mapping(choice.get("message"))
    model = body.get("model")
    calls, odd = whole_calls(first_message)
    text = spoken_text(first_message)
    thought, rest = split(text) if text else (None, text)
    return Message(
        content=rest if thought is None else rest or None,
        reasoning=reasoning_of(first_message),
        inner_reasoning=thought,
        tool_calls=calls,
        finish_reason=reason_of(choice),
        model=model if isinstance(model, str) else None,
        odd=odd,
        logprobs=_entries(choice),
    )


def _entries(choice: Json) -> Sequence[Any]:
    entries = mapping(choice.get("logprobs")).get("content")
    return entries if isinstance(entries, list) else ()
