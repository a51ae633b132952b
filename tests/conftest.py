"""Fixtures that several rooms' tests share: a simulator in a process of its own."""

from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from hypothesis import settings

import loadshapes.modes  # noqa: F401  (options are judged by the modes that are registered)
from tests.simulated import Simulator

settings.register_profile("weighbridge", deadline=None)  # a busy machine is no defect
settings.load_profile("weighbridge")


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
