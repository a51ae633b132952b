"""How often a reference called its tool wrongly. Pure."""

from typing import NamedTuple


class Called(NamedTuple):
    """Of so many replies: calls that the schema forbids or that are none, and those whose arguments
    are not the given ones."""

    invalid: int
    inexact: int
    replies: int
