"""The task_ids of the requests: how many are distinct, and which one each is billed under.

A name is mostly a head that many share and a number at its end. Heads are kept once each, so that
ten million names are no more than two columns of numbers.
"""

from collections.abc import Iterable
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    import numpy as np
    import pyarrow as pa
    from numpy.typing import NDArray
    from pandas import Series

    Whole = NDArray[np.int64]

_DIGITS = "0123456789"
_MOST_DIGITS = 18  # a number with this many digits fits in 64 bits


class TaskIds:
    """The task_ids of rows: `heads` (a dictionary array) and, of each, which number follows."""

    def __init__(self, heads: "pa.DictionaryArray", numbers: "Whole") -> None:
        self._heads, self._numbers = heads, numbers

    @classmethod
    def of(cls, batches: "Iterable[pa.Array]") -> "TaskIds":
        """Those of texts that come in batches."""
        import numpy as np
        import pyarrow as pa

        heads = [pa.array([], pa.large_string()).dictionary_encode()]
        numbers = [np.empty(0, np.int64)]
        for texts in batches:
            head, number = _parted(texts)
            heads.append(head.dictionary_encode())
            numbers.append(number)
        all_heads = pa.chunked_array(heads).unify_dictionaries().combine_chunks()
        return cls(all_heads, np.concatenate(numbers))

    def take(self, places: "Whole") -> "TaskIds":
        """Those at some places, in that order."""
        import pyarrow as pa

        return TaskIds(self._heads.take(pa.array(places)), self._numbers[places])

    def count(self) -> tuple[int, int]:
        """How many rows have one, and how many of these differ."""
        import numpy as np
        import pandas as pd

        named = self._heads.is_valid().to_numpy(zero_copy_only=False)
        heads = self._heads.indices.fill_null(0).to_numpy()[named].astype(np.int64)
        numbers = self._numbers[named]
        if not len(heads):
            return 0, 0
        if len(self._heads.dictionary) * (int(numbers.max()) + 1) >= 1 << 63:
            numbers = pd.factorize(numbers)[0]
        both = np.sort(heads * (int(numbers.max()) + 1) + numbers)
        return len(both), 1 + int(np.count_nonzero(both[1:] != both[:-1]))

    def prefixes(self, models: "pa.DictionaryArray") -> "Series[str]":
        """Each task_id up to its model, e.g. `nl-20260519-throughput-rpm`.

        Without its model in it: the task_id without the number at its end. `models` are those of
        the rows.
        """
        import numpy as np
        import pandas as pd
        import pyarrow as pa

        head = self._heads.indices.fill_null(-1).to_numpy().astype(np.int64)
        model, several = models.indices.to_numpy(), max(1, len(models.dictionary))
        kind, kinds = pd.factorize(head * several + model)
        heads, names = kinds // several, models.dictionary.take(pa.array(kinds % several))
        texts = self._heads.dictionary.take(pa.array(heads, mask=heads < 0))
        parted = _prefixes(texts, names.dictionary_encode()).take(pa.array(kind))
        dtype: Any = pd.StringDtype(na_value=np.nan)
        return pd.Series(dtype.__from_arrow__(parted))


def _parted(texts: "pa.Array") -> "tuple[pa.Array, Whole]":
    """Texts (`large_string`) without the digits at their ends, and which digits these are.

    A number for each sequence of digits: none is 0, `0` to `9` are 1 to 10, `00` is 11.
    """
    import numpy as np
    import pyarrow as pa
    import pyarrow.compute as pc

    heads = pc.utf8_rtrim(texts, _DIGITS)
    sizes = pc.subtract(pc.binary_length(texts), pc.binary_length(heads)).fill_null(0).to_numpy()
    if (long := sizes > _MOST_DIGITS).any():
        heads, sizes = pc.if_else(pa.array(long), texts, heads), np.where(long, 0, sizes)
    _, places, body = texts.buffers()
    ends = np.frombuffer(places, np.int64)[texts.offset + 1 : texts.offset + 1 + len(texts)]
    data = np.frombuffer(body or b"", np.uint8)
    numbers = np.zeros(len(texts), np.int64)
    for place in range(int(sizes.max(initial=0))):
        here = sizes > place
        digits = data[ends[here] - 1 - place].astype(np.int64) - (ord("0") - 1)
        numbers[here] += digits * 10**place
    return heads, numbers


def _prefixes(tasks: "pa.Array", models: "pa.DictionaryArray") -> "pa.Array":
    import pyarrow as pa
    import pyarrow.compute as pc

    prefixes = pc.utf8_rtrim(pc.utf8_rtrim(tasks, _DIGITS), "-")
    for number, model in enumerate(models.dictionary.to_pylist()):
        mark = f"-{model}-"
        chosen = pc.and_(pc.equal(models.indices, number), pc.match_substring(tasks, mark))
        if pc.any(chosen).as_py():
            heads = pc.list_element(pc.split_pattern(tasks, mark, max_splits=1), 0)
            prefixes = pc.if_else(pc.fill_null(chosen, False), heads, prefixes)
    return prefixes if isinstance(prefixes, pa.Array) else prefixes.combine_chunks()
