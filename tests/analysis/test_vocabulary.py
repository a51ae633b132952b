"""What several tables show has the same name in all of them."""

import ast
from collections import Counter
from collections.abc import Iterator
from pathlib import Path

from analysis.page import vocabulary
from analysis.page.columns import Column, Name, table
from analysis.page.words import Words
from tests.locust_run import ROOT

T = Words("en", "USD")


def calls(path: Path) -> Iterator[tuple[ast.Call, str]]:
    """Every call in a file: its line and the last name of what is called."""
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Call):
            of = node.func
            yield node, of.id if isinstance(of, ast.Name) else getattr(of, "attr", "")


def wordings(path: Path) -> Iterator[tuple[str, str]]:
    """Both wordings of every `t("English", "Chinese")` in a file, and of `field("name")`."""
    for node, name in calls(path):
        if name == "field" and isinstance(node.args[0] if node.args else None, ast.Constant):
            yield ast.unparse(node.args[0]), ""
        if len(node.args) < 2:
            continue
        both = node.args[:2]
        if name in ("t", "words", "Name") and all(
            isinstance(one, ast.Constant | ast.JoinedStr) for one in both
        ):
            en, zh = map(ast.unparse, both)
            yield en, zh


def test_no_wording_occurs_twice() -> None:
    """A name or sentence used in two places is defined in one: vocabulary.py, or its own file."""
    count = Counter(pair for path in (ROOT / "analysis").rglob("*.py") for pair in wordings(path))
    assert {pair: n for pair, n in count.items() if n > 1} == {}


def test_every_table_is_made_of_columns() -> None:
    """Cells without a column would have names of their own."""
    files = [path for path in (ROOT / "analysis").rglob("*.py") if path.name != "columns.py"]
    assert [path.name for path in files for _, name in calls(path) if name == "Table"] == []


def test_no_two_names_of_the_vocabulary_are_the_same() -> None:
    named = [one.name if isinstance(one, Column) else one for one in vars(vocabulary).values()]
    english = Counter(name.en for name in named if isinstance(name, Name))
    assert [en for en, n in english.items() if n > 1] == []


def test_a_column_applied_to_other_items_keeps_its_name_and_format() -> None:
    """In both languages; unknown values and unknown money are `-`."""
    columns = [
        vocabulary.MODEL.of(lambda item: str(item["model"])),
        vocabulary.SUCCESS_RATE.of(lambda item: item["share"]),
        vocabulary.API_COST.of(lambda item: vocabulary.Cost(item["cost"], 2)),
    ]
    items = [{"model": "m", "share": 0.5, "cost": 1.0}, {"model": "n", "share": None, "cost": None}]
    drawn = table(T, items, columns)
    assert drawn.headers == ("Model", "Success rate", "API cost")
    assert table(Words("zh"), items, columns).headers == ("模型", "成功率", "API 返回费用")
    assert drawn.rows == [
        ("m", "50%", "$1.000000 (+2 unknown)"),
        ("n", "-", "unknown (2)"),
    ]
