"""compat.json: one cell per check, model and route; its codec and its JSON schema. Pure."""

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from typing import Any

from compat.attribution import Cause
from compat.registry import find
from compat.verdict import LONGEST_FACT_CHARS, SYMBOLS, WORST_FIRST, Verdict
from recording.bilingual import Bilingual
from recording.errors import InputError
from recording.untrusted_text import printable

VERSION = 1


class CellsError(InputError):
    """A file that is not a valid compat.json, in one sentence."""


@dataclass(frozen=True, slots=True)
class Cell:
    """What one check found for one model over one route (`arm`: empty, or `direct`).

    `evidence` is the fact, at most 200 characters; `cost` is in the run's currency, None if
    unknown; `status` is the HTTP status of the request that decided the verdict, None if it got no
    response; `sent` counts requests.
    """

    check: str
    model: str
    verdict: Verdict
    arm: str = ""
    evidence: str = ""
    request_id: str = ""
    task_id: str = ""
    cost: float | None = None
    status: int | None = None
    sent: int = 0
    cause: Cause = Cause.UNKNOWN

    def __post_init__(self) -> None:
        object.__setattr__(self, "evidence", printable(self.evidence, LONGEST_FACT_CHARS))

    @property
    def symbol(self) -> str:
        """The verdict's symbol; it is always shown together with the verdict's word."""
        return SYMBOLS[self.verdict]

    @property
    def in_code(self) -> Bilingual | None:
        """What the verdict means in the user's code.

        None if the check works, or if this version does not have it.
        """
        check = find(self.check)
        return None if check is None else check.in_code(self.verdict)


def as_json(cells: Sequence[Cell]) -> dict[str, Any]:
    """What compat.json holds."""
    return {"version": VERSION, "cells": [asdict(cell) for cell in cells]}


def from_json(content: object) -> list[Cell]:
    """The cells of a compat.json. Fields that a later version added are ignored. Raises
    CellsError."""
    if not isinstance(content, dict) or not isinstance(content.get("cells"), list):
        raise CellsError("it is not a compat.json: it has no list of cells")
    return [_cell(place, entry) for place, entry in enumerate(content["cells"])]


def _cell(place: int, entry: object) -> Cell:
    if not isinstance(entry, dict):
        raise CellsError(f"cell {place} is not an object")
    known = {name: entry[name] for name in Cell.__dataclass_fields__ if name in entry}
    for name, kind in _KINDS.items():
        required = name in SCHEMA["properties"]["cells"]["items"]["required"]
        if (required and name not in known) or (
            name in known and (not isinstance(known[name], kind) or isinstance(known[name], bool))
        ):
            raise CellsError(f"cell {place}: {name} is missing or of the wrong type")
    try:
        known["verdict"] = Verdict(known["verdict"])
        known["cause"] = Cause(known.get("cause", ""))
    except ValueError as error:
        raise CellsError(f"cell {place}: {error}") from None
    return Cell(**known)


_NUMBER = (int, float, type(None))
_KINDS: Mapping[str, Any] = {
    "check": str, "model": str, "verdict": str, "arm": str, "evidence": str, "request_id": str,
    "task_id": str, "cost": _NUMBER, "status": (int, type(None)), "sent": int, "cause": str,
}  # fmt: skip
_TEXT = {"type": "string"}
SCHEMA: dict[str, Any] = {
    "$schema": "https://json-schema.org/draft/2020-12/schema",
    "title": "compat.json",
    "type": "object",
    "required": ["version", "cells"],
    "properties": {
        "version": {"type": "integer", "minimum": 1},
        "cells": {"type": "array", "items": {
            "type": "object",
            "required": ["check", "model", "verdict"],
            "properties": {
                "check": _TEXT, "model": _TEXT, "arm": _TEXT, "request_id": _TEXT,
                "task_id": _TEXT,
                "verdict": {"enum": [str(verdict) for verdict in Verdict]},
                "evidence": {"type": "string", "maxLength": LONGEST_FACT_CHARS},
                "cost": {"type": ["number", "null"]},
                "status": {"type": ["integer", "null"]},
                "sent": {"type": "integer", "minimum": 0},
                "cause": {"enum": [str(cause) for cause in Cause]},
            },
        }},
    },
}  # fmt: skip
"""The JSON schema of compat.json."""


def worst(cells: Sequence[Cell]) -> Verdict:
    """The worst verdict among some cells; groups are sorted by it."""
    return min((cell.verdict for cell in cells), key=WORST_FIRST.index)
