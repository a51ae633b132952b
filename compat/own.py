"""The operator's own tools and schemas, as `[tools]` and `[schemas]` of a compat.toml name them.

    [tools]
    file = "our-tools.json"            # a list of tools, as a request's body has them
    prompts = { book_room = "Book the blue room for two." }
    output_tokens = 300
    [schemas]
    json = '''[{"type": "json_schema", "json_schema": {...}}]'''   # a list of response_formats

Pure but for `contents`, which reads the files.
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
"""What a reply may have where the table does not say: a call or an object of ordinary length."""
_KEYS = ("file", "json", "prompts", "output_tokens")
_NAME = re.compile(r"[A-Za-z0-9_-]{1,64}")  # what OpenAI takes as a name
_MOST_TOKENS = 100_000


@dataclass(frozen=True, slots=True)
class OwnThing:
    """A tool or a response_format, as it is sent, and what is asked with it (empty: our words)."""

    name: str
    body: Body
    strict: bool
    schema: Body  # of the arguments, or of the reply
    prompt: str = ""
    output_tokens: int = OUTPUT_TOKENS


@dataclass(frozen=True, slots=True)
class Own:
    """All of them."""

    tools: tuple[OwnThing, ...] = ()
    schemas: tuple[OwnThing, ...] = ()


NOTHING = Own()


def contents(content: Mapping[str, Any], path: Path) -> dict[str, Any]:
    """A compat.toml with the files that its tables name read in. Raises OperatorError."""
    found = dict(content)
    for table in TABLES:
        told = found.get(table)
        if not isinstance(told, dict) or not isinstance(told.get("file"), str):
            continue
        beside = path.parent / told["file"]
        try:
            text = read_bytes(beside).decode()
        except (OSError, UnicodeDecodeError, InputError) as error:
            why = getattr(error, "strerror", None) or error
            raise OperatorError(
                f"{path}: [{table}] file {told['file']} cannot be read ({why}): mend its path, "
                "which is beside the TOML file."
            ) from None
        found[table] = {k: v for k, v in told.items() if k != "file"} | {"json": text}
    return found


def parse(content: Mapping[str, Any], name: str) -> Own:
    """The tools and schemas of a compat.toml whose files are read in. Raises OperatorError."""
    return Own(
        tuple(_things(content.get("tools"), "tools", name)),
        tuple(_things(content.get("schemas"), "schemas", name)),
    )


def _things(told: Any, table: str, name: str) -> list[OwnThing]:
    if told is None:
        return []
    where = f"{name}: [{table}]"
    if not isinstance(told, dict):
        raise OperatorError(f'{where} is no table: write [{table}] and file = "our-{table}.json".')
    if unknown := [key for key in told if key not in _KEYS]:
        raise OperatorError(f"{where} has an unknown key {unknown[0]!r}: use {', '.join(_KEYS)}.")
    text = told.get("json")
    if text is None and isinstance(told.get("file"), str):
        return []  # a manifest of a version that passed over it
    if not isinstance(text, str) or not text.strip():
        raise OperatorError(f'{where} names no file: write file = "our-{table}.json".')
    try:
        listed = json_of(text.encode())
    except (InputError, UnicodeEncodeError) as error:
        raise OperatorError(f"{where} is not JSON ({error}): mend it.") from None
    if isinstance(listed, dict) and isinstance(listed.get(table), list):
        listed = listed[table]  # a whole body, or an object around the list
    if not isinstance(listed, list) or not listed:
        raise OperatorError(f"{where} holds no list: give {_SHAPES[table]}, in [ ].")
    prompts, tokens = told.get("prompts", {}), told.get("output_tokens", OUTPUT_TOKENS)
    if not isinstance(prompts, dict) or not all(isinstance(p, str) for p in prompts.values()):
        raise OperatorError(f'{where} prompts: write prompts = {{ a_name = "what is asked" }}.')
    if type(tokens) is not int or not 0 < tokens <= _MOST_TOKENS:
        raise OperatorError(f"{where} output_tokens must be a number above 0, not {tokens!r}.")
    read = _tool if table == "tools" else _schema
    found = [read(one, f"{where} entry {place}") for place, one in enumerate(listed, 1)]
    _see_that_names_fit([one[0] for one in found], prompts, where)
    return [
        OwnThing(called, one, strict, schema, prompts.get(called, ""), tokens)
        for called, one, strict, schema in found
    ]


_SHAPES = {
    "tools": '{"type": "function", "function": {"name": ..., "parameters": {...}}}',
    "schemas": '{"type": "json_schema", "json_schema": {"name": ..., "schema": {...}}}',
}


def _see_that_names_fit(names: Sequence[str], prompts: Mapping[str, str], where: str) -> None:
    if twice := [called for place, called in enumerate(names) if called in names[:place]]:
        raise OperatorError(f"{where} names {twice[0]} twice: give each a name of its own.")
    if lost := [called for called in prompts if called not in names]:
        raise OperatorError(
            f"{where} prompts names {lost[0]!r}, which is not in the list: remove it."
        )


def _tool(told: Any, where: str) -> tuple[str, Body, bool, Body]:
    function = mapping(mapping(told).get("function"))
    name = _named(function.get("name"), where, "tools")
    parameters = function.get("parameters") or {}
    return name, dict(told), function.get("strict") is True, _checked(parameters, where)


def _schema(told: Any, where: str) -> tuple[str, Body, bool, Body]:
    made = mapping(mapping(told).get("json_schema"))
    name = _named(made.get("name"), where, "schemas")
    return name, dict(told), made.get("strict") is True, _checked(made.get("schema"), where)


def _named(name: Any, where: str, table: str) -> str:
    if not isinstance(name, str) or not _NAME.fullmatch(name):
        raise OperatorError(
            f"{where} is no {_SHAPES[table]} whose name has up to 64 letters, digits, _ and -: "
            "mend it."
        )
    return name


def _checked(schema: Any, where: str) -> Body:
    """A schema that replies can be held against, all of it here. Raises OperatorError."""
    if not isinstance(schema, dict):
        raise OperatorError(f"{where} has no schema that is an object: mend it.")
    try:
        jsonschema.Draft202012Validator.check_schema(schema)
    except jsonschema.SchemaError as error:
        raise OperatorError(
            f"{where} is no JSON schema ({error.message[:120]}): mend it."
        ) from None
    if (away := next(_references(schema, schema), None)) is not None:
        raise OperatorError(f"{where} refers to {away!r}, which is not in it: write it out.")
    return schema


def _references(node: Any, root: Body) -> Any:
    """The `$ref`s that lead nowhere within the schema."""
    for value in node.values() if isinstance(node, dict) else node:
        if isinstance(value, dict | list):
            yield from _references(value, root)
    told = node.get("$ref") if isinstance(node, dict) else None
    if isinstance(told, str) and not _leads(told, root):
        yield told


def _leads(reference: str, root: Body) -> bool:
    if not reference.startswith("#"):
        return False
    node: Any = root
    for step in reference[1:].split("/")[1:]:
        key = step.replace("~1", "/").replace("~0", "~")
        node = node.get(key) if isinstance(node, dict) else None
    return isinstance(node, dict | bool)
