"""Foreign text is shown and never acted on:

invisible characters are escaped, long texts shortened.
"""

import json
import logging
import unicodedata

import pytest
from hypothesis import given
from hypothesis import strategies as st

from recording.untrusted_text import ShownWords, as_json, lines, markup, printable, quoted

UNSEEN = {"Cc", "Cf", "Cs", "Zl", "Zp"}
EVERY = [chr(code) for code in range(0x110000)]
any_text = st.text(st.characters(exclude_categories=[]), max_size=80)


def control_characters(text: str) -> list[str]:
    """Characters that a terminal, a log or a reader's eye would act on, by Unicode's own table."""
    return [one for one in text if unicodedata.category(one) in UNSEEN]


def test_exactly_the_invisible_characters_are_escaped() -> None:
    unescaped = {one for one in EVERY if printable(one) == one}
    assert {one for one in unescaped if unicodedata.category(one) in UNSEEN} == set()
    lost = [
        one for one in EVERY if one not in unescaped and unicodedata.category(one) not in UNSEEN
    ]
    assert all(unicodedata.category(one) == "Cn" for one in lost)  # newer Unicode's


@pytest.mark.parametrize(
    ("words", "seen"),
    [
        ("\x1b[2J\x1b]0;owned\x07", "\\x1b[2J\\x1b]0;owned\\x07"),
        ("a\r\nb\tc\0", "a\\r\\nb\\tc\\x00"),
        ("abc\u202edcba", "abc\\u202edcba"),
        ("a\u2028b\x85c\x9b31m", "a\\u2028b\\x85c\\x9b31m"),
        ("\U000e0041\ud800", "\\U000e0041\\ud800"),
        ("模型\u3000过载 naïve 🙂", "模型\u3000过载 naïve 🙂"),
        (404, "404"),
    ],
)
def test_foreign_text_is_shown_as_expected(words: object, seen: str) -> None:
    assert printable(words) == seen


@given(any_text, st.integers(1, 40))
def test_any_text_is_shown_without_control_characters_and_within_the_length(
    text: str, longest: int
) -> None:
    assert not control_characters(printable(text))
    cut = printable(text, longest)
    assert len(cut) <= longest and not control_characters(cut)
    assert cut == printable(text) or (cut[-1] == "…" and printable(text).startswith(cut[:-1]))
    assert not control_characters(quoted(text)) and not control_characters(markup(text))


@given(any_text)
def test_escaping_twice_changes_nothing(text: str) -> None:
    assert printable(printable(text)) == printable(text)


@given(any_text)
def test_only_our_own_line_breaks_are_kept(text: str) -> None:
    assert set(control_characters(lines(text))) <= {"\n"}
    assert lines(text).count("\n") == text.count("\n")


@given(st.dictionaries(any_text, any_text | st.integers() | st.none(), max_size=4))
def test_escaped_json_holds_the_same_values(content: dict[str, object]) -> None:
    written = as_json(content)
    assert set(control_characters(written)) <= {"\n"}
    assert json.loads(written) == json.loads(json.dumps(content))
    assert "\n" not in as_json(content, None)


def test_a_log_record_and_each_line_of_its_traceback_are_one_line() -> None:
    lines_logged: list[str] = []
    logger, handler = logging.Logger("test"), logging.Handler()
    handler.emit = lambda record: lines_logged.append(handler.format(record))  # type: ignore[method-assign]
    logger.addHandler(handler)
    logger.addFilter(ShownWords())
    logger.warning("the gateway said %s, %d times", "\x1b[31mno\nWARNING all is well", 3)
    try:
        raise ValueError("\x1b]0;owned\x07")
    except ValueError:
        logger.exception("lost %s", "\u202e")
    assert lines_logged[0] == "the gateway said \\x1b[31mno\\nWARNING all is well, 3 times"
    assert "owned" in lines_logged[1] and set(control_characters(lines_logged[1])) == {"\n"}
