"""Locust's own options, as the load shapes use or refuse them."""

import os

import pytest

os.environ.setdefault("LOCUST_SKIP_MONKEY_PATCH", "1")

from loadshapes.modes import MODES  # noqa: E402
from loadshapes.shapes import check_by_hand, check_users  # noqa: E402
from recording.errors import OperatorError  # noqa: E402

GIVEN = {"-u": 5, "-r": None, "-t": "10s"}


@pytest.mark.parametrize("mode", [mode for mode in ("", *MODES) if mode != "interactive"])
def test_users_and_run_time_are_refused_where_the_plan_decides_them(mode: str) -> None:
    with pytest.raises(OperatorError, match="-u, -t: only mode interactive reads"):
        check_by_hand(mode, GIVEN)


def test_mode_interactive_accepts_users_and_run_time() -> None:
    check_by_hand("interactive", GIVEN)


def test_no_users_and_no_run_time_are_no_error() -> None:
    check_by_hand("rpm", dict.fromkeys(GIVEN))


def test_users_set_by_hand_are_at_most_max_workers() -> None:
    check_users(200, 200)
    check_users(None, 200)
    with pytest.raises(OperatorError, match="100000 users are more than --max-workers 200"):
        check_users(100_000, 200)
