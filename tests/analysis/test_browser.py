"""The report in a real browser: headless Chromium, which tells every breach of the page's CSP."""

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
    """What the browser's console says while the page is drawn; the browser reaches no host."""
    done = subprocess.run(
        [
            str(CHROMIUM), "--headless", "--no-sandbox", "--disable-gpu", "--disable-quic",
            "--no-first-run", "--disable-background-networking", "--disable-component-update",
            "--disable-sync", "--host-resolver-rules=MAP * ~NOTFOUND",
            f"--user-data-dir={profile}", "--enable-logging=stderr", "--dump-dom",
            page.as_uri(),
        ],
        capture_output=True, text=True, timeout=60, check=True,
    )  # fmt: skip
    assert "</footer>" in done.stdout
    return re.findall(r":CONSOLE.*", done.stderr)


@pytest.fixture(scope="module")
def said(whole: Path, tmp_path_factory: pytest.TempPathFactory) -> dict[str, list[str]]:
    """The console of the page in each language, and of a page tampered with; drawn side by side."""
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
        found = pool.map(lambda name: console(folder / f"{name}.html", folder / name), drawn)
        return dict(zip(drawn, found, strict=True))


@pytest.mark.parametrize("lang", [*get_args(Lang), "hostile"])
def test_the_page_draws_without_a_word_or_a_request(said: dict[str, list[str]], lang: str) -> None:
    """Under `default-src 'none'` any request, script or inline style would be told: none is."""
    assert said[lang] == []


def test_a_request_would_be_told(said: dict[str, list[str]]) -> None:
    """The control of the test above: an image, a script and a style put in are each reported."""
    assert len(said["tampered"]) == 3
