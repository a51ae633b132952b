"""compat.toml: which features an application needs of which models. Pure but for `load`.

[[require]]
models = ["gpt-*"]
features = ["json.schema", "tool.loop"]
allow = { "n" = ["refused"] }
[tools]
file = "our-tools.json"
"""

import tomllib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from difflib import get_close_matches
from fnmatch import fnmatchcase
from pathlib import Path
from typing import Any

from compat.cells import Cell
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
    """A compat.toml. `tools_file`: the application's own tools, beside compat.toml; or None."""

    requirements: tuple[Requirement, ...]
    tools_file: str | None = None

    def of(self, model: str) -> dict[str, frozenset[Verdict]]:
        """What a model must have: each feature, and the verdicts that pass. Where several
        requirements name a feature, only what all of them allow passes."""
        found: dict[str, frozenset[Verdict]] = {}
        for requirement in self.requirements:
            if not any(fnmatchcase(model, pattern) for pattern in requirement.models):
                continue
            for name in dict.fromkeys((*requirement.features, *requirement.allow)):
                passing = requirement.allow.get(name, frozenset()) | {Verdict.WORKS}
                found[name] = found.get(name, passing) & passing
        return found


@dataclass(frozen=True, slots=True)
class Judged:
    """One required cell: `cell` is None where the run has none."""

    model: str
    check: str
    cell: Cell | None
    passes: bool


def judge(required: Required, cells: Sequence[Cell], models: Sequence[str]) -> list[Judged]:
    """Every required cell of these models, over the gateway's route. What is not known fails."""
    by_key = {(cell.model, cell.check): cell for cell in cells if not cell.arm}
    found = []
    for model in models:
        for name, passing in required.of(model).items():
            cell = by_key.get((model, name))
            found.append(Judged(model, name, cell, cell is not None and cell.verdict in passing))
    return found


def unmatched(required: Required, models: Sequence[str]) -> list[str]:
    """The patterns that no model of the run matches: what they require would pass unseen."""
    patterns = [p for requirement in required.requirements for p in requirement.models]
    return [p for p in patterns if not any(fnmatchcase(model, p) for model in models)]


def load(path: Path) -> Required:
    """A compat.toml. Raises OperatorError."""
    return parse(content(path), str(path))


def content(path: Path) -> dict[str, Any]:
    """What stands in a compat.toml, as the manifest keeps it. Raises OperatorError."""
    try:
        return tomllib.loads(path.read_text(encoding="utf-8"))
    except OSError as error:
        raise OperatorError(f"--require {path} cannot be read ({error.strerror}).") from None
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        raise OperatorError(f"--require {path} is not TOML ({error}): mend it.") from None


def parse(content: Mapping[str, Any], name: str = "compat.toml") -> Required:
    """The requirements of a parsed file. Raises OperatorError, which says what to do."""
    _known_keys(name, "the file", content, ("require", "tools"))
    tables = content.get("require")
    if not isinstance(tables, list) or not tables:
        raise OperatorError(
            f"{name} requires nothing: write a [[require]] with models and features."
        )
    tools = content.get("tools", {})
    file = tools.get("file") if isinstance(tools, dict) else None
    if tools and (not isinstance(file, str) or not file):
        raise OperatorError(f'{name}: [tools] names no file: write file = "our-tools.json".')
    return Required(tuple(_requirement(name, table) for table in tables), file)


def _requirement(name: str, table: Any) -> Requirement:
    if not isinstance(table, dict):
        raise OperatorError(f"{name}: require is no table: write [[require]].")
    _known_keys(name, "[[require]]", table, ("models", "features", "allow"))
    models = _texts(name, table, "models")
    features = _texts(name, table, "features")
    allow = table.get("allow", {})
    if not isinstance(allow, dict):
        raise OperatorError(f'{name}: allow is no table: write allow = {{ "n" = ["refused"] }}.')
    for feature in (*features, *allow):
        _known(name, feature)
    allowed = {feature: _verdicts(name, feature, told) for feature, told in allow.items()}
    return Requirement(models, features, allowed)


def _texts(name: str, table: Mapping[str, Any], key: str) -> tuple[str, ...]:
    told = table.get(key)
    if not isinstance(told, list) or not told or not all(isinstance(t, str) and t for t in told):
        raise OperatorError(f"{name}: a [[require]] has no {key}: give a list of names.")
    return tuple(told)


def _known(name: str, feature: str) -> None:
    if feature not in BY_ID:
        near = get_close_matches(feature, BY_ID, 1)
        hint = f"did you mean {near[0]}?" if near else f"known are {', '.join(BY_ID)}."
        raise OperatorError(f"{name} names no check of ours, {feature!r}: {hint}")


def _known_keys(name: str, where: str, table: Mapping[str, Any], known: Sequence[str]) -> None:
    for key in table:
        if key not in known:
            raise OperatorError(
                f"{name}: {where} has an unknown key {key!r}: use {', '.join(known)}."
            )


def _verdicts(name: str, feature: str, told: Any) -> frozenset[Verdict]:
    words = [told] if isinstance(told, str) else told
    if not isinstance(words, list) or not all(word in _ALLOWED for word in words):
        raise OperatorError(
            f"{name}: allow of {feature} may list {', '.join(_ALLOWED)}; remove {told!r}."
        )
    return frozenset(Verdict(word) for word in words)
