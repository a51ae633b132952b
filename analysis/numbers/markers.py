"""What replies state about their origin: model names and fingerprints, with times. Pure.

Free, from the rows of any mode. A change is no accusation: vendors move a name to a new snapshot,
and their fingerprints change with every roll-out and differ between their backends.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Literal

if TYPE_CHECKING:
    from pandas import DataFrame

COLUMNS = ("model_requested", "model_returned", "system_fingerprint", "timestamp", "success")
"""What `markers` reads."""
MOST = 20
"""Values of one marker: more name no backend, but each reply."""
Kind = Literal["model", "system_fingerprint"]
_FIELDS: tuple[tuple[Kind, str], ...] = (
    ("model", "model_returned"),
    ("system_fingerprint", "system_fingerprint"),
)


@dataclass(frozen=True, slots=True)
class Value:
    """One value of a marker: in how many replies, and the first and last of them, ISO 8601."""

    text: str
    replies: int
    first: str
    last: str


@dataclass(frozen=True, slots=True)
class Marker:
    """What the replies of one requested model say under one name; the first value first.

    `unnamed` counts the replies that do not say.
    """

    model: str
    kind: Kind
    values: Sequence[Value]
    unnamed: int

    @property
    def names_replies(self) -> bool:
        """Whether nearly every reply has a different value."""
        return len(self.values) > MOST


def markers(rows: "DataFrame") -> list[Marker]:
    """Every marker of every model that has more than one value in the successes of a run."""
    answered = rows[rows["success"].astype(bool)]
    return [
        marker
        for model, of_model in answered.groupby("model_requested", sort=False, observed=True)
        for kind, name in _FIELDS
        if len((marker := _marker(str(model), kind, of_model, name)).values) > 1
    ]


def _marker(model: str, kind: Kind, successes: "DataFrame", name: str) -> Marker:
    marked: Any = successes[successes[name].notna()]
    spans = marked.groupby(name, observed=True)["timestamp"].agg(["size", "min", "max"])
    values = [
        Value(str(text), int(row["size"]), str(row["min"]), str(row["max"]))
        for text, row in spans.iterrows()
    ]
    values.sort(key=lambda value: value.first)
    return Marker(model, kind, values, len(successes) - len(marked))
