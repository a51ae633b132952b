"""Foreign words are shown, never obeyed: what cannot be seen is escaped, long ones are cut."""

import json
import logging
import unicodedata

import pytest
from hypothesis import given
from hypothesis import strategies as st

from recording.untrusted_text import ShownWords, as_json, lines, markup, quoted, shown

UNSEEN = {"Cc", "Cf", "Cs", "Zl", "Zp"}
EVERY = [chr(code) for code in range(0x110000)]
any_text = st.text(st.characters(exclude_categories=[]), max_size=80)


def obeyed(text: str) -> list[str]:
    """What a terminal, a log or a reader's eye would obey; Unicode's own table says."""
    return [one for one in text if unicodedata.category(one) in UNSEEN]


def test_every_character_without_a_shape_is_escaped_and_no_other_is() -> None:
    kept = {one for one in EVERY if shown(one) == one}
    assert {one for one in kept if unicodedata.category(one) in UNSEEN} == set()
    lost = [one for one in EVERY if one not in kept and unicodedata.category(one) not in UNSEEN]
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
def test_what_is_seen_of_foreign_words(words: object, seen: str) -> None:
    assert shown(words) == seen


@given(any_text, st.integers(1, 40))
def test_nothing_is_obeyed_and_nothing_is_longer_than_asked(text: str, longest: int) -> None:
    assert not obeyed(shown(text))
    cut = shown(text, longest)
    assert len(cut) <= longest and not obeyed(cut)
    assert cut == shown(text) or (cut[-1] == "…" and shown(text).startswith(cut[:-1]))
    assert not obeyed(quoted(text)) and not obeyed(markup(text))


@given(any_text)
def test_what_was_shown_once_stays_as_it_is(text: str) -> None:
    assert shown(shown(text)) == shown(text)


@given(any_text)
def test_only_our_own_line_breaks_stay(text: str) -> None:
    assert set(obeyed(lines(text))) <= {"\n"}
    assert lines(text).count("\n") == text.count("\n")


@given(st.dictionaries(any_text, any_text | st.integers() | st.none(), max_size=4))
def test_json_for_people_holds_the_same_values(content: dict[str, object]) -> None:
    written = as_json(content)
    assert set(obeyed(written)) <= {"\n"}
    assert json.loads(written) == json.loads(json.dumps(content))
    assert "\n" not in as_json(content, None)


def test_a_log_record_is_one_line_and_so_is_each_line_of_its_trace() -> None:
    told: list[str] = []
    logger, handler = logging.Logger("test"), logging.Handler()
    handler.emit = lambda record: told.append(handler.format(record))  # type: ignore[method-assign]
    logger.addHandler(handler)
    logger.addFilter(ShownWords())
    logger.warning("the gateway said %s, %d times", "\x1b[31mno\nWARNING all is well", 3)
    try:
        raise ValueError("\x1b]0;owned\x07")
    except ValueError:
        logger.exception("lost %s", "\u202e")
    assert told[0] == "the gateway said \\x1b[31mno\\nWARNING all is well, 3 times"
    assert "owned" in told[1] and set(obeyed(told[1])) == {"\n"}
