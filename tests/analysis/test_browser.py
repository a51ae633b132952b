"""The report in headless Chromium, which logs every violation of the page's CSP."""

import re
import shutil
import subprocess
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import get_args

import pytest

from analysis.page import html
from analysis.page.words import Lang
from analysis.reading.load import load
from analysis.report import report
from tests.analysis.runs import hostile

CHROMIUM = shutil.which("chromium") or shutil.which("chromium-browser")
pytestmark = pytest.mark.skipif(CHROMIUM is None, reason="Chromium is not installed")


def console(page: Path, profile: Path) -> list[str]:
    """What the browser's console logs while the page is drawn; the browser can reach no host."""
    chromium = subprocess.run(
        [
            str(CHROMIUM), "--headless", "--no-sandbox", "--disable-gpu", "--disable-quic",
            "--no-first-run", "--disable-background-networking", "--disable-component-update",
            "--disable-sync", "--host-resolver-rules=MAP * ~NOTFOUND",
            f"--user-data-dir={profile}", "--enable-logging=stderr", "--dump-dom",
            page.as_uri(),
        ],
        capture_output=True, text=True, timeout=60, check=True,
    )  # fmt: skip
    assert "</footer>" in chromium.stdout
    return re.findall(r":CONSOLE.*", chromium.stderr)


@pytest.fixture(scope="module")
def console_of(whole: Path, tmp_path_factory: pytest.TempPathFactory) -> dict[str, list[str]]:
    """The console's lines for the page in each language, a hostile run's and a tampered one."""
    folder = tmp_path_factory.mktemp("pages")
    view = {lang: report.compose(report.look(load(whole), lang)) for lang in get_args(Lang)}
    drawn = {lang: html.render(page) for lang, page in view.items()}
    page = report.compose(report.look(load(hostile(folder / "run")), "en"))
    drawn["hostile"] = html.render(page)
    added = '<main><img src="http://gateway.example/x"><script>1</script><p style="color:red">'
    drawn["tampered"] = drawn["en"].replace("<main>", added)
    for name, text in drawn.items():
        (folder / f"{name}.html").write_text(text, encoding="utf-8")
    with ThreadPoolExecutor() as pool:
        logs = pool.map(lambda name: console(folder / f"{name}.html", folder / name), drawn)
        return dict(zip(drawn, logs, strict=True))


@pytest.mark.parametrize("lang", [*get_args(Lang), "hostile"])
def test_the_page_makes_no_request_and_logs_nothing(
    console_of: dict[str, list[str]], lang: str
) -> None:
    """Under `default-src 'none'` any request, script or inline style would be logged."""
    assert console_of[lang] == []


def test_a_tampered_page_logs_each_violation(console_of: dict[str, list[str]]) -> None:
    """The control of the test above: an added image, script and style are each reported."""
    assert len(console_of["tampered"]) == 3
