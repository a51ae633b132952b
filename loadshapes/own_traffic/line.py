"""One line of the operator's own traffic (JSONL): its allowed content and its faults. Pure.

`--prompts`: a request in OpenAI's format (`messages` and the settings in SETTINGS), or a
conversation: `turns`, the user's turns in order, with the `messages` before the first. `--trace`: a
request, or only the sizes of one (`prompt_tokens`), with its time and, optionally, its `model`.
"""

import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

from loadshapes.own_traffic.trace import CLOCKS, moment_s

Json = Mapping[str, Any]

# Body fields that a line may set; a gateway's own fields go into `extra_body`, as in the SDK.
SETTINGS = (
    "tools", "tool_choice", "parallel_tool_calls", "functions", "function_call", "max_tokens",
    "max_completion_tokens", "response_format", "temperature", "top_p", "stop", "seed",
    "presence_penalty", "frequency_penalty", "logit_bias", "logprobs", "top_logprobs",
    "reasoning_effort", "verbosity", "modalities", "audio", "prediction", "service_tier", "user",
    "metadata", "store", "prompt_cache_key", "safety_identifier", "web_search_options",
)  # fmt: skip
OURS = ("model", "messages", "stream", "stream_options", "task_id", "n")  # never in extra_body
PLACE = "place"  # for a line converted from another format: its original name
_SETTINGS = frozenset(SETTINGS)
_OF_PROMPTS = _SETTINGS | {"messages", "extra_body", "turns"}
_OF_TRACE = _SETTINGS | {"messages", "extra_body", "model", "prompt_tokens", *CLOCKS}
_encode = json.JSONEncoder(ensure_ascii=False, allow_nan=False).encode
ROLES = ("system", "developer", "user", "assistant", "tool", "function")
LARGEST_PROMPT_TOKENS = 1_000_000


@dataclass(frozen=True, slots=True)
class Line:
    """A line that can be sent. `number` counts the lines from 1; `settings` go into the body.

    `turns` are the user messages of a conversation; `messages` are then those before the first.
    `prompt_tokens` is the size of a generated prompt; `model` is empty if the line has none. `name`
    is its name in the file, e.g. a batch's custom_id.
    """

    number: int
    messages: tuple[Json, ...]
    settings: Json
    turns: tuple[Json, ...] = ()
    model: str = ""
    prompt_tokens: int | None = None
    name: Json = field(default_factory=dict)

    @property
    def max_tokens(self) -> int | None:
        """The output budget that the line sets, tokens."""
        budget: int | None = self.settings.get("max_completion_tokens")
        return budget if budget is not None else self.settings.get("max_tokens")


def line(number: int, text: str, trace: bool) -> tuple[Line, Json]:
    """A line as read, and its JSON object. Raises ValueError with one clause per fault, separated
    by `; `.

    `number` is only passed on, unless the line was converted from another (`place`).
    """
    try:
        row = json.loads(text)
    except RecursionError:
        raise ValueError("it is nested too deep") from None
    except ValueError as error:
        raise ValueError(f"it is not JSON ({error})") from None
    if isinstance(row, dict) and isinstance(row.get(PLACE), dict):
        name = dict(row.pop(PLACE))
        number = int(name.pop("line", number))
        return checked(number, row, trace, name)[0], row
    return checked(number, row, trace)[0], row


def written(row: object) -> str:
    """A row as JSON. Raises ValueError with a clause if a body could not contain it."""
    try:
        text = _encode(row)
        text.encode("utf-8")
    except RecursionError:
        raise ValueError("it is nested too deep") from None
    except UnicodeEncodeError:
        raise ValueError("it holds half a surrogate pair, which no body can carry") from None
    except ValueError as error:
        raise ValueError(f"it is not JSON ({error})") from None
    return text


def checked(number: int, row: Any, trace: bool, name: Json | None = None) -> tuple[Line, str]:
    """A row in our own format as a line and as JSON. Raises ValueError as `line` does."""
    text = written(row)
    if not isinstance(row, dict):
        raise ValueError("it must be a JSON object")
    if faults := list(_wrong(row, trace)):
        raise ValueError("; ".join(faults))
    settings = {n: value for n, value in row.items() if n in _SETTINGS and value is not None}
    settings.update(row.get("extra_body", {}))
    turns = tuple(
        {"role": "user", "content": turn} if isinstance(turn, str) else turn
        for turn in row.get("turns", ())
    )
    size, messages = row.get("prompt_tokens"), tuple(row.get("messages", ()))
    model = row.get("model", "")
    return Line(number, messages, settings, turns, model, size, name or {}), text


