"""Which features an application uses, according to the bodies that it sends. Pure."""

import json
from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Any

from compat.own_in_traffic import OwnInTraffic, own_features
from compat.registry import BY_ID
from recording.json_values import Json, mapping, numeric, whole_number

_MANY_TOOLS = 32
_HARMLESS = ("user", "safety_identifier", "metadata", "prompt_cache_key", "service_tier", "store",
             "verbosity")  # fmt: skip


def _messages(body: Json) -> list[Json]:
    messages = body.get("messages")
    return [mapping(message) for message in messages] if isinstance(messages, list) else []


def _parts(body: Json) -> list[Json]:
    contents = (message.get("content") for message in _messages(body))
    return [mapping(part) for content in contents if isinstance(content, list) for part in content]


def _functions(body: Json) -> list[Json]:
    tools = body.get("tools")
    return [mapping(mapping(t).get("function")) for t in tools] if isinstance(tools, list) else []


def _has(name: str) -> Callable[[Json], bool]:
    return lambda body: body.get(name) is not None


def _role(role: str) -> Callable[[Json], bool]:
    return lambda body: any(message.get("role") == role for message in _messages(body))


def _part(*kinds: str) -> Callable[[Json], bool]:
    return lambda body: any(part.get("type") in kinds for part in _parts(body))


def _format(body: Json) -> str:
    return str(mapping(body.get("response_format")).get("type") or "")


def _deep(body: Json) -> bool:
    text = json.dumps(mapping(body.get("response_format")))
    return any(word in text for word in ('"$defs"', '"$ref"', '"anyOf"'))


def _schema(deep: bool, stream: bool) -> Callable[[Json], bool]:
    return lambda body: (
        _format(body) == "json_schema"
        and (_deep(body) if deep else bool(body.get("stream")) == stream)
    )


def _choice(body: Json) -> str:
    choice = body.get("tool_choice")
    return choice if isinstance(choice, str) else "named" if isinstance(choice, dict) else ""


def _chosen(name: str) -> Callable[[Json], bool]:
    return lambda body: bool(_functions(body)) and _choice(body) == name


def _parallel(stream: bool) -> Callable[[Json], bool]:
    """Whether the model may call several tools at once, or did so in an earlier turn."""
    return lambda body: (
        bool(_functions(body))
        and body.get("parallel_tool_calls") is not False
        and bool(body.get("stream")) == stream
        and (body.get("parallel_tool_calls") is True or _several_calls(body))
    )


def _several_calls(body: Json) -> bool:
    calls = (message.get("tool_calls") for message in _messages(body))
    return any(isinstance(listed, list) and len(listed) > 1 for listed in calls)


def _turns(body: Json) -> bool:
    return any(m.get("role") == "assistant" and m.get("content") for m in _messages(body))


def _text_parts(body: Json) -> bool:
    contents = (message.get("content") for message in _messages(body))
    lists = [content for content in contents if isinstance(content, list)]
    return any(sum(mapping(p).get("type") == "text" for p in parts) > 1 for parts in lists)


def _unicode(body: Json) -> bool:
    return not json.dumps(body.get("messages"), ensure_ascii=False).isascii()


