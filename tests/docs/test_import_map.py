"""The map of the packages is what the imports are."""

import re
import sys
import xml.etree.ElementTree as ElementTree

from tests.locust_run import ROOT

sys.path.insert(0, str(ROOT / "docs"))
from import_map import drawing, files, imports, order, purpose, rooms  # noqa: E402


def test_the_counts_are_those_of_a_plain_search() -> None:
    """`from room` or `import room` at the start of a line, counted with a regular expression."""
    counts = imports()
    for room in rooms():
        for other in set(rooms()) - {room}:
            line = re.compile(rf"^\s*(from {other}[. ]|import {other}\b)", re.M)
            found = sum(bool(line.search(path.read_text("utf-8"))) for path in files(room))
            assert counts[room][other] == found, (room, other)


def test_every_room_and_every_import_is_drawn() -> None:
    """A box a room, an arrow an import; the picture is well-formed and asks for nothing else."""
    text = drawing()
    tree = ElementTree.fromstring(text)
    space = "{http://www.w3.org/2000/svg}"
    words = [element.text for element in tree.iter(f"{space}text")]
    for room in rooms():
        assert f"{room}/" in words or room in words
    arrows = [e for e in tree.iter(f"{space}path") if e.get("marker-end")]
    assert len(arrows) == sum(len(+counts) for counts in imports().values())
    assert not re.findall(r"href|url\((?!#)", text)


def test_the_wiring_stands_on_top() -> None:
    assert order(imports())[0] == "locustfile"


def test_every_file_says_what_it_is() -> None:
    for room in rooms():
        for path in files(room):
            assert purpose(path), path
