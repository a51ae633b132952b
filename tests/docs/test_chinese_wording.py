"""The Chinese texts follow the style sheet, docs/zh/style.md, and say what the English ones say.

Its second table holds wordings that a native reader would not write, and what to write instead.
"""

import ast
import re
from pathlib import Path

import pytest

from analysis.export.article_jsonl import STOP_RULE
from tests.locust_run import ROOT

ZH = ROOT / "docs" / "zh"
STYLE = ZH / "style.md"


def table(heading: str) -> dict[str, str]:
    """The first two columns of the table under a heading of the style sheet."""
    part = STYLE.read_text("utf-8").split(f"## {heading}\n")[1].split("\n## ")[0]
    rows = [line.strip("| ").split(" | ") for line in part.splitlines() if line.startswith("| ")]
    return {row[0].strip(): row[1].strip() for row in rows[1:]}


INSTEAD = table("不用的说法")
ROOMS = (
    "analysis", "compat", "engine", "estimates", "identity", "loadshapes", "recording", "rules",
    "settings", "tasks", "webui",
)  # fmt: skip
FILES = [path for room in ROOMS for path in (ROOT / room).rglob("*.py")]
PAGES = [path for path in (ROOT / "docs").rglob("*.md") if path != STYLE]
TRANSLATED = [path for path in ZH.rglob("*.md") if path != STYLE]
READMES = [ROOT / "README.zh-CN.md"]
HAN = "\u4e00-\u9fff"
PATTERN = re.compile(r"\(\?[:<!=]|\{0,|\w\?\w")  # of a regular expression
VERBATIM = {STOP_RULE}  # the article's script writes it so


@pytest.mark.parametrize("wording", INSTEAD)
def test_no_text_has_a_wording_that_the_style_sheet_rejects(wording: str) -> None:
    held = [path for path in FILES + PAGES + READMES if wording in path.read_text("utf-8")]
    assert not held, f"write {INSTEAD[wording]} rather than {wording}"


def prose(path: Path) -> str:
    """A page without code, commands, addresses and names."""
    text = re.sub(r"^```.*?^```", "", path.read_text("utf-8"), flags=re.S | re.M)
    return re.sub(r"`[^`\n]*`|\]\([^)]*\)", "", text)


@pytest.mark.parametrize("page", [*TRANSLATED, *READMES, STYLE], ids=lambda p: p.name)
def test_punctuation_beside_a_chinese_character_is_full_width(page: Path) -> None:
    """Comma, colon, semicolon, question mark and brackets, in every page."""
    bad = re.findall(rf"[{HAN}][,;:?!(]|[);:][{HAN}]|[{HAN}]\.(?:\s|$)", prose(page))
    assert not bad


def test_punctuation_in_the_programs_chinese_sentences_is_full_width() -> None:
    """In every string with Chinese in it, except patterns and the article's own words."""
    bad = []
    for path in FILES:
        for node in ast.walk(ast.parse(path.read_text("utf-8"))):
            text = node.value if isinstance(node, ast.Constant) else None
            if not isinstance(text, str) or PATTERN.search(text) or text in VERBATIM:
                continue
            if re.search(rf"[{HAN}] ?[,;?!(]|[,;:] ?[{HAN}]|[{HAN}]:(?! ?\d)", text):
                bad.append(f"{path.name}:{node.lineno}: {text}")
    assert not bad


UNSPACED = re.compile(rf"[{HAN}][A-Za-z0-9]|[A-Za-z0-9%][{HAN}]")


@pytest.mark.parametrize("page", [*TRANSLATED, *READMES, STYLE], ids=lambda p: p.name)
def test_a_space_stands_between_chinese_and_latin_letters(page: Path) -> None:
    assert not UNSPACED.findall(prose(page))


def test_a_space_stands_between_chinese_and_latin_letters_in_the_programs_texts() -> None:
    """In every string, except patterns; that of values is `analysis.page.words.spaced`'s."""
    texts = {
        node.value
        for path in FILES
        for node in ast.walk(ast.parse(path.read_text("utf-8")))
        if isinstance(node, ast.Constant) and isinstance(node.value, str)
    }
    assert [text for text in texts - VERBATIM if UNSPACED.search(text)
            and not PATTERN.search(text)] == []  # fmt: skip


def commands(page: Path) -> list[str]:
    """What a reader of a page has to type:

    the commands of its consoles, one per line, and whole files.
    """
    text = page.read_text("utf-8")
    typed = []
    for kind, block in re.findall(r"^```(\w*)\n(.*?)^```", text, re.S | re.M):
        if kind in ("toml", "yaml", "ini"):
            typed.append(block)
        elif kind in ("console", "sh", "bash"):
            joined = block.replace("\\\n", " ")
            typed += [" ".join(line.split()) for line in joined.splitlines() if line[:1] == "$"]
    return typed


@pytest.mark.parametrize("page", TRANSLATED, ids=lambda p: p.relative_to(ZH).as_posix())
def test_a_chinese_page_has_the_commands_of_its_english_one(page: Path) -> None:
    english = ROOT / "docs" / page.relative_to(ZH)
    assert commands(page) == commands(english)


def test_the_chinese_readme_has_the_commands_of_the_english_one_and_of_ci() -> None:
    """Both mention `make test`."""
    chinese, english = commands(READMES[0]), commands(ROOT / "README.md")

    def plain(found: list[str]) -> list[str]:
        return [line.split(" # ")[0] for line in found]

    assert set(plain(english)) <= set(plain(chinese))
    added = set(plain(chinese)) - set(plain(english))
    assert all("--fail-on" in line or "timeline" in line for line in added)


def test_every_term_of_the_style_sheet_is_used() -> None:
    """A term that occurs in no text is no rule."""
    texts = "".join(path.read_text("utf-8") for path in FILES + TRANSLATED + READMES)
    for chinese in table("术语").values():
        for term in re.split("、", chinese):
            assert term == "不译" or term in texts, term
