"""One row per planned request, though a worker's file and the master's copy both contain it."""

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from recording.bilingual import Bilingual
from recording.counted import counted
from recording.outcome import Outcome

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    from analysis.reading.rows import Source

_WEIGHTS: dict[str, int] = {Outcome.CANCELLED: 1, Outcome.LOST: 2, Outcome.DROPPED: 3}


def unite(
    source: "Source", plan: Sequence[str], remarks: list[Bilingual]
) -> tuple["NDArray[np.int64]", dict[str, tuple[int, int]]]:
    """The places of the rows that count, by phase (in the plan's order) and request_index; and
    where among them each phase begins and ends.

    A finished row outweighs a cancelled one, which outweighs a lost one, which outweighs a dropped
    one: the master writes off what a lost worker had planned, and the worker's own file may know
    better. Among equals the one read first counts; a remark counts requests that were sent twice.
    """
    import numpy as np

    names, phase = _codes(source, "phase")
    place = {name: i for i, name in reversed(list(enumerate(plan)))}
    sequence = sorted(range(len(names)), key=lambda i: (place.get(names[i], len(plan)), names[i]))
    rank = np.argsort(np.array(sequence, dtype=np.int64))[phase] if names else phase
    outcomes, outcome = _codes(source, "outcome")
    weight = np.array([_WEIGHTS.get(o, 0) for o in outcomes], dtype=np.int64)[outcome]
    index = source.column("request_index").to_numpy()
    order = _each_once(rank, index)
    if order is None:
        order = np.lexsort((weight, index, rank))
        again = _again(rank[order], index[order])
        if again.any():
            _remark_twice(source, order, again, weight, remarks)
            _remark_cancelled(source, order, again, weight, remarks)
            order = order[~again]
    ends = np.cumsum(np.bincount(rank[order], minlength=len(names))).tolist()
    bounds = zip((names[i] for i in sequence), zip([0, *ends], ends, strict=False), strict=True)
    return order, dict(bounds)


def _codes(source: "Source", name: str) -> tuple[list[str], Any]:
    """The distinct values of a column, and of each row which it is."""
    column = source.column(name).unify_dictionaries().combine_chunks()
    return column.dictionary.to_pylist(), column.indices.to_numpy()


def _each_once(rank: Any, index: Any) -> "NDArray[np.int64] | None":
    """The places of the rows if each phase has each index from 0 on once, which needs no sort.

    Otherwise None.
    """
    import numpy as np

    sizes = np.bincount(rank)
    if (index < 0).any() or (index >= sizes[rank]).any():
        return None
    order = np.full(len(rank), -1, dtype=np.int64)
    order[(np.cumsum(sizes) - sizes)[rank] + index] = np.arange(len(rank))
    return None if (order < 0).any() else order


def _again(*keys: Any) -> Any:
    """Which rows have the keys of the row before them."""
    import numpy as np

    same = np.ones(max(0, len(keys[0]) - 1), dtype=bool)
    for key in keys:
        same &= key[1:] == key[:-1]
    return np.concatenate([np.zeros(min(1, len(keys[0])), dtype=bool), same])


def _remark_twice(
    source: "Source", order: Any, again: Any, weight: Any, remarks: list[Bilingual]
) -> None:
    """Say how many requests have finished rows that are no copies of one another."""
    import numpy as np
    import pandas as pd

    first = ~again
    shared = again.copy()
    shared[:-1] |= again[1:]
    finished = shared & (weight[order] == 0)
    table = source.take(["worker", "timestamp"], order[finished])
    rows = pd.DataFrame(
        {
            "request": np.cumsum(first)[finished],
            "worker": table["worker"].combine_chunks().indices.to_numpy(),
            "timestamp": table["timestamp"].combine_chunks().dictionary_encode().indices.to_numpy(),
        }
    )
    twice = int(rows.drop_duplicates().duplicated("request").sum())
    if twice:
        were = counted(twice, "request was", "requests were")
        text = f"{were} sent twice; the copy read first is counted."
        remarks.append(Bilingual(text, f"{twice} 个请求被发送两次，以先读到的记录计数。"))


def _remark_cancelled(
    source: "Source", order: Any, again: Any, weight: Any, remarks: list[Bilingual]
) -> None:
    """Say how many requests that were in flight when an attempt ended were sent by a later one."""
    import numpy as np

    ends, number = weight[order], np.cumsum(~again) - 1
    finished = (ends[~again] == 0)[number]  # of each row, whether its request has a finished one
    attempt = source.column("attempt").fill_null(0).to_numpy()[order]
    later = attempt != attempt[~again][number]
    paid = finished & (
        (ends == _WEIGHTS[Outcome.CANCELLED]) | (later & (ends == _WEIGHTS[Outcome.LOST]))
    )
    count = len(np.unique(number[paid]))
    if count:
        were = "was" if count == 1 else "were"
        remarks.append(
            Bilingual(
                f"{counted(count, 'request')} {were} in flight when an attempt at the run ended "
                f"and {were} sent again by a later one: the first may have been paid for too, and "
                "no row says how much.",
                f"{count} 个请求在某次运行中断时尚在途，续跑时重新发送："
                "首次也可能已计费，金额未知。",
            )
        )
