"""Every sentence that an operator meets is there in Chinese, and none that is gone."""

import ast
import logging
import re
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from recording.chinese import (
    ANY,
    SENTENCES,
    InChinese,
    asked_language,
    chinese,
    in_language,
)
from recording.chinese.log import COMPOSED
from tests.locust_run import ROOT

sys.path.insert(0, str(ROOT / "docs"))

import errors  # noqa: E402
import import_map  # noqa: E402

LEVELS = ("info", "warning", "error")
HAN = re.compile(r"[\u4e00-\u9fff]")
PACKAGES = [name for name in import_map.packages() if name not in ("simulator", "benchmarks")]


def texts(path: Path) -> Iterator[str]:
    """Every string and f-string of a file, values as `…`."""
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Constant) and isinstance(node.value, str):
            yield re.sub(r"%[sd]", ANY, node.value)
        elif isinstance(node, ast.JoinedStr):
            yield "".join(
                str(part.value) if isinstance(part, ast.Constant) else ANY for part in node.values
            )


def logged(path: Path) -> Iterator[str]:
    """What a file says to the log of a run, beyond what it only passes on."""
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        of = node.func if isinstance(node, ast.Call) else None
        if isinstance(of, ast.Attribute) and of.attr in LEVELS and ast.unparse(of.value) == "log":
            first = node.args[0]  # type: ignore[attr-defined]
            if isinstance(first, ast.Constant):
                text = re.sub(r"%[sd]", ANY, str(first.value))
                if re.search(r"[a-z]{3}", text):
                    yield text


def files() -> list[Path]:
    ours = [path for name in PACKAGES for path in import_map.files(name)]
    return [path for path in ours if "chinese" not in path.parts]


def test_every_operator_error_is_there_in_chinese() -> None:
    wanted = {text for text, _ in errors.sentences() if re.search(r"[A-Za-z]{2}", text)}
    assert sorted(wanted - {*SENTENCES}) == []


def test_every_log_line_is_there_in_chinese() -> None:
    wanted = {text for path in files() for text in logged(path)}
    assert sorted(wanted - {*SENTENCES}) == []


def test_no_sentence_is_kept_that_the_code_no_longer_says() -> None:
    said = {text for path in files() for text in texts(path)}
    assert sorted({*SENTENCES} - said - {*COMPOSED}) == []


def test_every_value_of_the_english_sentence_stands_in_the_chinese_one() -> None:
    """A sentence without a value would hide a file's name; one with more would fail to be made."""
    for english, translated in SENTENCES.items():
        numbers = {int(number) for number in re.findall(r"(?<!\{)\{(\d)\}", translated)}
        assert numbers == set(range(english.count(ANY))), english
        translated.format(*("x" for _ in range(english.count(ANY))))


@given(st.sampled_from(sorted(SENTENCES)), st.lists(st.from_regex(r"[a-z]{1,8}", fullmatch=True),
                                                    min_size=9, max_size=9))  # fmt: skip
def test_a_sentence_with_values_is_chinese_and_keeps_them(english: str, values: list[str]) -> None:
    parts = english.split(ANY)
    written = "".join(a + b for a, b in zip(parts, [*values[: len(parts) - 1], ""], strict=True))
    said = chinese(written)
    assert HAN.search(said) or not re.search(r"[A-Za-z]{3}", english.replace("--", "")), written
    if "……" not in english:
        assert all(
            value in said or HAN.search(chinese(value)) for value in values[: len(parts) - 1]
        )


@pytest.mark.parametrize("text", ["", "a gateway's own words: no credit", "42", "--mode"])
def test_what_is_unknown_stays_as_it_is(text: str) -> None:
    assert in_language(text, "zh") == text == in_language(text, "en")


def test_faults_of_several_options_are_each_translated() -> None:
    both = "--steps works only with --mode ladder; remove it. --hold must be at least 0, not -1."
    assert (
        in_language(both, "zh")
        == "--steps 只用于 --mode ladder：请去掉。--hold 须不小于 0，而不是 -1。"
    )


@pytest.mark.parametrize(
    ("arguments", "environment", "lang"),
    [
        (["--lang", "zh"], {}, "zh"),
        (["--lang=zh"], {}, "zh"),
        (["--lang", "zh", "--lang", "en"], {}, "en"),
        ([], {"WEIGHBRIDGE_LANG": "zh"}, "zh"),
        (["--lang", "en"], {"WEIGHBRIDGE_LANG": "zh"}, "en"),
        (["--lang"], {}, "en"),
        ([], {"LANG": "zh_CN.UTF-8"}, "en"),
    ],
)
def test_the_language_is_known_before_the_command_line_is(
    arguments: list[str], environment: dict[str, str], lang: str
) -> None:
    assert asked_language(arguments, environment) == lang


def test_a_log_line_is_translated_with_its_values(caplog: pytest.LogCaptureFixture) -> None:
    log = logging.getLogger("test_chinese")
    log.addFilter(InChinese())
    with caplog.at_level("WARNING", "test_chinese"):
        log.warning("generator %s is lost", "worker-1")
        log.warning("%s: %d", "something else", 5)
    assert caplog.messages == ["压测端 worker-1 失去联系", "something else: 5"]
