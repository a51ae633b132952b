"""Locust's shapes: they size the pool and end the test; the plan decides when a request is sent.

A shape's tick comes about once a second and cannot time a request. So users are spawned in one
step before traffic begins, park at their generator, and the conductor runs the phases.
"""

from collections.abc import Mapping
from typing import ClassVar, Protocol

from locust import LoadTestShape

from recording.errors import OperatorError


class Conducted(Protocol):
    """The part of the run that a shape uses: how many users it needs, and whether it is over."""

    @property
    def pool(self) -> int: ...

    @property
    def step_pool(self) -> int: ...

    @property
    def over(self) -> bool: ...


class PlannedShape(LoadTestShape):
    """Holds the pool of the plan for as long as the run lasts."""

    abstract = True
    # Otherwise the web UI's form would lock the fields that mode interactive, which has no shape,
    # needs.
    use_common_options = True
    run: ClassVar[Conducted | None] = None

    def tick(self) -> tuple[int, float] | None:
        """(users, spawn rate) until the run is over, then None."""
        run = PlannedShape.run
        if run is None or run.over:
            return None
        users = self.users(run)
        return users, users

    def users(self, run: Conducted) -> int:
        """The number of users to have now."""
        return run.pool


class FixedRate(PlannedShape):
    """Open-loop windows: the whole pool waits for the due times of an RPM or TPM schedule."""


class ConcurrencyLadder(PlannedShape):
    """Closed-loop steps: the pool grows to each step's concurrency in the pause before it."""

    def users(self, run: Conducted) -> int:
        """The users that the highest step so far needs; at least 1, because Locust cannot start
        with 0.
        """
        return run.step_pool or 1


def check_by_hand(mode: str, locust_options: Mapping[str, object]) -> None:
    """Check that Locust's own `-u`, `-r`, `-t` (None: not given) are used only in the mode that
    reads them.

    Raises OperatorError if not: a shape would ignore them, and the run would differ from what they
    say.
    """
    unread = [flag for flag, value in locust_options.items() if value is not None]
    if unread and mode != "interactive":
        raise OperatorError(
            f"{', '.join(unread)}: only mode interactive reads Locust's own users, spawn rate and "
            f"run time; mode {mode or '(none)'} takes its users from its plan (--max-workers, "
            "--steps) and ends by it (--duration, --hold)."
        )


def check_users(users: int | None, most: int) -> None:
    """Check that mode interactive has at most --max-workers users. Raises OperatorError if it has
    more: a typing error could take down the machine and the gateway.
    """
    if users is not None and users > most:
        raise OperatorError(
            f"{users} users are more than --max-workers {most}: raise --max-workers, or give fewer "
            "users."
        )


def shape_for(mode: str) -> PlannedShape:
    """The shape of a mode."""
    return ConcurrencyLadder() if mode == "ladder" else FixedRate()
