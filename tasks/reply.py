"""What a gateway said: usage, cost, text and errors, read in every dialect we know. Pure.

Sources: OpenAI's API reference (usage), OpenRouter (usage.cost, `reasoning`),
LiteLLM (x-litellm-response-cost), DeepSeek (prompt_cache_hit_tokens),
Anthropic (cache_*_input_tokens), Groq (x_groq.usage), Moonshot (choices[0].usage, cached_tokens),
Perplexity (cost.total_cost), Mistral (content parts of type `thinking`).
A field that is absent or of the wrong type is None: unknown, never 0.
"""

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, TypedDict, TypeVar

from tasks.thinking import split

Json = Mapping[str, Any]
Number = TypeVar("Number", int, float)


class Usage(TypedDict, total=False):
    """Tokens and cost of one exchange, named as the record names them."""

    prompt_tokens: int | None
    completion_tokens: int | None
    total_tokens: int | None
    cached_tokens: int | None
    cache_write_tokens: int | None
    reasoning_tokens: int | None
    api_cost: float | None
    header_cost: float | None
    cost_source: str


def mapping(value: object) -> Json:
    """The value if it is a JSON object, else an empty one."""
    return value if isinstance(value, dict) else {}


def whole(value: object) -> int | None:
    """A whole number that a 64-bit column can hold, also when written as 12.0 or as text."""
    if isinstance(value, str) and value.isascii() and value.isdecimal() and len(value) < 20:
        value = int(value)
    if isinstance(value, float) and value.is_integer():
        value = int(value)
    if not isinstance(value, int) or isinstance(value, bool):
        return None
    return value if -(2**63) <= value < 2**63 else None


def numeric(value: object) -> float | None:
    """A finite number, also when written as text (headers, some dialects)."""
    if isinstance(value, bool) or not isinstance(value, int | float | str):
        return None
    try:
        number = float(value)
    except (ValueError, OverflowError):
        return None
    return number if math.isfinite(number) else None


def _first(*values: Number | None) -> Number | None:
    return next((value for value in values if value is not None), None)


def _at(body: Json, path: str) -> object:
    """What a body holds under names with dots between; None: nothing."""
    found: object = body
    for name in path.split("."):
        found = mapping(found).get(name)
    return found


_COSTS = ("cost", "cost.total_cost", "total_cost", "estimated_cost")
"""Where `usage` states the cost: OpenRouter's and the article's, Perplexity's, DeepInfra's."""
_COST_HEADER = "x-litellm-response-cost"
_CACHED = ("prompt_cache_hit_tokens", "cache_read_input_tokens", "cached_tokens")
"""DeepSeek's words, Anthropic's, Moonshot's."""
_WRITTEN = ("cache_write_tokens", "cache_creation_tokens", "cache_creation_input_tokens")
"""OpenRouter's words, LiteLLM's, Anthropic's."""


def stated(body: Json) -> Json:
    """The `usage` of a body or chunk: its own, else Groq's, else (Moonshot) of its first choice."""
    used = body.get("usage")
    if not used and "x_groq" in body:
        used = mapping(body["x_groq"]).get("usage")
    if not used:
        choices = body.get("choices")
        if isinstance(choices, list) and choices and isinstance(choices[0], dict):
            used = choices[0].get("usage")
    return mapping(used)


def usage(body: Json, headers: Mapping[str, str], *, ok: bool, cost_field: str = "") -> Usage:
    """Tokens and cost out of a body's `usage` and the answer's headers (names in lower case).

    `cost_field`, a path in the body or a header's name, comes before the usual places. The body's
    cost wins over the header's; both are kept. A header's 0 counts only on a success (`ok`): on an
    error LiteLLM says "0" without knowing.
    """
    said = stated(body)
    prompt = mapping(said.get("prompt_tokens_details"))
    completion = mapping(said.get("completion_tokens_details"))
    in_body = _first(numeric(_at(body, cost_field)), *(numeric(_at(said, n)) for n in _COSTS))
    in_header = _first(*(numeric(headers.get(n)) for n in (cost_field.lower(), _COST_HEADER)))
    if not ok and not in_header:
        in_header = None
    cost = in_body if in_body is not None else in_header
    source = "body" if in_body is not None else "header" if cost is not None else "unknown"
    return {
        "prompt_tokens": whole(said.get("prompt_tokens")),
        "completion_tokens": whole(said.get("completion_tokens")),
        "total_tokens": whole(said.get("total_tokens")),
        "cached_tokens": _first(
            whole(prompt.get("cached_tokens")), *(whole(said.get(name)) for name in _CACHED)
        ),
        "cache_write_tokens": _first(
            *(whole(part.get(name)) for name in _WRITTEN for part in (prompt, said))
        ),
        "reasoning_tokens": _first(
            whole(completion.get("reasoning_tokens")), whole(said.get("reasoning_tokens"))
        ),
        "api_cost": cost,
        "header_cost": in_header,
        "cost_source": source,
    }


@dataclass(slots=True)
class Message:
    """The assistant's message, whole or put together from a stream's deltas.

    `inner_reasoning` stood inside the content, at its start; `content` is what came after it.
    """

    content: str | None = None
    reasoning: str | None = None
    inner_reasoning: str | None = None
    tool_calls: Sequence[Json] = ()
    finish_reason: str | None = None
    model: str | None = None

    @property
    def empty(self) -> bool:
        """Neither content, reasoning nor a tool call."""
        return not (self.content or self.reasoning or self.inner_reasoning or self.tool_calls)


