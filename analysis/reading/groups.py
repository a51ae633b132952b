"""Groups of rows: usually they are contiguous already, and nothing has to be copied."""

from collections.abc import Iterator, Sequence
from itertools import chain
from math import frexp, fsum
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray
    from pandas import DataFrame, Series

_SLICE_ROWS = 65_536
_LARGE = 2.0**1000  # above it the power of two overflows


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
    for key, spans_of_key in heads.groupby(list(by), sort=False, dropna=False):
        places = spans_of_key.index.to_numpy()
        if len(places) == 1:
            yield key, rows.iloc[begins[places[0]] : ends[places[0]]]
        else:
            spans = zip(begins[places], ends[places], strict=True)
            yield key, rows.take(np.concatenate([np.arange(b, e) for b, e in spans]))


def known_sum(values: "Series[Any]") -> float:
    """The exactly rounded sum of values none of which is missing: `math.fsum` of a long column."""
    numbers = values.to_numpy(dtype="float64")
    slices = (numbers[b : b + _SLICE_ROWS] for b in range(0, len(numbers), _SLICE_ROWS))
    return fsum(chain.from_iterable(map(_exact_sums, slices)))


def _exact_sums(rest: "NDArray[np.float64]") -> list[float]:
    """A few numbers with the same sum as those given.

    A value plus a large power of two loses its low bits; what is left of it is so coarse that the
    sum of the slice is exact, and the bits lost are a smaller value of the same kind (Rump, Ogita
    and Oishi: Accurate floating-point summation I, 2008).
    """
    import numpy as np

    sums = list[float]()
    while top := float(np.abs(rest).max(initial=0.0)):
        if not top < _LARGE:
            return [*rest.tolist()]
        power = 2.0 ** (frexp(top)[1] + len(rest).bit_length() + 1)
        coarse = (rest + power) - power
        sums.append(float(coarse.sum()))
        rest = rest - coarse
    return sums
