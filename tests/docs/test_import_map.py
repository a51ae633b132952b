"""The map of packages shows the actual imports."""

import re
import sys
import xml.etree.ElementTree as ElementTree

from tests.locust_run import ROOT

sys.path.insert(0, str(ROOT / "docs"))
from import_map import drawing, files, imports, order, packages, purpose  # noqa: E402


def test_the_counts_of_imports_are_those_of_a_plain_search() -> None:
    """`from X` or `import X` at the start of a line, counted by a regular expression."""
    counts = imports()
    for package in packages():
        for other in set(packages()) - {package}:
            line = re.compile(rf"^\s*(from {other}[. ]|import {other}\b)", re.M)
            count = sum(bool(line.search(path.read_text("utf-8"))) for path in files(package))
            assert counts[package][other] == count, (package, other)


def test_every_package_and_every_import_is_drawn() -> None:
    """One box per package and one arrow per import, in well-formed XML without addresses."""
    text = drawing()
    tree = ElementTree.fromstring(text)
    space = "{http://www.w3.org/2000/svg}"
    words = [element.text for element in tree.iter(f"{space}text")]
    for package in packages():
        assert f"{package}/" in words or package in words
    arrows = [e for e in tree.iter(f"{space}path") if e.get("marker-end")]
    assert len(arrows) == sum(len(+counts) for counts in imports().values())
    assert not re.findall(r"href|url\((?!#)", text)


def test_the_wiring_is_drawn_on_top() -> None:
    assert order(imports())[0] == "locustfile"


def test_every_file_has_a_docstring() -> None:
    for package in packages():
        for path in files(package):
            assert purpose(path), path
