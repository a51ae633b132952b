"""The JSON schemas of manifest.json and summary.json, made from the code that writes them.

Both allow further fields: a newer version may add some, so a reader must ignore unknown ones.
"""

import json
from dataclasses import fields, is_dataclass
from types import NoneType, UnionType
from typing import (
    Annotated,
    Any,
    Literal,
    Required,
    Union,
    get_args,
    get_origin,
    get_type_hints,
    is_typeddict,
)

from analysis.numbers.phase_numbers import Percentiles, PhaseNumbers, Range
from analysis.report.summary import VERSION, Summary
from recording.formats import FORMATS
from recording.manifest_content import Keyword, Manifest
from recording.outcome import Outcome
from rules import percentiles
from settings.options import Options

Schema = dict[str, Any]
_PLAIN = {str: "string", int: "integer", float: "number", bool: "boolean", NoneType: "null"}


def _of(hint: Any) -> Schema:
    """The schema of a field's type."""
    if hint in _PLAIN:
        return {"type": _PLAIN[hint]}
    if is_dataclass(hint):
        return _fields(hint)
    if is_typeddict(hint):
        return _object(
            {name: _of(part) for name, part in get_type_hints(hint, include_extras=True).items()},
            [name for name in hint.__annotations__ if name in hint.__required_keys__],
        )
    origin, inner = get_origin(hint), get_args(hint)
    if origin is Required:
        return _of(inner[0])
    if origin is Annotated:
        return _of(inner[0]) | _noted(inner[1:])
    if origin is Literal:
        return {"enum": list(inner)}
    if origin in (Union, UnionType):
        if all(part in _PLAIN for part in inner):
            return {"type": [_PLAIN[part] for part in inner]}
        return {"anyOf": [_of(part) for part in inner]}
    if origin in (tuple, list):
        return {"type": "array", "items": _of(inner[0])}
    if origin is dict:
        return {"type": "object", "additionalProperties": _of(inner[1])}
    return {}


def _noted(notes: tuple[Any, ...]) -> Schema:
    """What a field's notes add to its schema: range, further constraints, meaning."""
    limits: Schema = {}
    for note in notes:
        if isinstance(note, Range):
            limits |= {"minimum": note.least}
            limits |= {} if note.most is None else {"maximum": note.most}
        elif isinstance(note, Keyword):
            limits[note.name] = note.value
        else:
            limits["description"] = note
    return limits


def _fields(of: Any) -> Schema:
    """The schema of a dataclass of numbers, with percentiles under the usual names."""
    properties: Schema = {}
    for name, hint in _hints(of).items():
        if (notes := _of_percentiles(hint)) is None:
            properties[name] = _of(hint)
            continue
        for percent in percentiles.USUAL:
            properties[f"{name}_{percentiles.label(percent)}_s"] = _of(float | None) | notes
    return _object(properties)


def _hints(of: Any) -> dict[str, Any]:
    hints = get_type_hints(of, include_extras=True)
    return {item.name: hints[item.name] for item in fields(of)}


def _of_percentiles(hint: Any) -> Schema | None:
    """The notes of a percentile field; None if it is not one."""
    inner = get_args(hint)
    return _noted(inner[1:]) if inner and inner[0] is Percentiles else None


def _object(properties: Schema, required: list[str] | None = None) -> Schema:
    return {
        "type": "object",
        "properties": properties,
        "required": list(properties) if required is None else required,
        "additionalProperties": True,
    }


def _head(title: str, text: str) -> Schema:
    return {
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        "title": title,
        "description": text,
    }


def manifest() -> Schema:
    """The schema of manifest.json: with what, where and how a run was made."""
    hints = get_type_hints(Options)
    options = {
        item.name: {**_of(hints[item.name]), "description": item.metadata["help"]}
        for item in fields(Options)
    }
    schema = _of(Manifest)
    schema["properties"] |= {
        "schema_version": {"enum": list(FORMATS)},
        "options": _object(options, []),
        "drawn": {"type": "object", "properties": options},
    }
    head = _head("manifest.json of a Weighbridge run", "Written when the run starts; no secret.")
    return head | schema


def summary() -> Schema:
    """The schema of summary.json: the numbers of a run."""
    schema = _of(Summary)
    schema["properties"]["schema_version"] = {"const": VERSION}
    phase = schema["properties"]["phases"]["items"]
    phase["properties"]["outcomes"]["propertyNames"] = {"enum": [name.value for name in Outcome]}
    text = "Numbers end in their units; null means unknown, never 0."
    return _head("summary.json of a Weighbridge run", text) | schema


def numbers() -> str:
    """The numbers of a phase as a Markdown table."""
    rows = []
    for name, hint in _hints(PhaseNumbers).items():
        ranked = _of_percentiles(hint)
        noted = _of(hint) if ranked is None else ranked
        shown = name if ranked is None else f"{name}_p50_s` ... `{name}_p99_s"
        rows.append(f"| `{shown}` | {noted['description']} |")
    return "\n".join(["| number | meaning |", "|---|---|", *rows])


def written(schema: Schema) -> str:
    """The schema as the text of its file."""
    return json.dumps(schema, ensure_ascii=False, indent=2) + "\n"
