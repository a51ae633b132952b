"""What requests are billed under: each task_id up to its model."""

from collections.abc import Iterable
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    import pyarrow as pa
    from pandas import Series


def task_prefixes(tables: "Iterable[pa.Table]") -> "Series[str]":
    """Each row's task_id up to its model, e.g. `nl-20260519-throughput-rpm`.

    Without its model in it: the task_id without the number at its end. The tables have the
    columns `task_id` and `model_requested`.
    """
    import numpy as np
    import pandas as pd
    import pyarrow as pa

    found = [pa.array([], pa.large_string()).dictionary_encode()]
    found += [_prefixes(table).dictionary_encode() for table in tables]
    whole = pa.chunked_array(found).unify_dictionaries().combine_chunks()
    dtype: Any = pd.StringDtype(na_value=np.nan)
    return pd.Series(dtype.__from_arrow__(whole.cast(pa.large_string())))


def _prefixes(table: "pa.Table") -> Any:
    import pyarrow as pa
    import pyarrow.compute as pc

    tasks = table["task_id"].combine_chunks()
    models = table["model_requested"].combine_chunks()
    bare = pc.utf8_rtrim(pc.utf8_rtrim(tasks, "0123456789"), "-")
    found = bare
    for number, model in enumerate(models.dictionary.to_pylist()):
        mark = f"-{model}-"
        chosen = pc.and_(pc.equal(models.indices, number), pc.match_substring(tasks, mark))
        if pc.any(chosen).as_py():
            heads = pc.list_element(pc.split_pattern(tasks, mark, max_splits=1), 0)
            found = pc.if_else(pc.fill_null(chosen, False), heads, found)
    return found if isinstance(found, pa.Array) else found.combine_chunks()
