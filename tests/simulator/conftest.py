"""Simulators shared by the tests of this folder."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.simulator.gateway import Gateway, running


@pytest.fixture(scope="package")
def fast(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Gateway]:
    """One gateway with the `fast` profile for all tests that need no other."""
    log = tmp_path_factory.mktemp("fast") / "log.csv"
    arguments = ("--profile", "fast", "--seed", 7, "--trickle-interval", 0.05)
    with running(log, *arguments, "--fault-delay", 0.5, "--retry-after", 3) as gateway:
        yield gateway


@pytest.fixture
def log(tmp_path: Path) -> Path:
    """A path for a gateway's log."""
    return tmp_path / "log.csv"
