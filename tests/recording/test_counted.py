"""Numbers of things in English."""

import pytest

from recording.counted import counted


@pytest.mark.parametrize(
    ("count", "words", "text"),
    [
        (0, ("request",), "0 requests"),
        (1, ("request",), "1 request"),
        (2, ("request",), "2 requests"),
        (1_200, ("request",), "1,200 requests"),
        (2, ("reply",), "2 replies"),
        (2, ("day",), "2 days"),
        (2, ("success",), "2 successes"),
        (2, ("batch",), "2 batches"),
        (1, ("row is", "rows are"), "1 row is"),
        (3, ("row is", "rows are"), "3 rows are"),
    ],
)
def test_one_thing_is_singular_and_every_other_number_plural(
    count: int, words: tuple[str, ...], text: str
) -> None:
    assert counted(count, *words) == text
