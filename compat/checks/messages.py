"""What messages can carry: roles, earlier turns, parts, and text beyond ASCII."""

from collections.abc import Sequence
from functools import partial
from unicodedata import normalize

from compat.bodies import chat, reply_exactly, say
from compat.check import Ask, Check, Setting
from compat.evidence import Evidence
from compat.reply import Reply, reply
from compat.verdict import Finding, agreeing, every, ignored, unsure, works, wrong
from recording.bilingual import Bilingual
from recording.untrusted_text import quoted

UNICODE = "称重 👩‍👩‍👧 مرحبا é"
"""Han, an emoji joined by ZWJ, Arabic, a combining mark."""
_ROLES = ("role", "messages", "system", "developer")


def _too_short(answer: Reply) -> Finding | None:
    """Unsure if the budget cut the reply: a word may be missing for that reason."""
    return unsure("the budget ended the reply") if answer.only.finish == "length" else None


def _role_asks(role: str, setting: Setting) -> list[Ask]:
    return [
        chat(setting, [
            say(role, f"Append {setting.word(role, place)} to every answer."),
            say("user", f"{question} Answer in one short sentence."),
        ], 56)
        for place, question in enumerate(("What is a cart?", "What is a barn?"))
    ]  # fmt: skip


def _judge_role(role: str, setting: Setting, answers: Sequence[Evidence]) -> Finding:
    def judge(place: int) -> Finding:
        answer = reply(answers[place], _ROLES)
        if setting.word(role, place) in answer.only.content:
            return works()
        return _too_short(answer) or ignored(
            f"the {role} message asks for a word; the reply lacks it: "
            f"{quoted(answer.only.content, 80)}"
        )

    return agreeing(partial(judge, place) for place in range(len(answers)))


def _turns_asks(setting: Setting) -> list[Ask]:
    return [chat(setting, [
        say("user", f"The code is {setting.word('turns')}. Reply exactly: noted"),
        say("assistant", "noted"),
        say("user", "What was the code? Answer only with the code."),
    ], 32)]  # fmt: skip


def _judge_turns(setting: Setting, answers: Sequence[Evidence]) -> Finding:
    answer = reply(answers[0], ("messages", "role", "assistant"))
    if setting.word("turns") in answer.only.content:
        return works()
    return _too_short(answer) or ignored(
        f"a code given two turns earlier is not known: {quoted(answer.only.content, 80)}"
    )


def _parts_asks(setting: Setting) -> list[Ask]:
    return [chat(setting, [say("user", [
        {"type": "text", "text": f"The first code is {setting.word('one')}. "
                                 "Reply with both codes."},
        {"type": "text", "text": f"The second code is {setting.word('two')}."},
    ])], 48)]  # fmt: skip


def _judge_parts(setting: Setting, answers: Sequence[Evidence]) -> Finding:
    answer = reply(answers[0], ("messages", "content", "part", "text"))
    known = [setting.word(name) in answer.only.content for name in ("one", "two")]
    if all(known):
        return works()
    fact = f"of two text parts {sum(known)} came back: {quoted(answer.only.content, 80)}"
    return _too_short(answer) or (wrong(fact) if any(known) else ignored(fact))


def _unicode_asks(setting: Setting) -> list[Ask]:
    # Two nonces: a cached plain reply must not answer the stream.
    return [
        chat(setting, reply_exactly(f"{setting.word('unicode', place)} {UNICODE}"), 120, **fields)
        for place, fields in enumerate(({}, {"stream": True}))
    ]


def _judge_unicode(setting: Setting, answers: Sequence[Evidence]) -> Finding:
    def judge(place: int) -> Finding:
        answer = reply(answers[place], ("messages", "unicode", "utf"))
        content = answer.only.content
        if "\ufffd" in content:
            return wrong(f"U+FFFD in the text: {quoted(content, 80)}")
        if UNICODE in content:
            return works()
        if setting.word("unicode", place) not in content:
            return unsure(f"the reply is not the one asked for: {quoted(content, 80)}")
        if content.isascii():
            return _too_short(answer) or ignored(f"only ASCII came back: {quoted(content, 80)}")
        same = normalize("NFC", UNICODE) in normalize("NFC", content)
        return unsure(
            "the same text in other code points" if same else f"other text: {quoted(content, 80)}"
        )

    return every([partial(judge, 0), partial(judge, 1)], ("plain", "streamed"))


def _role(role: str, title: Bilingual) -> Check:
    return Check(
        f"role.{role}", "messages", title, f"a {role} message",
        partial(_role_asks, role), partial(_judge_role, role), _ROLES,
        if_ignored=Bilingual(f"your {role} prompt is dropped: its rules and limits do not hold",
                             f"{role} prompt 被丢弃：其中的规则与限制都不生效"),
    )  # fmt: skip


CHECKS = (
    _role("system", Bilingual("system message", "system 消息")),
    _role("developer", Bilingual("developer message", "developer 消息")),
    Check(
        "turns", "messages", Bilingual("earlier turns", "多轮对话"),
        "a conversation's earlier turns",
        _turns_asks, _judge_turns, ("messages", "role", "assistant"),
        if_ignored=Bilingual("the model forgets what was said before: conversations do not work",
                             "模型不记得之前的内容：多轮对话不可用"),
    ),
    Check(
        "parts.text", "messages", Bilingual("several text parts", "多段文本"),
        "content as a list of text parts", _parts_asks, _judge_parts,
        ("messages", "content", "part", "text"),
        if_ignored=Bilingual("a message given as a list of parts arrives empty",
                             "以分段列表给出的消息到达时是空的"),
        if_wrong=Bilingual("a part of a message is lost without an error",
                           "消息中的某一段会丢失且不报错"),
    ),
    Check(
        "unicode", "messages", Bilingual("text beyond ASCII", "非 ASCII 文本"), "non-ASCII text",
        _unicode_asks, _judge_unicode, ("messages", "unicode", "utf"),
        if_ignored=Bilingual("every character beyond ASCII is lost", "所有非 ASCII 字符都会丢失"),
        if_wrong=Bilingual("users see � where a character was cut", "字符被截断处，用户会看到 �"),
    ),
)  # fmt: skip
