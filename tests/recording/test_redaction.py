"""The key is removed in every form a gateway may give it, and innocent words are left alone."""

import base64
from urllib.parse import quote

import pytest
from hypothesis import given
from hypothesis import strategies as st

from recording.redaction import SHORTEST, redacted

KEY = "sk-canary+5b1e/77f0c2=="
keys = st.text(st.characters(min_codepoint=33, max_codepoint=126), min_size=16, max_size=80)
texts = st.text(max_size=60)


@given(keys, texts, texts)
def test_the_key_is_removed_from_any_text(key: str, before: str, after: str) -> None:
    assert key not in redacted(before + key + after, key)


@pytest.mark.parametrize(
    "coded",
    [
        quote(KEY, safe=""),
        quote(KEY),
        quote(KEY, safe="").replace("%2B", "%2b").replace("%2F", "%2f").replace("%3D", "%3d"),
        base64.b64encode(KEY.encode()).decode(),
        base64.urlsafe_b64encode(KEY.encode()).decode(),
        base64.b64encode(f"Bearer {KEY}".encode()).decode(),
        base64.b64encode(f"user:{KEY}".encode()).decode(),
        base64.b64encode(f"me:{KEY}\n".encode()).decode(),
        quote(quote(KEY, safe=""), safe=""),
        KEY.replace("/", "\\/"),
        KEY.replace("/", "\\\\/"),
        KEY.replace("+", "\\u002b").replace("/", "\\u002F"),
        "".join(f"%{ord(c):02X}" for c in KEY),
        "".join(f"%{ord(c):02x}" for c in KEY),
        "".join(f"%25{ord(c):02X}" for c in KEY),
        "".join(f"&#{ord(c)};" for c in KEY),
        "".join(f"&#x{ord(c):X};" for c in KEY),
        "".join(f"&#x{ord(c):04x}" for c in KEY),
        "".join(f"&amp;#{ord(c)};" for c in KEY),
        "".join(f"\\u{ord(c):04x}" for c in KEY),
        "".join(f"\\\\u{ord(c):04X}" for c in KEY),
        "".join(f"\\x{ord(c):02x}" for c in KEY),
        base64.b64encode(f"api:{KEY}".encode()).decode(),
        base64.b64encode(f"{KEY}:".encode()).decode(),
        KEY.encode().hex(),
        KEY.encode().hex().upper(),
    ],
)
def test_an_encoded_key_is_removed(coded: str) -> None:
    redacted_text = redacted(f"you sent {coded}!", KEY)
    assert "[key]" in redacted_text and len(redacted_text) < len("you sent ![key]") + 12


@pytest.mark.parametrize("at", range(1, len(KEY)))
@pytest.mark.parametrize("split", ["\n", "\r\n  ", "\\n", "\\r\\n", "\\\\n", " ", "\u200b", "=\n"])
def test_a_key_split_by_a_line_break_is_removed(at: int, split: str) -> None:
    assert redacted(f"you sent {KEY[:at]}{split}{KEY[at:]}!", KEY) == "you sent [key]!"


def test_a_line_wrapped_base64_of_the_key_is_removed() -> None:
    code = base64.encodebytes(b"x" * 50 + KEY.encode()).decode()
    assert "\n" in code.strip()
    redacted_text = redacted(code, KEY)
    assert "[key]" in redacted_text
    assert KEY.encode()[4:12] not in base64.b64decode(
        redacted_text.replace("[key]", "")[:68] + "===="
    )


@given(keys, st.data())
def test_a_base64_of_the_key_after_any_bytes_is_removed(key: str, data: st.DataObject) -> None:
    """What remains of the code does not decode to the key."""
    lead = data.draw(st.binary(max_size=7))
    redacted_text = redacted(base64.b64encode(lead + key.encode()).decode(), key)
    assert "[key]" in redacted_text
    assert len(redacted_text.replace("[key]", "")) <= len(lead) * 4 / 3 + 8


@pytest.mark.parametrize("size", range(SHORTEST, len(KEY)))
def test_a_truncated_key_is_removed(size: int) -> None:
    """At the end of the text where we or the gateway cut it; more than half of a key anywhere."""
    assert KEY[:SHORTEST] not in redacted("x" * 20 + KEY[:size], KEY)
    if size > len(KEY) // 2:
        assert KEY[:SHORTEST] not in redacted(KEY[:size] + "... is wrong", KEY)
        assert KEY[-SHORTEST:] not in redacted(f"...{KEY[-size:]} is wrong", KEY)


@given(texts)
def test_a_text_without_the_key_is_unchanged(text: str) -> None:
    assert redacted(text, "sk-never-said-5b1e77f0c2") == text


@pytest.mark.parametrize("key", ["x", "none", "ok-0", "EMPTY"])
def test_a_very_short_key_is_removed_only_after_bearer(key: str) -> None:
    """A gateway without keys takes any text as one, and that may be a word of the answer."""
    assert redacted(f"ok-0 {key}, EMPTY none x", key) == f"ok-0 {key}, EMPTY none x"
    assert redacted(f"you sent Bearer {key}", key) == "you sent [key]"


SEVERAL = ["tenant-acme-77", "sk-canary+5b1e/77f0c2==", "productions"]


@given(st.sampled_from(SEVERAL), texts, texts)
def test_each_of_several_secrets_is_removed(secret: str, before: str, after: str) -> None:
    assert secret not in redacted(before + secret + after, SEVERAL)


def test_a_header_value_is_removed_as_a_whole_word_only() -> None:
    """A tenant's name goes; a longer word that begins with it stays."""
    assert redacted("productive, productions", ["productions"]) == "productive, [key]"
    text = "100 % of &#233; and \\u00e9 are no key"
    assert redacted(text, SEVERAL) == text
