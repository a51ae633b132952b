"""Scripted servers for the tests of this package, as tests/tasks has them."""

from tests.tasks.conftest import *  # noqa: F403
