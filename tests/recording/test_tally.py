"""Live counts: merging two tallies gives the tally of all."""

from dataclasses import replace

from hypothesis import given
from hypothesis import strategies as st

from recording.outcome import Outcome
from recording.record import RequestRecord
from recording.tally import Tally
from tests.recording.rows import row

RECORDS = st.builds(
    lambda outcome, tokens, cost, done_s: replace(
        row(),
        outcome=outcome,
        success=outcome == Outcome.OK,
        total_tokens=tokens,
        api_cost=cost,
        done_offset_s=done_s,
    ),
    st.sampled_from([*Outcome]),
    st.none() | st.integers(0, 10**6),
    st.none() | st.integers(0, 100).map(float),
    st.none() | st.floats(0, 100),
)


def counted(records: list[RequestRecord]) -> Tally:
    """All records, counted one by one."""
    tally = Tally()
    for each in records:
        tally.add(each)
    return tally


@given(st.lists(RECORDS), st.lists(RECORDS))
def test_merging_two_tallies_gives_the_tally_of_all_records(
    first: list[RequestRecord], second: list[RequestRecord]
) -> None:
    merged = counted(first)
    merged.merge(counted(second))
    assert merged == counted([*first, *second])
