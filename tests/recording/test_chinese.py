"""Every sentence that an operator can meet has a Chinese entry, and no entry is left over."""

import ast
import logging
import re
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from loadshapes.own_traffic.file import read
from loadshapes.own_traffic.formats import SHAPES
from recording.chinese import (
    ANY,
    SENTENCES,
    InChinese,
    _Value,
    _values,
    asked_language,
    chinese,
    in_language,
)
from recording.chinese.log import COMPOSED
from recording.chinese.traffic import PUT_TOGETHER
from recording.errors import OperatorError
from recording.row_notes import FORMATS
from tests.locust_run import ROOT

sys.path.insert(0, str(ROOT / "docs"))

import errors  # noqa: E402
import import_map  # noqa: E402

LEVELS = ("info", "warning", "error", "exception")
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
    """What a file writes to the log of a run, except what it only passes on."""
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
    return [path for path in ours if "chinese" not in path.relative_to(ROOT).parts]


def test_every_operator_error_has_a_chinese_entry() -> None:
    wanted = {text for text, _ in errors.sentences() if re.search(r"[A-Za-z]{2}", text)}
    assert sorted(wanted - {*SENTENCES}) == []


def test_every_log_line_has_a_chinese_entry() -> None:
    wanted = {text for path in files() for text in logged(path)}
    assert sorted(wanted - {*SENTENCES}) == []


def clauses(path: Path) -> Iterator[str]:
    """What a file finds wrong with a row of own traffic: in ValueErrors, or yielded."""
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        value: ast.expr | None = None
        if isinstance(node, ast.Raise) and isinstance(node.exc, ast.Call) and node.exc.args:
            value = node.exc.args[0]
        elif isinstance(node, ast.Yield):
            value = node.value
        if isinstance(value, ast.Constant | ast.JoinedStr):
            yield from errors._written(value)


def test_every_fault_of_a_row_of_own_traffic_is_there_in_chinese() -> None:
    files = (ROOT / "loadshapes" / "own_traffic").rglob("*.py")
    wanted = {text for path in files for text in clauses(path) if re.search(r"[a-z]{3}", text)}
    assert len(wanted) > 50 and sorted(wanted - {*SENTENCES}) == []


def test_faults_of_a_file_are_told_line_by_line_in_chinese() -> None:
    said = chinese(
        "--prompts a b.jsonl: line 1: 'foo' is not a key of a line (a gateway's own fields go into "
        "extra_body); n must be 1, for one reply is measured; line 3: it is not JSON (Expecting "
        "value: line 1 column 1 (char 0)); and 7 more lines; mend the file."
    )
    assert said == (
        "--prompts a b.jsonl：第 1 行：'foo' 不是行中可用的键（网关自有的字段请放进 extra_body）；"
        "n 须为 1，因为只测一个回复；第 3 行：不是 JSON（Expecting value: line 1 column 1 (char "
        "0)）；另有 7 行；请修正该文件。"
    )


def test_every_chinese_entry_is_of_a_sentence_in_the_code() -> None:
    sentences = {text for path in files() for text in texts(path)}
    assert sorted({*SENTENCES} - sentences - {*COMPOSED, *PUT_TOGETHER}) == []


def test_every_value_of_an_english_sentence_is_in_the_chinese_one() -> None:
    """A sentence without a value would hide a file's name; one with more could not be formatted."""
    for english, translated in SENTENCES.items():
        numbers = {int(number) for number in re.findall(r"(?<!\{)\{(\d)(?::[+;])?\}", translated)}
        assert numbers == set(range(english.count(ANY))), english
        translated.format(*(_Value("x") for _ in range(english.count(ANY))))


FOREIGN = st.sampled_from(
    ["at least 16 tokens, not 5", "use a valid key", "burst", "above 3", "a or b", "gateway", "…"]
) | st.from_regex(r"[a-z]{1,8}", fullmatch=True)


@given(st.sampled_from(sorted(SENTENCES)), st.lists(FOREIGN, min_size=9, max_size=9))
def test_a_sentence_is_translated_and_foreign_values_are_not(
    english: str, values: list[str]
) -> None:
    """Above all the gateway's own words, which are quoted to its support."""
    parts, translated = english.split(ANY), SENTENCES[english]
    given_ = values[: len(parts) - 1]
    written = "".join(a + b for a, b in zip(parts, [*given_, ""], strict=True))
    chinese_text = chinese(written)
    if _meant(written) != english:
        return  # with these values it is a more specific sentence
    if re.sub(r"\{\d(:[+;])?\}", ANY, translated) != english:  # as `--slo …` is
        assert chinese_text != written
    for number, value in enumerate(_values(parts, written) or ()):
        if f"{{{number}}}" in translated:
            assert value in chinese_text


def _meant(written: str) -> str:
    ordered = sorted(SENTENCES, key=lambda e: (":;}" not in SENTENCES[e], -len(e.replace(ANY, ""))))
    return next(one for one in ordered if _values(one.split(ANY), written) is not None)