USES: Mapping[str, Callable[[Json], bool]] = {
    "chat.plain": lambda body: not body.get("stream"),
    "chat.stream": lambda body: bool(body.get("stream")),
    "stream.usage": lambda body: bool(mapping(body.get("stream_options")).get("include_usage")),
    "role.system": _role("system"),
    "role.developer": _role("developer"),
    "turns": _turns,
    "parts.text": _text_parts,
    "unicode": _unicode,
    "max_tokens": _has("max_tokens"),
    "max_completion_tokens": _has("max_completion_tokens"),
    "stop": _has("stop"),
    "n": lambda body: (whole_number(body.get("n")) or 1) > 1,
    "seed": _has("seed"),
    "temperature": lambda body: numeric(body.get("temperature")) not in (None, 1.0),
    "top_p": lambda body: numeric(body.get("top_p")) not in (None, 1.0),
    "logit_bias": lambda body: bool(body.get("logit_bias")),
    "logprobs": lambda body: bool(body.get("logprobs")),
    "json.object": lambda body: _format(body) == "json_object",
    "json.schema": _schema(deep=False, stream=False),
    "json.schema.deep": _schema(deep=True, stream=False),
    "json.schema.stream": _schema(deep=False, stream=True),
    "tool.auto": lambda body: bool(_functions(body)) and _choice(body) in ("", "auto"),
    "tool.none": _chosen("none"),
    "tool.required": _chosen("required"),
    "tool.named": _chosen("named"),
    "tool.parallel": _parallel(stream=False),
    "tool.parallel.stream": _parallel(stream=True),
    "tool.parallel.off": lambda body: body.get("parallel_tool_calls") is False,
    "tool.loop": _role("tool"),
    "tool.strict": lambda body: any(function.get("strict") for function in _functions(body)),
    "tool.noargs": lambda body: any(
        function and not mapping(function.get("parameters")).get("properties")
        for function in _functions(body)
    ),
    "tool.many": lambda body: len(_functions(body)) >= _MANY_TOOLS,
    "reasoning.effort": _has("reasoning_effort"),
    "image.data": _part("image_url"),
    "file.pdf": _part("file"),
    "fields.accepted": lambda body: any(body.get(name) is not None for name in _HARMLESS),
}
"""Each feature that can be seen in a chat request's body, and how."""
ALWAYS = ("error.model",)
"""What every application relies on, whatever it sends."""


def needs(bodies: Iterable[Mapping[str, Any]]) -> dict[str, list[str]]:
    """The features that the bodies use, by model (empty if a body names none).

    They are in the order of the checks, with the application's own tools and schemas last. Bodies
    of embeddings and of the Responses API are recognised by `input`.
    """
    by_model: dict[str, dict[str, None]] = {}
    for body in bodies:
        model = body.get("model")
        used = by_model.setdefault(model if isinstance(model, str) else "", {})
        if "input" in body and "messages" not in body:
            used.update(dict.fromkeys(_of_input(body)))
            continue
        names = [name for name, uses in USES.items() if uses(body)]
        used.update(dict.fromkeys([*names, *ALWAYS, *own_features(body)]))
    return {
        model: [*(name for name in BY_ID if name in used),
                *(name for name in used if name not in BY_ID)]
        for model, used in by_model.items()
    }  # fmt: skip


_OF_RESPONSES = {
    "stream": "responses.stream", "tools": "responses.tool", "text": "responses.json",
    "previous_response_id": "responses.previous",
}  # fmt: skip


def _of_input(body: Json) -> set[str]:
    """The features of a body with `input`.

    It is taken for a request of the Responses API unless it names an embedding model or says how
    it wants its vectors: text alone may be either.
    """
    if body.get("dimensions") or body.get("encoding_format") or "embed" in str(body.get("model")):
        used = {"embeddings.plain"}
        used |= {"embeddings.dimensions"} if body.get("dimensions") else set()
        used |= {"embeddings.base64"} if body.get("encoding_format") == "base64" else set()
        return used | ({"embeddings.batch"} if isinstance(body.get("input"), list) else set())
    return {"responses.plain", *(name for key, name in _OF_RESPONSES.items() if body.get(key))}


def as_toml(
    by_model: Mapping[str, Sequence[str]],
    default_model: str = "*",
    definitions: OwnInTraffic | None = None,
) -> str:
    """The features as a compat.toml: models with the same features together, then the tools and
    schemas that the bodies contain."""
    groups: dict[tuple[str, ...], list[str]] = {}
    for model, features in by_model.items():
        if features:
            groups.setdefault(tuple(features), []).append(model or default_model)
    parts = [
        f"[[require]]\nmodels = {_list(models)}\nfeatures = {_list(features)}\n"
        for features, models in groups.items()
    ]
    return "\n".join([*parts, *([] if definitions is None or not parts else definitions.as_toml())])


def _list(names: Sequence[str]) -> str:
    """A TOML list; JSON strings are valid TOML, except for escaped surrogate pairs."""
    return "[" + ", ".join(json.dumps(name, ensure_ascii=False) for name in names) + "]"
