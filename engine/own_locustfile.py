"""The users and the shape of the operator's own locustfile.

Users that are `GatewayUser`s send as ours do, and a shape drives them in mode interactive, where a
person would. Whatever else a locustfile may hold is refused before anything is sent: its users
would wait in our pool for ever, or send what nobody records.
"""

import logging
from collections.abc import Iterable
from typing import Any

from locust import LoadTestShape, User
from locust.env import Environment

from loadshapes.shapes import PlannedShape
from recording.errors import OperatorError

log = logging.getLogger("weighbridge")


def check_name(word: str) -> None:
    """See that a word of the command line that is no option names a user class. OperatorError."""
    known: list[type[User]] = [User]
    for user_class in known:
        known += user_class.__subclasses__()
    if word not in {user_class.__name__ for user_class in known}:
        raise OperatorError(
            f"{word} is neither an option nor a user class: write --name VALUE, and several values "
            "with commas between."
        )


def users(loaded: Iterable[type[User]], ours: type[User]) -> list[type[User]]:
    """The user classes to spawn: of ours, those that no other one extends. Raises OperatorError."""
    classes = list(loaded)
    foreign = [user_class.__name__ for user_class in classes if not issubclass(user_class, ours)]
    if foreign:
        raise OperatorError(
            f"the locustfile holds {', '.join(foreign)}: Weighbridge plans and records requests of "
            f"{ours.__name__} alone, so remove it, or run it in a Locust of its own."
        )
    return [
        user_class
        for user_class in classes
        if not any(user_class in other.__mro__[1:] for other in classes)
    ]


def shape(environment: Environment) -> LoadTestShape | None:
    """The locustfile's own shape; None if it brings none. Raises OperatorError for several."""
    shapes: list[Any] = list((environment.available_shape_classes or {}).values())
    own_shapes = [candidate for candidate in shapes if not isinstance(candidate, PlannedShape)]
    if len(own_shapes) > 1:
        names = ", ".join(type(candidate).__name__ for candidate in own_shapes)
        raise OperatorError(
            f"the locustfile holds {len(own_shapes)} shapes ({names}): leave one of them."
        )
    return own_shapes[0] if own_shapes else None


def check_mode(own_shape: LoadTestShape | None, mode: str) -> None:
    """See that a shape of the locustfile's own comes with the mode it can drive.

    OperatorError if not: two shapes cannot size one pool.
    """
    if own_shape is not None and mode and mode != "interactive":
        raise OperatorError(
            f"the locustfile's shape {type(own_shape).__name__} works only with --mode "
            "interactive: mode "
            f"{mode} sizes its users by its own plan, so remove the shape or change the mode."
        )


class CappedShape(PlannedShape):
    """A shape of the operator's, held to --max-workers; one that fails ends the run."""

    abstract = True

    def __init__(self, own_shape: LoadTestShape, environment: Environment, most: int) -> None:
        super().__init__()
        self._shape, self._environment, self._most = own_shape, environment, most
        self._warned = False
        self.failed = False

    def reset_time(self) -> None:
        """The test begins."""
        super().reset_time()
        self._shape.runner = self._environment.runner
        self._shape.reset_time()

    def tick(self) -> Any:
        """What the own shape says, with no more users than allowed; None at its end."""
        try:
            tick = self._shape.tick()
            if tick is None:
                return None
            users, rate, *classes = tick
            count = min(int(users), self._most)
        except Exception:
            log.exception("the locustfile's shape %s failed", type(self._shape).__name__)
            self.failed = True
            return None
        if count < users and not self._warned:
            self._warned = True
            log.warning("the shape asks for %s users: --max-workers holds it to %d", users, count)
        return (count, rate, *classes)
