"""Task ids stored as prefixes and numbers, against the texts themselves."""

import pyarrow as pa
from hypothesis import example, given
from hypothesis import strategies as st

from analysis.reading.task_ids import TaskIds

MODELS = ("m", "gpt-5", "1")
TEXTS = (
    st.none()
    | st.text("-m1a0٣", max_size=6)
    | st.from_regex(r"[ab]-(m|1)-\d{0,20}", fullmatch=True)
)


def prefix(task: str | None, model: str) -> str | None:
    """The rule, for one row."""
    if task is None:
        return None
    head, mark, _ = task.partition(f"-{model}-")
    return head if mark else task.rstrip("0123456789").rstrip("-")


@given(st.lists(st.lists(st.tuples(TEXTS, st.sampled_from(MODELS)), max_size=6), max_size=4))
@example([[("a1", "m"), ("a01", "m"), ("a", "m")], [("a1", "m"), ("a" + "9" * 19, "m")]])
@example([[(f"{head}{10**17 * place}", "m") for place in range(9) for head in "abc"]])
def test_counts_and_prefixes_are_those_of_the_texts(
    batches: list[list[tuple[str | None, str]]],
) -> None:
    rows = [row for batch in batches for row in batch]
    ids = TaskIds.of(pa.array([t for t, _ in batch], pa.large_string()) for batch in batches)
    named = [task for task, _ in rows if task is not None]
    assert ids.count() == (len(named), len(set(named)))
    models = pa.array([model for _, model in rows], pa.string()).dictionary_encode()
    prefixes = [None if p != p else p for p in ids.prefixes(models)]
    assert prefixes == [prefix(task, model) for task, model in rows]
