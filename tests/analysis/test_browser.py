"""The report in a real browser: headless Chromium, which tells every breach of the page's CSP."""

import re
import shutil
import subprocess
from pathlib import Path

import pytest

from analysis import report
from analysis.load import load
from analysis.words import Lang
from tests.analysis.test_report import everything

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


@pytest.mark.parametrize("lang", ["en", "zh"])
def test_the_page_draws_without_a_word_or_a_request(tmp_path: Path, lang: Lang) -> None:
    """Under `default-src 'none'` any request, script or inline style would be told: none is."""
    _, page, _ = report.write(load(everything(tmp_path / "r")), lang)
    assert console(page, tmp_path / "profile") == []


def test_a_request_would_be_told(tmp_path: Path) -> None:
    """The control of the test above: an image, a script and a style put in are each reported."""
    _, page, _ = report.write(load(everything(tmp_path / "r")))
    added = '<main><img src="http://gateway.example/x"><script>1</script><p style="color:red">'
    page.write_text(page.read_text(encoding="utf-8").replace("<main>", added), encoding="utf-8")
    assert len(console(page, tmp_path / "profile")) == 3
