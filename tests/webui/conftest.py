"""Fixtures of the web UI's tests: one fast simulator, and servers that send to it."""

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.simulated import Simulator
from tests.webui.browser import CHROMIUM, FLAGS, Browser
from tests.webui.server import WebServer

Serve = Callable[..., WebServer]


@pytest.fixture(scope="module")
def gateway(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Simulator]:
    """A simulator that answers in 0.1 s."""
    made = Simulator(tmp_path_factory.mktemp("gateway") / "log.csv", "--profile", "fast",
                     "--fault", "slow_headers=1.0", "--fault-delay", 0.1)  # fmt: skip
    yield made
    made.stop()


@pytest.fixture(scope="module")
def server(gateway: Simulator, tmp_path_factory: pytest.TempPathFactory) -> Iterator[WebServer]:
    """A local server that many tests share; each leaves it idle."""
    made = WebServer(tmp_path_factory.mktemp("server") / "results", "-H", gateway.url)
    yield made
    made.process.kill()
    made.process.wait()


@pytest.fixture
def serve(gateway: Simulator, tmp_path: Path) -> Iterator[Serve]:
    """Starts servers with other arguments, for one test."""
    started: list[WebServer] = []

    def start(*arguments: object, **more: object) -> WebServer:
        results = tmp_path / f"server-{len(started)}" / "results"
        results.parent.mkdir()
        started.append(WebServer(results, *(arguments or ("-H", gateway.url)), **more))  # type: ignore[arg-type]
        return started[-1]

    yield start
    for made in started:
        made.process.kill()
        made.process.wait()


@pytest.fixture(scope="module")
def chromium() -> Iterator[Any]:
    playwright = pytest.importorskip("playwright.sync_api", reason="playwright is not installed")
    if CHROMIUM is None:
        pytest.skip("chromium is not installed")
    with playwright.sync_playwright() as driver:
        made = driver.chromium.launch(executable_path=CHROMIUM, args=FLAGS)
        yield made
        made.close()


@pytest.fixture
def browser(chromium: Any) -> Iterator[Browser]:
    made = Browser(chromium)
    yield made
    made.page.close()
    assert made.errors == []
    assert made.foreign == []