def _wrong(row: Json, trace: bool) -> Iterator[str]:
    """Every fault of a line, one clause each."""
    for name in sorted(row.keys() - (_OF_TRACE if trace else _OF_PROMPTS)):
        if name == "turns":
            yield "a conversation cannot be replayed by the clock, so turns is for --prompts"
        elif name == "model":
            yield "the model is --model's"
        elif name in ("stream", "stream_options"):
            yield f"whether to {name.split('_')[0]} is --stream's to say"
        else:
            yield (
                f"{name[:40]!r} is not a key of a line (a gateway's own fields go into extra_body)"
            )
    if trace:
        try:
            moment_s(row)
        except ValueError as error:
            yield str(error)
        model = row.get("model", "m")
        if not isinstance(model, str) or not model.strip():
            yield "model must be a name"
    yield from _wrong_prompt(row, trace)
    for name in ("max_tokens", "max_completion_tokens"):
        if row.get(name) is not None and not _is_count(row[name]):
            yield f"{name} must be a whole number above 0"
    tools = row.get("tools")
    if tools is not None and not (isinstance(tools, list) and tools and all(_objects(tools))):
        yield "tools must be a list of objects"
    extra = row.get("extra_body", {})
    if not isinstance(extra, dict):
        yield "extra_body must be an object"
    elif reserved_names := sorted(extra.keys() & {*OURS, *SETTINGS}):
        yield f"{reserved_names[0]} has no place in extra_body"


def _wrong_prompt(row: Json, trace: bool) -> Iterator[str]:
    """Faults of the prompt: messages, turns or a size."""
    ways = [name for name in ("messages", "prompt_tokens") if name in row]
    if trace and len(ways) != 1:
        yield "it needs one of messages and prompt_tokens"
    elif not trace and "messages" not in row and "turns" not in row:
        yield "it has neither messages nor turns"
    if "prompt_tokens" in row and trace and not _is_count(row["prompt_tokens"]):
        yield "prompt_tokens must be a whole number above 0"
    elif "prompt_tokens" in row and trace and row["prompt_tokens"] > LARGEST_PROMPT_TOKENS:
        yield f"prompt_tokens must be at most {LARGEST_PROMPT_TOKENS}"
    if "messages" in row:
        messages = row["messages"]
        if not isinstance(messages, list) or not (messages or "turns" in row):
            yield "messages must be a list of at least one message"
        else:
            for place, message in enumerate(messages):
                yield from _wrong_message(message, f"messages[{place}]")
    if "turns" in row and not trace:
        turns = row["turns"]
        if not isinstance(turns, list) or not turns:
            yield "turns must be a list of at least one turn"
            return
        for name in ("tools", "functions"):
            if row.get(name):
                yield f"a conversation cannot answer tool calls: leave {name} away"
        for place, turn in enumerate(turns):
            if isinstance(turn, str):
                continue
            yield from _wrong_message(turn, f"turns[{place}]")
            if isinstance(turn, dict) and turn.get("role") != "user":
                yield f"turns[{place}] must be the user's: the gateway gives the replies"


def _wrong_message(message: object, where: str) -> Iterator[str]:
    if not isinstance(message, dict):
        yield f"{where} must be an object"
        return
    role, content = message.get("role"), message.get("content")
    if role not in ROLES:
        yield f"{where}.role must be one of {', '.join(ROLES)}"
    if role == "tool" and not isinstance(message.get("tool_call_id"), str):
        yield f"{where} needs the tool_call_id that it answers"
    if isinstance(content, list) and content:
        for place, part in enumerate(content):
            yield from _wrong_part(part, f"{where}.content[{place}]")
    elif content is None and role == "assistant":
        if not (message.get("tool_calls") or message.get("function_call")):
            yield f"{where} says nothing: give it content or tool_calls"
    elif not isinstance(content, str):
        yield f"{where}.content must be a text or a list of parts"


def _wrong_part(part: object, where: str) -> Iterator[str]:
    if not isinstance(part, dict) or not isinstance(part.get("type"), str):
        yield f"{where} must be an object with a type"
    elif part["type"] == "text" and not isinstance(part.get("text"), str):
        yield f"{where}.text must be a text"
    elif part["type"] == "image_url":
        image = part.get("image_url")
        url = image.get("url") if isinstance(image, dict) else None
        if not isinstance(url, str) or not url.startswith(("data:image/", "http://", "https://")):
            yield f"{where}.image_url.url must be a data:image/ or http(s) URL"


def _is_count(value: object) -> bool:
    return isinstance(value, int) and not isinstance(value, bool) and 0 < value < 10**9


def _objects(values: list[Any]) -> Iterator[bool]:
    return (isinstance(value, dict) for value in values)
