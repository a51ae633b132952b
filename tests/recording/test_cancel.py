"""Which requests are cancelled on purpose, and when: drawn from the seed and the number alone."""

from dataclasses import asdict

import pytest
from hypothesis import given
from hypothesis import strategies as st

from recording.cancel import Cancel, parse
from recording.errors import OperatorError


@pytest.mark.parametrize(
    ("text", "chunks", "time_s", "written"),
    [
        ("3chunks", 3, None, "3chunks"),
        ("1chunk", 1, None, "1chunks"),
        ("0chunks", 0, None, "0chunks"),
        ("500ms", None, 0.5, "500ms"),
        (" 2s ", None, 2.0, "2000ms"),
        ("0.25s", None, 0.25, "250ms"),
    ],
)
def test_cancel_after_is_a_number_of_chunks_or_a_time(
    text: str, chunks: int | None, time_s: float | None, written: str
) -> None:
    moment = parse(text)
    assert (moment.after_chunks, moment.after_s, str(moment)) == (chunks, time_s, written)
    assert parse(str(moment)) == moment


@pytest.mark.parametrize(
    "text", ["", "3", "chunks", "-1chunks", "0ms", "0s", "1h", "1e3ms", "3 s x"]
)
def test_a_malformed_cancel_after_is_one_sentence(text: str) -> None:
    with pytest.raises(OperatorError, match="write 3chunks, 500ms or 2s"):
        parse(text)


@given(st.text(max_size=20), st.floats(0.01, 0.9), st.integers(0, 10**6))
def test_workers_and_resumed_runs_draw_the_same_requests(
    seed: str, share: float, number: int
) -> None:
    """The plan reaches workers and the manifest as a dictionary."""
    cancel = Cancel(after_chunks=3, share=share, seed=seed)
    assert Cancel.of(asdict(cancel)) == cancel
    assert cancel.applies_to(number) == Cancel(after_s=1.0, share=share, seed=seed).applies_to(
        number
    )


def test_about_the_given_share_is_drawn_and_another_seed_draws_other_requests() -> None:
    for share in (0.1, 0.5, 0.9):
        first, second = (Cancel(after_s=1.0, share=share, seed=seed) for seed in ("a", "b"))
        drawn = [first.applies_to(number) for number in range(10_000)]
        assert abs(sum(drawn) / 10_000 - share) < 0.02  # 4 standard deviations
        assert drawn != [second.applies_to(number) for number in range(10_000)]
    assert all(Cancel(after_s=1.0).applies_to(number) for number in range(100))
