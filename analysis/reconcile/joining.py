"""Finds the request of a run to which a name in another log belongs."""

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from pandas import DataFrame, Series

NAMES = ("task_id", "gateway_request_id", "trace_id", "completion_id")
"""The columns of a row that name its request; `trace_id` is what was sent as `x-request-id`."""


class Names:
    """The names of a run's requests; a name that two requests share joins nothing."""

    def __init__(self, frame: "DataFrame") -> None:
        self._places: dict[str, int | None] = {}
        for name in NAMES:
            for place, key in enumerate(known(frame[name])):
                if key is not None:
                    same = self._places.get(key, place) == place
                    self._places[key] = place if same else None
        self._ambiguous = set[str]()

    def place(self, ids: Sequence[str]) -> int | None:
        """The place of the row that has one of these names."""
        for key in ids:
            if key not in self._places:
                continue
            if (place := self._places[key]) is not None:
                return place
            self._ambiguous.add(key)
        return None

    @property
    def ambiguous(self) -> int:
        """How many of the names looked up belong to two requests."""
        return len(self._ambiguous)


def known(column: "Series[Any]") -> list[Any]:
    """The values of a column, None for what is missing."""
    there = column.notna().tolist()
    return [value if good else None for value, good in zip(column.tolist(), there, strict=True)]
