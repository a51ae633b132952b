"""A subset of a frame's rows; a column is copied only when it is used."""

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray
    from pandas import DataFrame, Series


@dataclass(frozen=True, slots=True)
class Chosen:
    """The rows of a frame where `mask` is true: `frame[mask]` without copying all its columns."""

    rows: "DataFrame"
    mask: "NDArray[np.bool_]"

    @classmethod
    def of(cls, rows: "DataFrame", condition: "Series[Any]") -> "Chosen":
        """The rows for which the condition holds; unknown counts as false."""
        return cls(rows, _truth(condition))

    def where(self, condition: "Series[Any]") -> "Chosen":
        """Those of them for which a condition on the frame's rows holds as well."""
        return Chosen(self.rows, self.mask & _truth(condition))

    def __len__(self) -> int:
        return int(self.mask.sum())

    def __getitem__(self, name: str) -> "Series[Any]":
        column = self.rows[name]
        return column if self.mask.all() else column[self.mask]


def _truth(condition: "Series[Any]") -> "NDArray[np.bool_]":
    return condition.fillna(False).to_numpy(dtype=bool)