def text_of(content: object) -> str | None:
    """A message's content as text; of a list of parts, the text parts joined."""
    if isinstance(content, str):
        return content
    if isinstance(content, list):
        texts = [mapping(part).get("text") for part in content]
        return "".join(text for text in texts if isinstance(text, str)) or None
    return None


def spoken(part: Json) -> str | None:
    """What a message or delta says: its content, else a refusal, else the words of its audio."""
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
            found = (text_of(mapping(piece).get(key)) for piece in parts for key in keys)
            if thought := "".join(text for text in found if text):
                return thought
    return None


_THOUGHTS = {"reasoning_details": ("text", "summary"), "content": ("thinking",)}


def calls_of(part: Json) -> list[Any]:
    """The tool calls of a message, or their pieces in a delta; the older `function_call` is one."""
    calls = part.get("tool_calls")
    if isinstance(calls, list) and calls:
        return calls
    older = mapping(part.get("function_call")) if "function_call" in part else None
    return [{"type": "function", "function": older}] if older else []


def first_choice(choices: Sequence[Any], wanted: int | None = None) -> Json:
    """The choice of the lowest index, or of the `wanted` one; empty if there is none."""
    if len(choices) > 1:
        choices = sorted(map(mapping, choices), key=index_of)
        if wanted is not None:
            choices = [choice for choice in choices if index_of(choice) == wanted]
    choice = mapping(choices[0]) if choices else {}
    return choice if wanted is None or index_of(choice) == wanted else {}


def index_of(choice: Json) -> int:
    """Which of several choices this is; 0 where it does not say."""
    index = choice.get("index")
    return index if isinstance(index, int) else 0


def reason_of(choice: Json) -> str | None:
    """Why the model stopped; None while it goes on, in whatever way a gateway writes that."""
    reason = choice.get("finish_reason")
    return reason if isinstance(reason, str) and reason not in ("", "null") else None


def message(body: Json) -> Message | None:
    """The message of a chat completion's first choice; None if the body is not a completion."""
    choices = body.get("choices")
    if not isinstance(choices, list):
        return None
    choice = first_choice(choices)
    said = mapping(choice.get("message"))
    model = body.get("model")
    text = spoken(said)
    thought, rest = split(text) if text else (None, text)
    return Message(
        content=rest if thought is None else rest or None,
        reasoning=reasoning_of(said),
        inner_reasoning=thought,
        tool_calls=calls_of(said),
        finish_reason=reason_of(choice),
        model=model if isinstance(model, str) else None,
    )


@dataclass(frozen=True, slots=True)
class Complaint:
    """An error as the gateway worded it; `status` when its body carries an HTTP status as code."""

    type: str | None
    message: str
    status: int | None


def trouble(body: object) -> object | None:
    """What a body or chunk says went wrong; None: it says no such thing.

    `error` (OpenAI), that of a choice (OpenRouter), or the whole of one without choices: `object`
    or `type` says "error" (vLLM, Anthropic), or there is a `detail` or `message` (FastAPI, Kong).
    """
    said = unlisted(body)
    error: object = said.get("error")
    if error:
        return error
    choices = said.get("choices")
    if isinstance(choices, list):
        first: object = mapping(choices[0]).get("error") if choices else None
        return first or None
    kind = f"{said.get('object') or ''}{said.get('type') or ''}"
    if "error" in kind:
        return said
    if kind and said.get("code") is None:
        return None  # an event of another kind, e.g. how far the request is in a queue
    return said if any(isinstance(said.get(name), str) for name in ("detail", "message")) else None


def unlisted(body: object) -> Json:
    """A body or chunk that is an object, or (Google's compatible endpoint) a list of one."""
    return mapping(body[0] if isinstance(body, list) and body else body)


def complaint(error: object) -> Complaint:
    """Read `error` of a body: an object {message, type, code}, one inside another, or any text."""
    for _ in range(3):
        inner = error[0] if isinstance(error, list) and len(error) == 1 else None
        if inner is None and not isinstance(mapping(error).get("message"), str):
            inner = mapping(error).get("error")
        if not inner:
            break
        error = inner
    said = mapping(error)
    if not said:
        return Complaint(None, str(error), None)
    code = said.get("code")
    status = numeric(code)
    words = (k for k in (said.get("type"), code) if isinstance(k, str))
    kind = next((k for k in words if k not in ("", "None")), None)  # LiteLLM writes "None"
    text = next((t for n in ("message", "detail") if isinstance(t := said.get(n), str)), None)
    return Complaint(
        kind if kind is not None else (str(code) if code is not None else None),
        text if text is not None else str(error),
        int(status) if status is not None and 400 <= status < 600 else None,
    )


def wait_in_body(body: Json) -> float | None:
    """Seconds to wait that stand in a refusal's body, in it or in its `error`; None: none."""
    for part in (mapping(body.get("error")), body):
        for name, unit_s in _WAITS.items():
            number = numeric(part.get(name))
            if number is not None and number >= 0:
                return number * unit_s
    return None


_WAITS = {"retry_after_ms": 0.001, "retry_after": 1.0, "retryAfter": 1.0}
