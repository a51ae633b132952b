"""The documentation builds as a complete site, without the network."""

import os
import re
import subprocess
import sys
from html.parser import HTMLParser
from pathlib import Path

import pytest
import yaml

from loadshapes.modes import MODES
from settings.options import Options
from tests.locust_run import ROOT

DOCS = ROOT / "docs"


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The site, built as `make site` builds it."""
    folder = tmp_path_factory.mktemp("site") / "site"
    completed = subprocess.run(
        [sys.executable, "-m", "mkdocs", "build", "--strict", "--quiet", "-d", str(folder)],
        cwd=ROOT,
        env={**os.environ, "NO_MKDOCS_2_WARNING": "1"},
        capture_output=True,
        text=True,
        timeout=300,
    )
    assert completed.returncode == 0, completed.stderr
    assert "WARNING" not in completed.stderr, completed.stderr
    return folder


class Fetched(HTMLParser):
    """What a browser fetches by itself when it opens a page."""

    def __init__(self) -> None:
        super().__init__()
        self.found: list[str] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        held = dict(attrs)
        if tag in ("script", "img", "iframe", "source") and held.get("src"):
            self.found.append(str(held["src"]))
        if tag == "link" and held.get("rel") in ("stylesheet", "icon", "preload", "preconnect"):
            self.found.append(str(held.get("href")))


def test_no_page_fetches_anything_from_another_site(site: Path) -> None:
    """Fonts, scripts, styles and pictures are the site's own."""
    pages = list(site.rglob("*.html"))
    assert len(pages) > 25
    for page in pages:
        parser = Fetched()
        parser.feed(page.read_text(encoding="utf-8"))
        assert parser.found
        assert not [one for one in parser.found if re.match(r"(https?:)?//", one)], page


def test_the_files_that_pages_link_to_are_in_the_site(site: Path) -> None:
    """The dashboard, the schemas and the notebook; the scripts that make them are left out."""
    for name in ("grafana/weighbridge.json", "schema/summary.json", "notebook.ipynb"):
        assert (site / name).is_file(), name
    assert not list(site.rglob("*.py"))


def test_every_page_is_in_the_navigation() -> None:
    text = (ROOT / "mkdocs.yml").read_text(encoding="utf-8")
    nav = text[
        text.index("\nnav:") :
    ]  # what is before it names a function, which is not plain YAML
    named = set(re.findall(r"[\w/-]+\.md", str(yaml.safe_load(nav)["nav"])))
    assert {path.relative_to(DOCS).as_posix() for path in DOCS.rglob("*.md")} == named


@pytest.mark.parametrize("mode", MODES)
def test_every_mode_has_a_page(mode: str) -> None:
    """A how-to page, named after the mode, shows its command."""
    pages = [path for path in DOCS.rglob("*.md") if f"--mode {mode}" in path.read_text("utf-8")]
    assert pages, f"write docs/how-to/{mode}.md"


def locust_commands(page: Path) -> list[str]:
    text = page.read_text(encoding="utf-8").replace("\\\n", " ")
    return re.findall(r"^\S*\$? ?\.venv/bin/locust (.*)$", text, re.M)


WITH_COMMANDS = [page for page in sorted(DOCS.rglob("*.md")) if locust_commands(page)]


@pytest.mark.parametrize("page", WITH_COMMANDS, ids=lambda p: p.relative_to(DOCS).as_posix())
def test_the_commands_of_a_page_name_options_that_exist(page: Path) -> None:
    """Every `--option` of a locust command is ours or Locust's."""
    locusts = {
        "headless", "loglevel", "processes", "master", "worker", "expect-workers", "autostart",
        "master-host", "web-host", "web-port", "run-time", "users", "host", "stop-timeout",
    }  # fmt: skip
    ours = {name.replace("_", "-") for name in Options.__dataclass_fields__}
    for command in locust_commands(page):
        own = re.sub(r'"[^"]*"', "", command)  # what is quoted is another program's
        named = set(re.findall(r"(?<!\S)--([a-z][a-z-]+)", own))
        assert named <= ours | locusts, command


@pytest.mark.parametrize("folder", ["", "zh"])
def test_the_first_page_of_each_language_links_all_others(folder: str) -> None:
    home = DOCS / folder
    linked = re.findall(r"\]\(([\w/.-]+\.md)\)", (home / "index.md").read_text("utf-8"))
    pages = {path for path in home.rglob("*.md") if folder or DOCS / "zh" not in path.parents}
    assert {(home / name).resolve() for name in linked} >= pages - {home / "index.md"}
