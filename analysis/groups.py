"""Rows that belong together: mostly they stand together already, and nothing need be copied."""

from collections.abc import Iterator, Sequence
from itertools import chain
from math import fsum
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray
    from pandas import DataFrame, Series

_SLICE_ROWS = 100_000


def runs(rows: "DataFrame", names: Sequence[str]) -> "NDArray[np.int64]":
    """Where each run of rows begins that agree in these columns (missing agrees with missing)."""
    import numpy as np
    import pandas as pd

    begins = np.zeros(len(rows), dtype=bool)
    begins[:1] = True
    for name in names:
        values, missing = rows[name].array, rows[name].isna().to_numpy()
        differ = pd.Series(values[1:] != values[:-1]).fillna(True).to_numpy(dtype=bool)
        begins[1:] |= differ & ~(missing[1:] & missing[:-1])
    return np.flatnonzero(begins)


def groups(rows: "DataFrame", by: Sequence[str]) -> Iterator[tuple[tuple[Any, ...], "DataFrame"]]:
    """`rows.groupby(by, sort=False, dropna=False)`, by the runs of equal rows, not row by row."""
    import numpy as np

    begins = runs(rows, by)
    ends = np.append(begins[1:], len(rows))
    heads = rows[list(by)].iloc[begins].reset_index(drop=True)
    for key, mine in heads.groupby(list(by), sort=False, dropna=False):
        places = mine.index.to_numpy()
        if len(places) == 1:
            yield key, rows.iloc[begins[places[0]] : ends[places[0]]]
        else:
            spans = zip(begins[places], ends[places], strict=True)
            yield key, rows.take(np.concatenate([np.arange(b, e) for b, e in spans]))


def known_sum(values: "Series[Any]") -> float:
    """The exactly rounded sum of values none of which is missing."""
    numbers = values.to_numpy(dtype="float64")
    begins = range(0, len(numbers), _SLICE_ROWS)
    return fsum(chain.from_iterable(numbers[b : b + _SLICE_ROWS].tolist() for b in begins))
