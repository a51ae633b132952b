"""compat.toml: which features an application needs of which models. Pure except for `load`.

[[require]]
models = ["gpt-*"]
features = ["json.schema", "tool.loop", "own.*"]
allow = { "n" = ["refused"] }
[tools]
file = "our-tools.json"

A feature is a check's id or a pattern of ids. `[tools]` and `[schemas]` are the application's own
(compat/own.py): each of them adds a check.
"""

import tomllib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from difflib import get_close_matches
from fnmatch import fnmatchcase
from pathlib import Path
from typing import Any

from compat.cells import Cell
from compat.checks.own import checks_of
from compat.own import NOTHING, TABLES, Own, contents
from compat.own import parse as parse_own
from compat.registry import BY_ID
from compat.verdict import Verdict
from recording.errors import OperatorError

_ALLOWED = tuple(str(v) for v in Verdict if v is not Verdict.WORKS)


@dataclass(frozen=True, slots=True)
class Requirement:
    """Patterns of models, the features that they must have, and other verdicts that are allowed."""

    models: tuple[str, ...]
    features: tuple[str, ...]
    allow: Mapping[str, frozenset[Verdict]]


@dataclass(frozen=True, slots=True)
class Required:
    """A compat.toml; `own` are the application's own tools and schemas."""

    requirements: tuple[Requirement, ...]
    own: Own = NOTHING

    def of(self, model: str) -> dict[str, frozenset[Verdict]]:
        """What a model must have: each feature, and the verdicts that pass. If several
        requirements name a feature, only what all of them allow passes."""
        accepted: dict[str, frozenset[Verdict]] = {}
        for requirement in self.requirements:
            if not any(fnmatchcase(model, pattern) for pattern in requirement.models):
                continue
            for name in dict.fromkeys((*requirement.features, *requirement.allow)):
                passing = requirement.allow.get(name, frozenset()) | {Verdict.WORKS}
                accepted[name] = accepted.get(name, passing) & passing
        return accepted


@dataclass(frozen=True, slots=True)
class Judged:
    """One required cell: `cell` is None if the run has none."""

    model: str
    check: str
    cell: Cell | None
    passes: bool


def judge(required: Required, cells: Sequence[Cell], models: Sequence[str]) -> list[Judged]:
    """Every required cell of these models, over the gateway's route. What is unknown fails."""
    by_key = {(cell.model, cell.check): cell for cell in cells if not cell.arm}
    judgements = []
    for model in models:
        for name, passing in required.of(model).items():
            cell = by_key.get((model, name))
            judgements.append(
                Judged(model, name, cell, cell is not None and cell.verdict in passing)
            )
    return judgements


def unmatched(required: Required, models: Sequence[str]) -> list[str]:
    """The patterns that match no model of the run, so that what they require was not checked."""
    patterns = [p for requirement in required.requirements for p in requirement.models]
    return [p for p in patterns if not any(fnmatchcase(model, p) for model in models)]


def load(path: Path) -> Required:
    """A compat.toml. Raises OperatorError."""
    return parse(content(path), str(path))


def content(path: Path) -> dict[str, Any]:
    """The content of a compat.toml and of the files that it names, as stored in the manifest.
    Raises OperatorError."""
    try:
        return contents(tomllib.loads(path.read_text(encoding="utf-8")), path)
    except OSError as error:
        raise OperatorError(f"--require {path} cannot be read ({error.strerror}).") from None
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        raise OperatorError(f"--require {path} is not valid TOML ({error}); fix it.") from None


def parse(content: Mapping[str, Any], name: str = "compat.toml") -> Required:
    """The requirements of a parsed file. Raises OperatorError, which says what to do."""
    _known_keys(name, "the file", content, ("require", *TABLES))
    tables = content.get("require")
    if not isinstance(tables, list) or not tables:
        raise OperatorError(
            f"{name} requires nothing: write a [[require]] with models and features."
        )
    definitions = parse_own(content, name)
    known = [*BY_ID, *(check.id for check in checks_of(definitions))]
    return Required(tuple(_requirement(name, table, known) for table in tables), definitions)


def _requirement(name: str, table: Any, known: Sequence[str]) -> Requirement:
    if not isinstance(table, dict):
        raise OperatorError(f"{name}: require is not a table: write [[require]].")
    _known_keys(name, "[[require]]", table, ("models", "features", "allow"))
    models = _texts(name, table, "models")
    features = _texts(name, table, "features")
    allow = table.get("allow", {})
    if not isinstance(allow, dict):
        raise OperatorError(f'{name}: allow is not a table: write allow = {{ "n" = ["refused"] }}.')
    named = [check for feature in features for check in _checks_named(name, feature, known)]
    allowed = {
        check: _verdicts(name, feature, words)
        for feature, words in allow.items()
        for check in _checks_named(name, feature, known)
    }
    return Requirement(models, tuple(dict.fromkeys(named)), allowed)


def _texts(name: str, table: Mapping[str, Any], key: str) -> tuple[str, ...]:
    value = table.get(key)
    if not isinstance(value, list) or not value or not all(isinstance(t, str) and t for t in value):
        raise OperatorError(f"{name}: a [[require]] has no {key}: give a list of names.")
    return tuple(value)


def _checks_named(name: str, feature: str, known: Sequence[str]) -> list[str]:
    """The checks that an id or a pattern names. Raises OperatorError if there are none."""
    matching = [check for check in known if fnmatchcase(check, feature)]
    if not matching:
        near = get_close_matches(feature, known, 1)
        hint = f"did you mean {near[0]}?" if near else f"known are {', '.join(known)}."
        if feature.startswith("own."):
            hint = "name the tool or schema in [tools] or [schemas] of the file."
        raise OperatorError(f"{name} names an unknown check, {feature!r}: {hint}")
    return matching


def _known_keys(name: str, where: str, table: Mapping[str, Any], known: Sequence[str]) -> None:
    for key in table:
        if key not in known:
            raise OperatorError(
                f"{name}: {where} has an unknown key {key!r}: use {', '.join(known)}."
            )


def _verdicts(name: str, feature: str, named: Any) -> frozenset[Verdict]:
    words = [named] if isinstance(named, str) else named
    if not isinstance(words, list) or not all(word in _ALLOWED for word in words):
        raise OperatorError(
            f"{name}: allow of {feature} may list {', '.join(_ALLOWED)}; remove {named!r}."
        )
    return frozenset(Verdict(word) for word in words)
