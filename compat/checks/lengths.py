"""The length of a reply and the number of choices: token budgets, stop, n."""

from collections.abc import Sequence
from functools import partial

from compat.bodies import STREAM, chat, reply_exactly
from compat.check import Ask, Check, Setting
from compat.evidence import Evidence
from compat.reply import reply
from compat.verdict import Finding, every, ignored, unsure, works, wrong
from recording.bilingual import Bilingual
from recording.untrusted_text import quoted

CAP_TOKENS, THINKING_CAP_TOKENS = 8, 64
_SLACK_TOKENS = 2
_MOST_CHARS_PER_TOKEN = 20


def _cap(setting: Setting) -> int:
    return THINKING_CAP_TOKENS if setting.reasons else CAP_TOKENS


def _cap_asks(name: str, setting: Setting) -> list[Ask]:
    prompt = f"Tell me a long story about a cart called {setting.word(name)}."
    return [chat(setting, prompt, _cap(setting), **{name: _cap(setting)})]


def _judge_cap(name: str, setting: Setting, answers: Sequence[Evidence]) -> Finding:
    """Judges by the usage, or by the text if the usage cannot be true."""
    cap, answer = _cap(setting), reply(answers[0], (name, "max_completion_tokens", "max_tokens"))
    count, finish = answer.completion_tokens, answer.only.finish
    fact = f"{name} {cap}: {count} tokens, finish_reason {quoted(finish, 20) or 'missing'}"
    if len(answer.only.content) > cap * _MOST_CHARS_PER_TOKEN:
        return ignored(f"{fact}, {len(answer.only.content)} characters")
    if count is None:
        return works() if finish == "length" else unsure(f"{fact}; no usage")
    visible = count - (answer.reasoning_tokens or 0)
    if setting.reasons and count > cap + _SLACK_TOKENS and visible <= cap + _SLACK_TOKENS:
        return unsure(f"{fact}, {visible} of them not reasoning")
    if count > cap + _SLACK_TOKENS:
        return ignored(fact)
    if finish == "length":
        return works(fact)
    if count >= cap:
        return wrong(f"{fact} at the cap")
    return unsure(f"{fact}: the reply ended by itself")


def _stop_asks(setting: Setting) -> list[Ask]:
    return [
        chat(setting, reply_exactly(f"alpha {word} beta"), 32, stop=[word], **fields)
        for word, fields in (
            (setting.word("stop", 0), {}), (setting.word("stop", 1), {"stream": True}),
        )
    ]  # fmt: skip


def _judge_stop(setting: Setting, answers: Sequence[Evidence]) -> Finding:
    def judge(place: int) -> Finding:
        answer = reply(answers[place], ("stop",))
        content, word = answer.only.content, setting.word("stop", place)
        fact = f"stop [{word}]: {quoted(content, 60)}, finish_reason {answer.only.finish}"
        if "alpha" not in content:
            return unsure(f"the reply is not the one asked for: {quoted(content, 60)}")
        if "beta" in content:
            return ignored(fact)
        if word in content:
            return wrong(f"the stop text is left in: {fact}")
        if answer.only.finish == "length":
            return unsure(fact)
        return works() if answer.only.finish == "stop" else wrong(fact)

    return every([partial(judge, 0), partial(judge, 1)], ("plain", "streamed"))


def _n_asks(setting: Setting) -> list[Ask]:
    return [
        chat(setting, reply_exactly(setting.word("n", place)), 24, choices=3, n=3, **fields)
        for place, fields in enumerate(({}, STREAM))
    ]


def _judge_n(setting: Setting, answers: Sequence[Evidence]) -> Finding:
    def judge(place: int) -> Finding:
        answer = reply(
            answers[place], (" n ", "'n'", '"n"', "`n`", "n=", "n must", "n >", "n:", "choices")
        )
        indices = [choice.index for choice in answer.choices]
        fact = f"n=3: {len(indices)} choices, indices {indices}"
        if sorted(indices, key=str) == [0, 1, 2]:
            return works()
        return ignored(fact) if len(indices) <= 1 else wrong(fact)

    return every([partial(judge, 0), partial(judge, 1)], ("plain", "streamed"))


def _budget(name: str) -> Check:
    return Check(
        name, "lengths", Bilingual(f"budget {name}", f"长度上限 {name}"), name,
        partial(_cap_asks, name), partial(_judge_cap, name),
        (name, "max_completion_tokens", "max_tokens"),
        if_ignored=Bilingual(f"{name} caps neither the reply nor its cost",
                             f"{name} 既不限制长度，也不限制费用"),
        if_wrong=Bilingual("a reply that was cut looks complete: finish_reason is not length",
                           "被截断的应答看起来是完整的：finish_reason 不是 length"),
    )  # fmt: skip


CHECKS = (
    _budget("max_tokens"),
    _budget("max_completion_tokens"),
    Check(
        "stop", "lengths", Bilingual("stop sequences", "停止序列"), "stop",
        _stop_asks, _judge_stop, ("stop",), guarantee=True,
        if_ignored=Bilingual("replies go on past your stop text: parsers that rely on it break",
                             "应答会越过停止文本：依赖它的解析器会出错"),
        if_wrong=Bilingual("the stop text stands at the reply's end: cut it off yourself",
                           "停止文本留在应答末尾：须自行去除"),
    ),
    Check(
        "n", "lengths", Bilingual("several choices", "多个候选"), "n",
        _n_asks, _judge_n, ("n",), guarantee=True,
        if_ignored=Bilingual("len(completion.choices) is 1: send n requests instead",
                             "len(completion.choices) 为 1：请改为发送 n 个请求"),
        if_wrong=Bilingual("fewer choices come than n: never index choices[n - 1]",
                           "返回的候选少于 n：不要直接取 choices[n - 1]"),
    ),
)  # fmt: skip
