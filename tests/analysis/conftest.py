"""A run with every kind of request, made once per session."""

from pathlib import Path

import pytest

from tests.analysis.runs import everything


@pytest.fixture(scope="session")
def whole(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return everything(tmp_path_factory.mktemp("whole") / "r")
