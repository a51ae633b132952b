"""The shapes' side of Locust's own options."""

import os

import pytest

os.environ.setdefault("LOCUST_SKIP_MONKEY_PATCH", "1")

from loadshapes.modes import MODES  # noqa: E402
from loadshapes.shapes import check_by_hand, check_users  # noqa: E402
from recording.errors import OperatorError  # noqa: E402

GIVEN = {"-u": 5, "-r": None, "-t": "10s"}


@pytest.mark.parametrize("mode", [mode for mode in ("", *MODES) if mode != "interactive"])
def test_users_and_run_time_are_refused_where_the_plan_says_both(mode: str) -> None:
    with pytest.raises(OperatorError, match="-u, -t: only mode interactive reads"):
        check_by_hand(mode, GIVEN)


def test_mode_interactive_takes_them() -> None:
    check_by_hand("interactive", GIVEN)


def test_what_is_not_given_is_no_mistake() -> None:
    check_by_hand("rpm", dict.fromkeys(GIVEN))


def test_users_by_hand_are_no_more_than_max_workers() -> None:
    check_users(200, 200)
    check_users(None, 200)
    with pytest.raises(OperatorError, match="100000 users are more than --max-workers 200"):
        check_users(100_000, 200)
