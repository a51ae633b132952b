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
    simulator = Simulator(tmp_path_factory.mktemp("gateway") / "log.csv", "--profile", "fast",
                     "--fault", "slow_headers=1.0", "--fault-delay", 0.1)  # fmt: skip
    yield simulator
    simulator.stop()


@pytest.fixture(scope="module")
def server(gateway: Simulator, tmp_path_factory: pytest.TempPathFactory) -> Iterator[WebServer]:
    """A local server that many tests share; each leaves it idle."""
    server = WebServer(tmp_path_factory.mktemp("server") / "results", "-H", gateway.url)
    yield server
    server.process.kill()
    server.process.wait()


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
    for server in started:
        server.process.kill()
        server.process.wait()


@pytest.fixture(scope="module")
def chromium() -> Iterator[Any]:
    playwright = pytest.importorskip("playwright.sync_api", reason="playwright is not installed")
    if CHROMIUM is None:
        pytest.skip("chromium is not installed")
    with playwright.sync_playwright() as driver:
        launched = driver.chromium.launch(executable_path=CHROMIUM, args=FLAGS)
        yield launched
        launched.close()


@pytest.fixture
def browser(chromium: Any) -> Iterator[Browser]:
    browser = Browser(chromium)
    yield browser
    browser.page.close()
    assert browser.errors == []
    assert browser.foreign == []
