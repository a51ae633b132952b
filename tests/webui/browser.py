"""One page of a real Chromium.

WEIGHBRIDGE_SCREENSHOTS names a folder for screenshots of what the tests saw.
"""

import os
import re
import shutil
import time
from pathlib import Path
from typing import Any

from tests.webui.server import WebServer

CHROMIUM = shutil.which("chromium") or shutil.which("chromium-browser")
FLAGS = ["--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run",
         "--disable-background-networking", "--disable-component-update",
         "--disable-sync"]  # fmt: skip


class Browser:
    """One page of Chromium, and the complaints on its console."""

    def __init__(self, chromium: Any) -> None:
        self.page = chromium.new_page(viewport={"width": 1500, "height": 1000})
        self.errors: list[str] = []
        self.foreign: list[str] = []
        self.page.on("console", self._console)
        self.page.on("pageerror", lambda error: self.errors.append(str(error)))
        self.page.on("request", self._request)
        self.page.set_default_timeout(60_000)

    def _console(self, message: Any) -> None:
        if message.type in ("error", "warning"):
            self.errors.append(message.text)

    def _request(self, request: Any) -> None:
        if not re.match(r"http://127\.0\.0\.1:|data:|blob:", request.url):
            self.foreign.append(request.url)

    def start(self, server: WebServer, **fields: str) -> None:
        """Opens the start form, fills it in, and presses Start."""
        if not self.page.url.startswith(server.url):
            self.page.goto(server.url + "/locust")
        new = self.page.get_by_role("button", name="New")
        new.or_(self.page.get_by_text("Custom parameters")).first.wait_for()
        if new.count():
            new.click()
        self.page.get_by_text("Custom parameters").click()
        self._fill(fields)
        self.page.get_by_role("button", name="Start", exact=True).click()

    def edit(self, **fields: str) -> None:
        """Changes the running test."""
        self.page.get_by_role("button", name="Edit").click()
        self._fill(fields)
        self.page.get_by_role("button", name="Update").click()

    def _fill(self, fields: dict[str, str]) -> None:
        for name, text in fields.items():
            field = self.page.locator(f"form [name={name}]")
            field.wait_for()
            if field.evaluate("e => e.tagName") == "SELECT":
                field.select_option(text)
            else:
                field.fill(text)

    def tab(self, name: str) -> None:
        self.page.get_by_role("tab", name=name).click()

    def cells(self) -> list[list[str]]:
        """The Gateway tab's table without its header row."""
        rows: list[list[str]] = self.page.eval_on_selector_all(
            "#gateway-table tbody tr", "rows => rows.map(r => [...r.cells].map(c => c.textContent))"
        )
        return rows

    def until(self, true: Any, what: str, longest_s: float = 120) -> None:
        deadline = time.monotonic() + longest_s
        while not true():
            assert time.monotonic() < deadline, f"{what}: {self.page.inner_text('body')}"
            time.sleep(0.1)

    def picture(self, name: str) -> None:
        folder = os.environ.get("WEIGHBRIDGE_SCREENSHOTS")
        if folder:
            self.page.screenshot(path=Path(folder) / f"{name}.png", full_page=True)