def test_the_gateways_words_are_never_translated() -> None:
    line = (
        "m: the gateway refuses max_tokens (HTTP 400: at least 16 tokens, not 5); sent again and "
        "from now on: max_completion_tokens"
    )
    assert chinese(line) == (
        "m：网关拒绝 max_tokens（HTTP 400：at least 16 tokens, not 5）；已重新发送，此后改为："
        "max_completion_tokens"
    )
    for words in ("use a valid key", "at most 3", "in all: 3 requests"):
        chinese_text = chinese(
            f"GET /models was refused with HTTP 401: is the API key right? {words}"
        )
        assert chinese_text.endswith(words)
        assert words in chinese(f"the gateway at http://h/v1 cannot be reached ({words}): {words}")


def test_a_long_text_of_commas_is_translated_in_linear_time() -> None:
    """With a regular expression ten times the text took a thousand times as long."""
    short, long = ("a, b; c: d (e) " * count for count in (200, 2_000))
    times = []
    for text in (short, long):
        began = time.process_time()
        for _ in range(5):
            chinese(text)
        times.append(time.process_time() - began)
    assert times[1] < 60 * max(times[0], 0.001)


@pytest.mark.parametrize("text", ["", "a gateway's own words: no credit", "42", "--mode"])
def test_an_unknown_sentence_is_left_as_it_is(text: str) -> None:
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
        ([], {"LANG": "zh_CN.UTF-8"}, "zh"),
        ([], {"LC_ALL": "zh_Hans_CN.utf8", "LANG": "C"}, "zh"),
        ([], {"LC_ALL": "C.UTF-8", "LANG": "zh_CN.UTF-8"}, "en"),
        ([], {"LC_ALL": "", "LC_MESSAGES": "en_US.UTF-8", "LANG": "zh_CN.UTF-8"}, "en"),
        ([], {"LANG": "zh_CN.GBK"}, "en"),
        ([], {"LANG": "zh_TW.UTF-8"}, "en"),
        ([], {"LANG": "en_US.UTF-8"}, "en"),
        ([], {"LANG": "zh_CN.UTF-8", "WEIGHBRIDGE_LANG": "en"}, "en"),
        (["--lang", "en"], {"LANG": "zh_CN.UTF-8"}, "en"),
    ],
)
def test_the_language_is_that_of_the_option_the_variable_or_the_locale(
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


@pytest.mark.parametrize(
    ("rows", "trace", "said"),
    [
        ('{"messages": [{"role": "x", "content": "y"}]}', False, "第 1 行：messages[0].role 须为"),
        ('{"foo": 1}', False, "各行的格式无法识别（首行的键：foo）"),
        ('{"talk": [{"from": "human", "value": "x"}]}', False, "请将 talk 改名为 conversations"),
        ('{"prompt": "x"}', True, "这是“纯 prompt”格式，不含时间"),
        ("timestamp,input_length,output_length\n1,1,2", False, "Mooncake（时间以毫秒计）"),
        ('{"custom_id": "1", "url": "/v1/embeddings", "body": {"input": "x"}}', False, "略去发往"),
    ],
)
def test_a_file_of_the_wrong_shape_is_refused_in_chinese(
    rows: str, trace: bool, said: str, tmp_path: Path
) -> None:
    path = tmp_path / "own.txt"
    path.write_text(rows + "\n", encoding="utf-8")
    with pytest.raises(OperatorError) as refused:
        read(str(path), "trace" if trace else "prompts", trace)
    sentence = chinese(str(refused.value)).replace(str(path), "FILE")
    assert said in sentence
    names = {"messages", "role", "system", "developer", "user", "assistant", "tool", "function",
             "prompt", "prompts", "trace", "replay", "Mooncake", "chat", "completions", "FILE",
             "docs", "how-to", "foo", "talk", "conversations", "ShareGPT"}  # fmt: skip
    assert set(re.findall(r"[A-Za-z-]{3,}", sentence.replace("--", ""))) - {"md"} <= names, sentence


def test_every_format_of_own_traffic_has_a_chinese_name() -> None:
    assert [shape.name for shape in SHAPES] == [*FORMATS]


def test_what_ends_a_phase_early_is_logged_in_chinese() -> None:
    """Log lines that are a phase's name and a sentence made elsewhere."""
    stopping = ROOT / "engine" / "stopping.py"
    begin = re.compile("the (stop rule acted|… …|budget|first|gateway).*[^ ]$")
    told = {text for text in texts(stopping) if begin.match(text)}
    assert len(told) == 6
    for text in told:
        text = text.replace("the … … requests", "the last 5 requests").replace(ANY, "7")
        translated = chinese(f"rpm/m/60: {text}")
        assert translated.startswith("rpm/m/60：") and not re.search(
            "[a-z]{3} [a-z]{3}", translated
        )


@pytest.mark.parametrize(
    ("path", "begin"),
    [("identity/reference.py", "--reference f.json "), ("analysis/enrol/reference.py", "a-run ")],
)
def test_what_a_reference_is_found_to_be_is_said_in_chinese(path: str, begin: str) -> None:
    told = [text for text in clauses(ROOT / path) if re.search("[a-z]{3} ", text)]
    assert len(told) >= 5
    for text in told:
        translated = chinese(f"{begin}{text.replace(ANY, '7')}.")
        plain = re.sub("`[^`]*`", "", translated)
        assert plain[-1] == "。" and not re.search("[a-z]{3} [a-z]{3}", plain), translated
