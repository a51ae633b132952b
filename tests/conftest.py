"""Fixtures that several rooms' tests share: a simulator in a process of its own."""

import os
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from hypothesis import settings

import loadshapes.modes  # noqa: F401  (options are judged by the modes that are registered)
from tests.simulated import Simulator

os.environ["LC_ALL"] = "C.UTF-8"  # what we print follows the locale, and the tests read English

# No deadline: a busy machine is no defect. The gate tries the same examples every time, so that it
# passes or fails for what changed; `make property` tries new ones.
settings.register_profile("gate", deadline=None, derandomize=True, database=None)
settings.register_profile("search", deadline=None, max_examples=500)
settings.load_profile(os.environ.get("HYPOTHESIS_PROFILE", "gate"))


@pytest.fixture
def simulator(tmp_path: Path) -> Iterator[Callable[..., Simulator]]:
    """Starts simulators with the arguments given; all of them end with the test."""
    started: list[Simulator] = []

    def start(*arguments: object) -> Simulator:
        log = tmp_path / f"simulator-{len(started)}.csv"
        started.append(Simulator(log, *arguments))
        return started[-1]

    yield start
    for server in started:
        server.stop()
