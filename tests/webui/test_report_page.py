"""The report in a real Chromium: on a narrow screen, with long names, and on paper."""

from pathlib import Path
from typing import Any

import pytest

from analysis.page import html
from analysis.reading.load import load
from analysis.report import report
from tests.analysis.runs import make, record
from tests.webui.browser import Browser

MODEL = "arn:aws:bedrock:us-east-1:123456789012:inference-profile/us.anthropic.claude-3-7-v1:0"
UNFOLD = "document.querySelectorAll('details').forEach(e => { e.open = true })"
CUT = """() => [...document.querySelectorAll('.table')].filter(box => box.scrollWidth >
    box.clientWidth && box.querySelectorAll('thead th').length < 4).map(box => box.innerText)"""
FIRST_CELL = """() => {
    const box = [...document.querySelectorAll('.table')].find(b => b.scrollWidth > b.clientWidth);
    box.scrollLeft = 200;
    return box.querySelector('td').getBoundingClientRect().left - box.getBoundingClientRect().left;
}"""


@pytest.fixture
def opened(browser: Browser, tmp_path: Path) -> Any:
    rows = [
        record(i, phase=f"rpm/{MODEL}/600", model_requested=MODEL, send_lag_s=1.5)
        for i in range(30)
    ]
    file = tmp_path / "report.html"
    file.write_text(
        html.render(report.compose(report.look(load(make(tmp_path / "r", *rows))))), "utf-8"
    )
    browser.page.set_viewport_size({"width": 390, "height": 844})
    browser.page.goto(file.as_uri())
    browser.foreign.clear()  # the file itself
    browser.page.evaluate(UNFOLD)
    return browser.page


def test_on_a_narrow_screen_the_page_is_not_wider_and_narrow_tables_are_whole(opened: Any) -> None:
    assert opened.evaluate("document.documentElement.scrollWidth") <= 390
    assert opened.evaluate(CUT) == []


def test_a_wide_table_keeps_its_first_column_in_sight(opened: Any) -> None:
    assert opened.evaluate(FIRST_CELL) == 0


def test_on_paper_the_sign_of_a_verdict_does_not_stand_on_a_background(opened: Any) -> None:
    """Browsers print no backgrounds, and a white sign on white paper cannot be seen."""
    opened.emulate_media(media="print")
    signs = opened.locator(".bad b, .good b, .note b")
    assert signs.count() >= 4
    for sign in signs.all():
        paper, ink = sign.evaluate(
            "e => [getComputedStyle(e).backgroundColor, getComputedStyle(e).color]"
        )
        assert (paper, ink) == ("rgba(0, 0, 0, 0)", "rgb(0, 0, 0)")
