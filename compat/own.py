"""The operator's own tools and schemas, from `[tools]` and `[schemas]` of a compat.toml.

    [tools]
    file = "our-tools.json"            # a list of tools, as in a request's body
    prompts = { book_room = "Book the blue room for two." }
    output_tokens = 300
    [schemas]
    json = '''[{"type": "json_schema", "json_schema": {...}}]'''   # a list of response_formats

Pure except for `contents`, which reads the files.
"""

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import jsonschema

from compat.check import Body
from recording.errors import InputError, OperatorError
from recording.json_files import json_of, read_bytes
from recording.json_values import mapping

TABLES = ("tools", "schemas")
OUTPUT_TOKENS = 300
"""A reply's budget if the table sets none: enough for a call or object of ordinary length."""
_KEYS = ("file", "json", "prompts", "output_tokens")
_NAME = re.compile(r"[A-Za-z0-9_-]{1,64}")  # what OpenAI accepts as a name
_MOST_TOKENS = 100_000


@dataclass(frozen=True, slots=True)
class OwnThing:
    """A tool or a response_format as it is sent, and its prompt (empty: our own wording)."""

    name: str
    body: Body
    strict: bool
    schema: Body  # of the arguments, or of the reply
    prompt: str = ""
    output_tokens: int = OUTPUT_TOKENS


@dataclass(frozen=True, slots=True)
class Own:
    """All of an operator's tools and schemas."""

    tools: tuple[OwnThing, ...] = ()
    schemas: tuple[OwnThing, ...] = ()


NOTHING = Own()


def contents(content: Mapping[str, Any], path: Path) -> dict[str, Any]:
    """The content of a compat.toml including the files that its tables name.

    Raises OperatorError.
    """
    completed = dict(content)
    for table in TABLES:
        entries = completed.get(table)
        if not isinstance(entries, dict) or not isinstance(entries.get("file"), str):
            continue
        beside = path.parent / entries["file"]
        try:
            text = read_bytes(beside).decode()
        except (OSError, UnicodeDecodeError, InputError) as error:
            why = getattr(error, "strerror", None) or error
            raise OperatorError(
                f"{path}: [{table}] file {entries['file']} cannot be read ({why}): correct the "
                "path, which is relative to the TOML file."
            ) from None
        completed[table] = {k: v for k, v in entries.items() if k != "file"} | {"json": text}
    return completed


def parse(content: Mapping[str, Any], name: str) -> Own:
    """The tools and schemas in what `contents` returns. Raises OperatorError."""
    return Own(
        tuple(_things(content.get("tools"), "tools", name)),
        tuple(_things(content.get("schemas"), "schemas", name)),
    )


def _things(entries: Any, table: str, name: str) -> list[OwnThing]:
    if entries is None:
        return []
    where = f"{name}: [{table}]"
    if not isinstance(entries, dict):
        raise OperatorError(
            f'{where} is not a table: write [{table}] and file = "our-{table}.json".'
        )
    if unknown := [key for key in entries if key not in _KEYS]:
        raise OperatorError(f"{where} has an unknown key {unknown[0]!r}: use {', '.join(_KEYS)}.")
    text = entries.get("json")
    if text is None and isinstance(entries.get("file"), str):
        return []  # a manifest of a version that ignored it
    if not isinstance(text, str) or not text.strip():
        raise OperatorError(f'{where} names no file: write file = "our-{table}.json".')
    try:
        listed = json_of(text.encode())
    except (InputError, UnicodeEncodeError) as error:
        raise OperatorError(f"{where} is not JSON ({error}): correct it.") from None
    if isinstance(listed, dict) and isinstance(listed.get(table), list):
        listed = listed[table]  # a whole body, or an object around the list
    if not isinstance(listed, list) or not listed:
        raise OperatorError(f"{where} is not a list: give {_SHAPES[table]}, in [ ].")
    prompts, tokens = entries.get("prompts", {}), entries.get("output_tokens", OUTPUT_TOKENS)
    if not isinstance(prompts, dict) or not all(isinstance(p, str) for p in prompts.values()):
        raise OperatorError(f'{where} prompts: write prompts = {{ a_name = "what is asked" }}.')
    if type(tokens) is not int or not 0 < tokens <= _MOST_TOKENS:
        raise OperatorError(
            f"{where} output_tokens must be a whole number above 0, not {tokens!r}."
        )
    read = _tool if table == "tools" else _schema
    things = [read(body, f"{where} entry {place}") for place, body in enumerate(listed, 1)]
    _see_that_names_fit([body[0] for body in things], prompts, where)
    return [
        OwnThing(called, body, strict, schema, prompts.get(called, ""), tokens)
        for called, body, strict, schema in things
    ]


_SHAPES = {
    "tools": '{"type": "function", "function": {"name": ..., "parameters": {...}}}',
    "schemas": '{"type": "json_schema", "json_schema": {"name": ..., "schema": {...}}}',
}


def _see_that_names_fit(names: Sequence[str], prompts: Mapping[str, str], where: str) -> None:
    if twice := [called for place, called in enumerate(names) if called in names[:place]]:
        raise OperatorError(f"{where} names {twice[0]} twice: give each entry a different name.")
    if lost := [called for called in prompts if called not in names]:
        raise OperatorError(
            f"{where} prompts names {lost[0]!r}, which is not in the list: remove it."
        )


def _tool(tool: Any, where: str) -> tuple[str, Body, bool, Body]:
    function = mapping(mapping(tool).get("function"))
    name = _named(function.get("name"), where, "tools")
    parameters = function.get("parameters") or {}
    return name, dict(tool), function.get("strict") is True, _checked(parameters, where)


def _schema(response_format: Any, where: str) -> tuple[str, Body, bool, Body]:
    definition = mapping(mapping(response_format).get("json_schema"))
    name = _named(definition.get("name"), where, "schemas")
    return (
        name,
        dict(response_format),
        definition.get("strict") is True,
        _checked(definition.get("schema"), where),
    )


def _named(name: Any, where: str, table: str) -> str:
    if not isinstance(name, str) or not _NAME.fullmatch(name):
        raise OperatorError(
            f"{where} must be {_SHAPES[table]} with a name of up to 64 letters, digits, "
            "_ and -: correct it."
        )
    return name


def _checked(schema: Any, where: str) -> Body:
    """A complete schema that replies can be validated against. Raises OperatorError."""
    if not isinstance(schema, dict):
        raise OperatorError(f"{where} has no schema, or one that is not an object: correct it.")
    try:
        jsonschema.Draft202012Validator.check_schema(schema)
    except jsonschema.SchemaError as error:
        raise OperatorError(
            f"{where} is not a JSON schema ({error.message[:120]}): correct it."
        ) from None
    if (away := next(_references(schema, schema), None)) is not None:
        raise OperatorError(
            f"{where} refers to {away!r}, which it does not contain: write the definition out."
        )
    return schema


def _references(node: Any, root: Body) -> Any:
    """The `$ref`s that do not resolve within the schema."""
    for value in node.values() if isinstance(node, dict) else node:
        if isinstance(value, dict | list):
            yield from _references(value, root)
    reference = node.get("$ref") if isinstance(node, dict) else None
    if isinstance(reference, str) and not _leads(reference, root):
        yield reference


def _leads(reference: str, root: Body) -> bool:
    if not reference.startswith("#"):
        return False
    node: Any = root
    for step in reference[1:].split("/")[1:]:
        key = step.replace("~1", "/").replace("~0", "~")
        node = node.get(key) if isinstance(node, dict) else None
    return isinstance(node, dict | bool)
