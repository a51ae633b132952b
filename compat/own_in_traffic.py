"""The tools and schemas in an application's own requests, for its compat.toml. Pure."""

import json
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from compat.checks.own import SCHEMA, SCHEMA_STREAM, TOOL, TOOL_STREAM
from compat.own import parse
from recording.errors import OperatorError
from recording.json_values import Json, mapping
from recording.untrusted_text import printable


@dataclass(frozen=True, slots=True)
class OwnInTraffic:
    """Each definition as it is sent; if several have the same name, the most frequent one.

    `notes` say what was left out, one sentence per note.
    """

    tools: tuple[Mapping[str, Any], ...] = ()
    schemas: tuple[Mapping[str, Any], ...] = ()
    notes: tuple[str, ...] = ()

    def as_toml(self) -> list[str]:
        """The tables `[tools]` and `[schemas]`, and the notes as comments."""
        notes = [f"# {note}\n" for note in self.notes]
        parts = (("tools", self.tools), ("schemas", self.schemas))
        return [*notes, *(_table(name, listed) for name, listed in parts if listed)]


def own_features(body: Json) -> Iterator[str]:
    """The ids of the checks that can be made of a body's own tools and schema."""
    stream = bool(body.get("stream"))
    for name, _ in _tools(body):
        yield f"{TOOL_STREAM if stream else TOOL}{name}"
    for name, _ in _schemas(body):
        yield f"{SCHEMA_STREAM if stream else SCHEMA}{name}"


def own_of(bodies: Iterable[Json]) -> OwnInTraffic:
    """The tools and schemas of all bodies."""
    tools, schemas, notes = dict[str, Counter[str]](), dict[str, Counter[str]](), list[str]()
    for body in bodies:
        for name, text in _tools(body):
            tools.setdefault(name, Counter())[text] += 1
        for name, text in _schemas(body):
            schemas.setdefault(name, Counter())[text] += 1
        for kind, why in _unfit(body):
            notes.append(f"a {kind} is left out: {why}")
    definitions = []
    for kind, texts_by_name in (("tool", tools), ("schema", schemas)):
        definitions.append(
            tuple(json.loads(texts.most_common(1)[0][0]) for texts in texts_by_name.values())
        )
        notes += [
            f"{kind} {name} has {len(texts)} definitions: the most frequent one is here"
            for name, texts in texts_by_name.items()
            if len(texts) > 1
        ]
    return OwnInTraffic(definitions[0], definitions[1], tuple(dict.fromkeys(notes)))


def _tools(body: Json) -> list[tuple[str, str]]:
    return [fitting for tool in _listed(body) if (fitting := _fit("tools", tool))]


def _schemas(body: Json) -> list[tuple[str, str]]:
    response_format = mapping(body.get("response_format"))
    fitting = (
        _fit("schemas", response_format) if response_format.get("type") == "json_schema" else None
    )
    return [fitting] if fitting else []


def _listed(body: Json) -> list[Any]:
    tools = body.get("tools")
    return tools if isinstance(tools, list) and "messages" in body else []


def _fit(table: str, definition: Any) -> tuple[str, str] | None:
    """The name and text of a definition, or None if no check can be made of it."""
    try:
        return _read(table, definition)
    except OperatorError:
        return None


def _read(table: str, definition: Any) -> tuple[str, str]:
    text = json.dumps(definition, ensure_ascii=False, sort_keys=True)
    parsed = parse({table: {"json": f"[{text}]"}}, "it")
    return (parsed.tools or parsed.schemas)[0].name, json.dumps(definition, ensure_ascii=False)


def _unfit(body: Json) -> Iterator[tuple[str, str]]:
    """The definitions that no check can be made of, and why."""
    response_format = mapping(body.get("response_format"))
    schema = [response_format] if response_format.get("type") == "json_schema" else []
    for kind, table, listed in (("tool", "tools", _listed(body)), ("schema", "schemas", schema)):
        for definition in listed:
            try:
                _read(table, definition)
            except OperatorError as error:
                yield kind, printable(str(error).removeprefix(f"it: [{table}] entry 1 "))


def _table(name: str, listed: Iterable[Mapping[str, Any]]) -> str:
    """JSON within a TOML literal string, which has no escapes of its own: characters that TOML
    does not allow there are escaped by JSON."""
    text = json.dumps([*listed], ensure_ascii=False, indent=1)
    try:
        text.encode()
    except UnicodeEncodeError:  # half of a surrogate pair
        text = json.dumps([*listed], indent=1)
    text = text.replace("'", "\\u0027").replace("\x7f", "\\u007f")
    return f"[{name}]\njson = '''\n{text}\n'''\n"
