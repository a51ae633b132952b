"""The compact set of indices, against Python's own set."""

from hypothesis import given
from hypothesis import strategies as st

from engine.index_set import Indices


@given(st.lists(st.integers(0, 300)))
def test_the_compact_set_holds_what_a_set_holds(added: list[int]) -> None:
    plain: set[int] = set()
    known = Indices()
    for index in added:
        plain.add(index)
        known.add(index)
        assert [i in known for i in range(310)] == [i in plain for i in range(310)]


def test_200000_indices_take_less_than_a_megabyte() -> None:
    known = Indices()
    for index in range(200_000):
        known.add(index)
    assert known._known.__sizeof__() < 1_000_000
