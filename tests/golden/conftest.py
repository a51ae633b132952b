"""A simulator whose replies are long enough to be timed: reasoning, then an answer."""

from collections.abc import Callable
from pathlib import Path

import pytest

from tests.golden.truth import THINKER
from tests.simulated import Simulator


@pytest.fixture
def thinker(simulator: Callable[..., Simulator], tmp_path: Path) -> Callable[..., Simulator]:
    """Starts a simulator of any model: first token after 0.2 s, then 50 a second, about 60."""

    def start(*arguments: object, thoughts: int = 60) -> Simulator:
        profile = tmp_path / "thinker.toml"
        profile.write_text(THINKER.format(ttft_s=0.2, tokens_per_s=50, thoughts=thoughts))
        return simulator("--profile", profile, *arguments)

    return start
